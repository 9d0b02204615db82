/** Interrupts of parts as lines of a GPIO daemon, without guests. */

import { assertEquals, assertMatch } from "@std/assert";
import { ControlClient } from "../support/control_client.ts";
import { startControlled } from "../support/control_daemon.ts";
import { command, Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest, IN, OK, OUT } from "../support/gpio_driver.ts";
import { I2cGuest, read } from "../support/i2c_driver.ts";
import { suspend } from "../support/process_state.ts";
import { PATIENCE, until } from "../support/wait.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const LINES = `
guests:
  - simulated:
      lines: [{ name: irq, direction: input, value: 1 }, { name: high }, { name: driven }]
  - simulated:
      lines: [{ name: irq }]
`;

const EXPANDERS = (socket: string) => `
gpio-control: ${socket}
adapters:
  - simulated:
      parts:
        - { part: pca9535, address: 0x20, name: first, interrupt: [0/irq, 1/irq] }
        - { part: pca9535, address: 0x21, name: second, interrupt: 0/irq }
`;

async function startGpio(folder: TemporaryFolder): Promise<Daemon> {
  Deno.writeTextFileSync(folder.file("gpio.yaml"), LINES);
  return await Daemon.start("vhost-device-gpio", [
    ...["--config", folder.file("gpio.yaml"), "--control", folder.file("gpio")],
  ], { count: 2 });
}

/** Waits until properties are what they are to be. */
async function become(client: ControlClient, values: Record<string, unknown>): Promise<void> {
  const names = Object.keys(values);
  for (const deadline = performance.now() + 2 * PATIENCE;;) {
    const now = await client.call("get", { names });
    if (names.every((name) => now[name] === values[name])) return;
    if (performance.now() > deadline) assertEquals(now, values);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("parts pull a line low together, and a GPIO daemon that goes is waited for", async () => {
  using folder = new TemporaryFolder();
  await using it = await startControlled("i2c", EXPANDERS(folder.file("gpio")));
  const away = /the GPIO daemon at control socket '.*' is away: (.*); interrupts wait for it/g;
  it.daemon.untilLogged(/is away: there is none/);
  using parts = await it.connect();
  await parts.call("set", { values: { "first.p00": 1 } });
  assertEquals(await parts.call("get", { names: ["first.interrupt"] }), {
    "first.interrupt": true,
  });
  {
    await using _gpio = await startGpio(folder);
    using lines = await ControlClient.connect(folder.file("gpio"));
    // What it called before is there from the start.
    await become(lines, { "0/irq": 0, "1/irq": 0 });
    await parts.call("set", { values: { "second.p17": 1, "first.p00": 0 } });
    await become(lines, { "0/irq": 0, "1/irq": 1 });
    await parts.call("set", { values: { "second.p17": 0 } });
    await become(lines, { "0/irq": 1, "1/irq": 1 });
    await parts.call("set", { values: { "first.p03": 1 } });
    await become(lines, { "0/irq": 0, "1/irq": 0 });
  }
  it.daemon.untilLogged(/away: it has gone/);
  await using _gpio = await startGpio(folder);
  using lines = await ControlClient.connect(folder.file("gpio"));
  await become(lines, { "0/irq": 0, "1/irq": 0 });
  // The lines are driven first, and then that is told.
  const told = /interrupts drive lines of the GPIO daemon at/g;
  until("both daemons are told of", () => it.daemon.log.match(told)?.length === 2);
  const reasons = [...it.daemon.log.matchAll(away)].map(([, why]) => why);
  assertEquals(reasons, ["there is none", "it has gone"]);
});

Deno.test("a line that does not take an interrupt is told of once, and has it when it does", async () => {
  using folder = new TemporaryFolder();
  await using gpio = await startGpio(folder);
  const parts = `
gpio-control: ${folder.file("gpio")}
adapters:
  - simulated:
      parts:
        - { part: pca9535, address: 0x20, name: first, interrupt: driven }
        - { part: pca9535, address: 0x21, name: second, interrupt: dirven }
`;
  using driver = new GpioGuest(gpio.connect());
  assertEquals(driver.ask(GPIO.SET_DIRECTION, 2, OUT).status, OK);
  await using it = await startControlled("i2c", parts);
  it.daemon.untilLogged(/its line 'driven': driven.value: the guest drives it, it is an output/);
  it.daemon.untilLogged(/its line 'dirven': there is no 'dirven'; did you mean 'driven'\?/);
  assertEquals(driver.ask(GPIO.SET_DIRECTION, 2, IN).status, OK);
  using lines = await ControlClient.connect(folder.file("gpio"));
  await become(lines, { driven: 1 });
  assertEquals(it.daemon.log.match(/cannot drive its line/g)?.length, 2);
});

Deno.test("a GPIO daemon that stands still holds nobody up, and has the last level in the end", async () => {
  using folder = new TemporaryFolder();
  await using gpio = await startGpio(folder);
  await using it = await startControlled("i2c", EXPANDERS(folder.file("gpio")));
  using lines = await ControlClient.connect(folder.file("gpio"));
  await become(lines, { "1/irq": 1 });
  using parts = await it.connect();
  using guest = new I2cGuest(it.daemon.connect());
  suspend(gpio.pid);
  try {
    for (let round = 0; round < 2000; round++) {
      await parts.call("set", { values: { "first.p00": (round + 1) % 2 } });
    }
    assertEquals(guest.transfer(read(0x20, 1)).map(({ status }) => status), [OK]);
    await parts.call("set", { values: { "first.p01": 1 } });
  } finally {
    Deno.kill(gpio.pid, "SIGCONT");
  }
  await become(lines, { "0/irq": 0, "1/irq": 0 });
});

Deno.test("a socket where nobody talks to control clients is told of once", async () => {
  using folder = new TemporaryFolder();
  await using gpio = await startGpio(folder);
  // That of a front-end.
  await using it = await startControlled("i2c", EXPANDERS(gpio.socket()));
  it.daemon.untilLogged(/is away: who listens there does not talk to control clients/);
  until("it has tried more often", () => (gpio.log.match(/front-end gone/g) ?? []).length >= 3);
  assertEquals(it.daemon.log.match(/is away|drive lines of/g)?.length, 1);
});

Deno.test("interrupts without a GPIO daemon to pass them on to are refused", async () => {
  using folder = new TemporaryFolder();
  const config =
    "adapters: [{ simulated: { parts: [{ part: pca9535, address: 0x20, interrupt: x }] } }]";
  Deno.writeTextFileSync(folder.file("config.yaml"), config);
  const run = (...args: string[]) => {
    const [program, ...rest] = command("vhost-device-i2c");
    return new Deno.Command(program, {
      args: [...rest, "-s", folder.file("s"), "--config", folder.file("config.yaml"), ...args],
    }).output();
  };
  const { code, stderr } = await run();
  assertEquals(code, 2);
  assertMatch(
    new TextDecoder().decode(stderr),
    /'interrupt' of a part pca9535 leads to the line 'x', but no GPIO daemon is named; give its control socket with --gpio-control PATH/,
  );
  const long = await run("--gpio-control", "x".repeat(108));
  assertEquals(long.code, 2);
  assertMatch(
    new TextDecoder().decode(long.stderr),
    /'gpio-control': socket path 'x+' has 108 bytes, .* at most 107; choose a shorter one$/m,
  );
});
