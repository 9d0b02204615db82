import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Vcd } from "../../lib/trace/vcd_reader.ts";
import { ControlClient } from "../support/control_client.ts";
import { command, Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest, IN, IRQ, OUT, VALID } from "../support/gpio_driver.ts";
import { ERR, I2cGuest, OK, write } from "../support/i2c_driver.ts";
import { RESULT, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { i2cText, levels, spiText, TraceFile } from "../support/trace.ts";
import { PATIENCE } from "../support/wait.ts";

/** A daemon and its trace. */
async function traced(kind: string, args: readonly string[], count = 1) {
  const folder = new TemporaryFolder();
  const trace = new TraceFile(folder.file("trace.vcd"));
  const all = [...args, "--trace", trace.path, "--control", folder.file("control")];
  const daemon = await Daemon.start(`vhost-device-${kind}`, all, { count });
  return {
    daemon,
    trace,
    control: () => ControlClient.connect(folder.file("control")),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

Deno.test("trace: I2C transactions, with repeated starts and what nobody acknowledges", async () => {
  await using it = await traced("i2c", ["-l", "s:0x50"]);
  using guest = new I2cGuest(it.daemon.connect());
  guest.write(0x50, 0x10, 1, 2);
  assertEquals(guest.writeRead(0x50, [0x10], 3), [1, 2, 255]);
  guest.exchange(write(0x51, 7));
  guest.exchange(write(0x50));
  const expected = "S a0+ 10+ 01+ 02+ P " +
    "S a0+ 10+ S a1+ 01+ 02+ ff- P " +
    // The driver's address is not served.
    "S a0+ P";
  it.trace.until("the transactions", (trace) => i2cText(trace) === expected);
});

Deno.test("trace: an I2C write, read, and a message that a chip refuses half-way", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("i2c.yaml");
  const bus = "frequency: 400000, parts: [{ part: nak, address: 0x21, after: 2 }]";
  Deno.writeTextFileSync(config, `adapters: [{ simulated: { ${bus} } }]`);
  await using it = await traced("i2c", ["--config", config]);
  using guest = new I2cGuest(it.daemon.connect());
  assertStrictEquals(guest.write(0x21, 1, 2, 3, 4), ERR);
  assertStrictEquals(guest.write(0x21, 1), OK);
  // How far the first one got, nobody knows.
  const trace = it.trace.until("both", (trace) => i2cText(trace) === "S 42- P S 42+ 01+ P");
  const rises = trace.changes.filter(({ wire, value }) => wire === 0 && value === "1")
    .map(({ time }) => time);
  assertEquals(rises.at(-2)! - rises.at(-3)!, 2500);
});

Deno.test("trace: an I2C message as long as any has all its bytes, at 100 kHz", async () => {
  await using it = await traced("i2c", ["-l", "s:0x20"]);
  using guest = new I2cGuest(it.daemon.connect());
  const bytes = Array.from({ length: 65535 }, (_, index) => (index * 7) & 0xff);
  const [{ status }] = guest.transfer(write(0x20, ...bytes));
  assertStrictEquals(status, OK);
  const trace = it.trace.until("its end", (trace) => i2cText(trace).endsWith("P"));
  const hex = bytes.map((byte) => `${byte.toString(16).padStart(2, "0")}+`);
  assertEquals(i2cText(trace), `S 40+ ${hex.join(" ")} P`);
  const times = trace.changes.filter(({ time, wire }) => time > 0 && wire < 2)
    .map(({ time }) => time);
  const bits = (times.at(-1)! - times[0]) / 10_000;
  assert(Math.abs(bits - 9 * 65536) < 2, `${bits} bits`);
});

Deno.test("trace: a flash stays selected from a command to its answer, and no longer", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("spi.yaml");
  Deno.writeTextFileSync(config, "guests: [{ simulated: { parts: [{ part: flash }] } }]");
  await using it = await traced("spi", ["--config", config]);
  const frontEnd = it.daemon.connect();
  using guest = new SpiGuest(frontEnd);
  guest.transfer({}, { tx: [0x9f] });
  const { rx } = guest.transfer({}, { rx: 3 });
  guest.exchange([5, 0]);
  // A command without its answer: its chip is released when nobody can ask for more.
  guest.transfer({}, { tx: [0x9f] });
  const id = rx.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // MOSI stays as it was while nothing is sent.
  const messages = [`9fffffff/--${id}`, "0500/ff00"];
  it.trace.until("the third", (trace) => levels(trace, "CS0") === "101010");
  assertEquals(spiText(it.trace.read()), messages);
  frontEnd[Symbol.dispose]();
  it.trace.until("its end", (trace) => levels(trace, "CS0") === "1010101");
  assertEquals(spiText(it.trace.read()), [...messages, "9f/--"]);
});

Deno.test("trace: SPI words of 16 bits go highest bit first, as the chip has them", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("spi.yaml");
  Deno.writeTextFileSync(config, "guests: [{ simulated: { parts: [{ part: flash }] } }]");
  await using it = await traced("spi", ["--config", config]);
  using guest = new SpiGuest(it.daemon.connect());
  const { rx: [second, first, fourth, third] } = guest.exchange([0, 0x9f, 0, 0], {
    ...{ bitsPerWord: 16, csChange: 1 },
  });
  const received = [first, second, third, fourth].map((byte) => byte.toString(16)).join("");
  it.trace.until("them", (trace) => spiText(trace).join() === `9f000000/${received}`);
});

Deno.test("trace: an SPI transfer has the clock that it asks for", async () => {
  await using it = await traced("spi", ["-l", "s1"]);
  using guest = new SpiGuest(it.daemon.connect());
  guest.exchange([0x55], { frequency: 500_000 });
  const trace = it.trace.until("it", (trace) => spiText(trace).length === 1);
  const clock = trace.wires.findIndex(({ name }) => name === "SCLK");
  const rises = trace.changes.filter(({ wire, value }) => wire === clock && value === "1");
  assertEquals(rises.slice(1).map(({ time }, index) => time - rises[index].time), [
    ...Array(7).fill(2000),
  ]);
});

Deno.test("trace: a long SPI transfer has all its bytes, in one message", async () => {
  await using it = await traced("spi", ["-l", "s1"]);
  using guest = new SpiGuest(it.daemon.connect());
  using client = await it.control();
  await client.call("subscribe", { transactions: true });
  const bytes = Uint8Array.from({ length: 2 ** 16 + 100 }, (_, index) => (index * 7) ^ index >> 8);
  assertStrictEquals(guest.transfer({}, { tx: bytes }).result, RESULT.OK);
  const { messages: [{ length }] } = await client.event();
  assertEquals(length, bytes.length);
  guest.transfer({}, { tx: [1] });
  assertEquals((await client.event()).messages, [{ write: "01" }]);
  const trace = it.trace.until("its end", (trace) => levels(trace, "CS0") === "10101");
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert(spiText(trace)[0].startsWith(`${hex}/`));
  assertEquals(levels(trace, "left_out"), "0");
});

const LINES = `
guests:
  - simulated:
      lines:
        - { name: lid, direction: input, value: 1 }
        - { name: relay }
        - {}
`;

Deno.test("trace: lines, what drives them, interrupts and when the guest is ready for more", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("gpio.yaml"), LINES);
  await using it = await traced("gpio", ["--config", folder.file("gpio.yaml")]);
  using guest = new GpioGuest(it.daemon.connect());
  using client = await it.control();
  guest.get(GPIO.SET_VALUE, 1, 1);
  guest.get(GPIO.SET_DIRECTION, 1, OUT);
  guest.get(GPIO.SET_VALUE, 1, 0);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  // It is in the same queue as what comes next.
  guest.get(GPIO.GET_VALUE, 0);
  await client.call("set", { values: { lid: 0 } });
  assertEquals(guest.nextEvent().status, VALID);
  guest.unmask(0);
  guest.get(GPIO.GET_VALUE, 0);
  const trace = it.trace.until("the interrupt", (trace) =>
    levels(trace, "lid_interrupt") === "010");
  assertEquals(
    trace.wires.map(({ name }) => name),
    ["lid", "relay", "line2"].flatMap((name) => [
      ...[name, `${name}_output`, `${name}_rising`, `${name}_falling`, `${name}_interrupt`],
    ]).concat("ready", "left_out"),
  );
  assertEquals(levels(trace, "lid"), "10");
  assertEquals(levels(trace, "relay"), "010");
  assertEquals(levels(trace, "relay_output"), "010");
  assertEquals(levels(trace, "lid_rising"), "01");
  assertEquals(levels(trace, "lid_falling"), "01");
  assertEquals(levels(trace, "line2"), "0");
  assertEquals(levels(trace, "ready"), "01");
});

Deno.test("trace: two guests have scopes and names of their own, and wait for each other's end", async () => {
  await using it = await traced("i2c", ["-l", "s:0x50:0x51"], 2);
  using one = new I2cGuest(it.daemon.connect(0));
  using two = new I2cGuest(it.daemon.connect(1));
  for (let round = 0; round < 20; round++) {
    one.write(0x50, round);
    two.write(0x51, round);
  }
  const expected = (address: string) =>
    Array.from({ length: 20 }, (_, round) => {
      return `S ${address}+ ${round.toString(16).padStart(2, "0")}+ P`;
    }).join(" ");
  const trace = it.trace.until("both", (trace) => i2cText(trace, "1/") === expected("a2"));
  assertEquals(i2cText(trace, "0/"), expected("a0"));
  assertEquals(trace.wires.map(({ name, scopes }) => [...scopes, name].join(".")), [
    ...["guest0.0/SCL", "guest0.0/SDA", "guest0.0/ready", "guest0.0/left_out"],
    ...["guest1.1/SCL", "guest1.1/SDA", "guest1.1/ready", "guest1.1/left_out"],
  ]);
});

Deno.test("trace: without a control socket, from the configuration file, in a sandbox", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("trace.vcd");
  Deno.writeTextFileSync(folder.file("i2c.yaml"), `trace: ${path}\nsandbox: on\n`);
  const args = ["--config", folder.file("i2c.yaml"), "-l", "s:0x50"];
  await using daemon = await Daemon.start("vhost-device-i2c", args);
  daemon.untilLogged(/info {2}trace in .*trace\.vcd$/m);
  using guest = new I2cGuest(daemon.connect());
  guest.write(0x50, 1);
  await daemon.stop();
  assertEquals(i2cText(new TraceFile(path).read()), "S a0+ 01+ P");
  assertStrictEquals(Deno.statSync(path).mode! & 0o777, 0o600);
});

Deno.test("trace: a daemon that is killed leaves whole lines, and what has happened", async () => {
  await using it = await traced("i2c", ["-l", "s:0x50"]);
  using guest = new I2cGuest(it.daemon.connect());
  let done = 0;
  const size = () => Deno.statSync(it.trace.path).size;
  while (size() < 200_000) {
    guest.write(0x50, done++ & 0xff);
  }
  await it.daemon.stop("SIGKILL");
  const text = Deno.readTextFileSync(it.trace.path);
  assert(text.endsWith("\n"));
  assertMatch(i2cText(Vcd.parse(text)), /^(S a0\+ ([0-9a-f]{2}\+ )?P ?)+/);
  // No line goes on in another page of the file, where the kernel could have stopped.
  for (let page = 4096; page < text.length; page += 4096) assertStrictEquals(text[page - 1], "\n");
});

/** A pipe that is opened to be read, so that a daemon can write to it. */
async function pipe(folder: TemporaryFolder): Promise<{ path: string; reader: Deno.FsFile }> {
  const path = folder.file("pipe");
  await new Deno.Command("mkfifo", { args: [path] }).output();
  // Opened for both, it does not wait for who writes.
  return { path, reader: Deno.openSync(path, { read: true, write: true }) };
}

Deno.test("trace: what a reader that does not read has no room for is counted and told, guests go on", async () => {
  using folder = new TemporaryFolder();
  const { path, reader } = await pipe(folder);
  const args = ["-l", "s:0x50", "--trace", path];
  await using daemon = await Daemon.start("vhost-device-i2c", args);
  using guest = new I2cGuest(daemon.connect());
  let sent = 20_000;
  for (let round = 0; round < 20_000; round++) guest.write(0x50, 0, round & 0xff);
  // Now it reads: first what waits, then what comes next, with how much was left out before.
  const cat = new Deno.Command("cat", { args: [path], stdin: "null", stdout: "piped" }).spawn();
  let text = "";
  const reading = (async () => {
    for await (const chunk of cat.stdout.pipeThrough(new TextDecoderStream())) text += chunk;
  })();
  const deadline = performance.now() + PATIENCE;
  while (!/^r[1-9]/m.test(text)) {
    assert(performance.now() < deadline, "nothing was left out");
    guest.write(0x50, 0, 0);
    sent++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  guest.write(0x50, 0x77);
  await daemon.stop();
  reader.close();
  await reading;
  const trace = Vcd.parse(text);
  const counter = trace.wires.findIndex(({ name }) => name === "left_out");
  const counts = trace.changes.filter(({ wire }) => wire === counter);
  // It says so where it was, and at the end.
  assert(counts.at(-1)!.time < trace.changes.at(-1)!.time);
  const leftOut = Number(counts.at(-1)!.value);
  assertEquals(trace.comments.at(-1)!.text, `${leftOut} events were left out in all`);
  const drawn = i2cText(trace);
  assert(drawn.endsWith("S a0+ 77+ P"), drawn.slice(-100));
  const transactions = drawn.match(/S a0\+ 00\+ [0-9a-f]{2}\+ P/g)!.length;
  assertStrictEquals(transactions + leftOut, sent);
});

Deno.test("trace: a pipe that is closed ends the trace with one line, guests go on", async () => {
  using folder = new TemporaryFolder();
  const { path, reader } = await pipe(folder);
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:0x50", "--trace", path]);
  using guest = new I2cGuest(daemon.connect());
  guest.write(0x50, 1);
  reader.close();
  guest.write(0x50, 1);
  daemon.untilLogged(/error the trace in '.*pipe' has ended: Broken pipe; guests are served on$/m);
  for (let round = 0; round < 100; round++) assertStrictEquals(guest.write(0x50, 1), OK);
  assertStrictEquals((await daemon.stop()).code, 0);
  assertEquals(daemon.log.match(/ error /g)?.length, 1);
});

Deno.test("trace: a full disk ends the trace at a whole line with one line, guests go on", async () => {
  using folder = new TemporaryFolder();
  const trace = new TraceFile(folder.file("trace.vcd"));
  // Of a write to a file that may get no longer some is taken, as on a disk that is full: here up to
  // the middle of a page.
  await using daemon = await Daemon.start(
    "vhost-device-i2c",
    ["-l", "s:0x50", "--trace", trace.path],
    { prepare: "trap '' XFSZ; ulimit -f 41" },
  );
  using guest = new I2cGuest(daemon.connect());
  for (let round = 0; round < 500; round++) assertStrictEquals(guest.write(0x50, 1), OK);
  daemon.untilLogged(/ error the trace in '.*' has ended: File too large; guests are served on$/m);
  for (let round = 0; round < 500; round++) assertStrictEquals(guest.write(0x50, 1), OK);
  assertStrictEquals((await daemon.stop()).code, 0);
  assertEquals(daemon.log.match(/ error /g)?.length, 1);
  assert(Deno.readTextFileSync(trace.path).endsWith("\n"));
  assertMatch(i2cText(trace.read()), /^(S a0\+ 01\+ P ?)+/);
});

/** What the program says as it ends before it has begun, and its exit status. */
function refusal(...args: string[]): string {
  const [program, ...rest] = command("vhost-device-i2c");
  const { code, stderr } = new Deno.Command(program, {
    args: [...rest, "-l", "s:0x50", ...args],
    stdin: "null",
  }).outputSync();
  return `${code}: ${new TextDecoder().decode(stderr).trim()}`;
}

Deno.test("trace: a file that cannot be had is refused, exit 1, and what is in it stays", async () => {
  await using it = await traced("i2c", ["-l", "s:0x50"]);
  using folder = new TemporaryFolder();
  const socket = ["-s", folder.file("socket")];
  const { wires } = it.trace.until("its wires", ({ wires }) => wires.length === 4);
  assertMatch(
    refusal(...socket, "--trace", it.trace.path),
    /^1: .*: trace file '.*trace\.vcd' is in use by another process, .* choose another file$/,
  );
  assertEquals(it.trace.read().wires, wires);
  assertMatch(
    refusal(...socket, "--trace", folder.file("no/trace")),
    /^1: .*: trace file '.*' cannot be written: .*No such file.*; choose another path$/,
  );
  await new Deno.Command("mkfifo", { args: [folder.file("pipe")] }).output();
  assertMatch(
    refusal(...socket, "--trace", folder.file("pipe")),
    /^1: .*: trace file '.*' is a pipe that nobody reads; start its reader first$/,
  );
  using _listener = Deno.listen({ transport: "unix", path: folder.file("listener") });
  assertMatch(
    refusal(...socket, "--trace", folder.file("listener")),
    /^1: .*: trace file '.*' cannot be written: .*; choose another path$/,
  );
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
    ...["listener", "pipe"],
  ]);
});
