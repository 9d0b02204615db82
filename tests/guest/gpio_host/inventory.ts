/** Chips and how they are named, inside the guest: --list, the device list, and what is refused. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { RuntimeError } from "../../../lib/errors.ts";
import { HostChip } from "../../../lib/gpio/host/host_chip.ts";
import { watchLines } from "../../../lib/gpio/host/line_state.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { command, Daemon } from "../../support/daemon.ts";
import { GPIO, OUT } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { holdLine, serve, serveConfig } from "./serve.ts";

/** Runs the program to its end. */
function run(...args: string[]): { code: number; output: string; error: string } {
  // What should be refused and is not runs on.
  const all = ["10", ...command("vhost-device-gpio"), ...args];
  const outcome = new Deno.Command("timeout", { args: all }).outputSync();
  const text = new TextDecoder();
  return {
    code: outcome.code,
    output: text.decode(outcome.stdout),
    error: text.decode(outcome.stderr).replaceAll(/^.* warn .*\n/gm, "").trim(),
  };
}

/** Tries a device list that is expected to be refused. */
function refused(list: string): { code: number; error: string } {
  const count = list.replaceAll(/"[^"]*"|\[[^\]]*\]/g, "").split(":").length;
  const { code, error } = run("-s", "/tmp/socket", "-c", `${count}`, "-l", list);
  assertEquals(error.split("\n").length, 1, error);
  return { code, error: error.replace("vhost-device-gpio: ", "") };
}

Deno.test("--list shows chips with path, label and number of lines, and each line as it is", () => {
  using chip = new GpioSim({
    lines: 3,
    label: "some:label",
    special: { 0: { name: "led" }, 1: { hog: "power", hogDirection: "output-high" } },
  });
  const { code, output } = run("--list");
  assertEquals(code, 0);
  assertStrictEquals(
    output,
    `${chip.path} "some:label": 3 lines\n` +
      `      0  "led"    input\n` +
      `      1  unnamed  output  used by "power"\n` +
      `      2  unnamed  input\n`,
  );
});

Deno.test("--list shows who has a line", async () => {
  using chip = new GpioSim({ lines: 1 });
  await using _other = holdLine(chip, 0, "somebody");
  assertMatch(run("--list").output, /0 {2}unnamed {2}input {3}used by "somebody"/);
});

Deno.test("--list says so where there is no chip", () => {
  const { code, output } = run("--list");
  assertEquals(code, 0);
  assertMatch(output, /^This host has no GPIO chips\..*\n$/);
});

Deno.test("a chip is found by number, path, name and label", async () => {
  using _first = new GpioSim({ lines: 1, label: "first" });
  using chip = new GpioSim({ lines: 2, label: "second" });
  Deno.symlinkSync(chip.path, "/dev/my-chip");
  for (const device of [`${chip.number}`, chip.path, chip.name, "second", "/dev/my-chip"]) {
    await using served = await serve(device);
    served.guest.get(GPIO.SET_DIRECTION, 1, OUT);
    served.guest.get(GPIO.SET_VALUE, 1, 1);
    assertEquals(chip.level(1), 1, device);
    assertMatch(served.daemon.log, new RegExp(`2 lines of ${chip.name} "second"`));
  }
  Deno.removeSync("/dev/my-chip");
});

Deno.test("a label with a colon goes into quotes, or into the configuration file", async () => {
  using chip = new GpioSim({ lines: 2, label: "INT3450:00" });
  using other = new GpioSim({ lines: 1 });
  {
    await using served = await serve(`"INT3450:00"[1]:${other.number}`, 2);
    assertMatch(served.daemon.log, new RegExp(`1 line of ${chip.name} "INT3450:00"`));
  }
  await using served = await serveConfig(`  - chip: INT3450:00`);
  assertMatch(served.daemon.log, new RegExp(`2 lines of ${chip.name} "INT3450:00"`));
});

Deno.test("a label that looks like simulated lines means those, unless it is quoted", async () => {
  using chip = new GpioSim({ lines: 2, label: "s3" });
  await using served = await serve(`s3:"s3"`, 2);
  assertMatch(served.daemon.log, /guest 0: 3 simulated lines/);
  assertMatch(served.daemon.log, new RegExp(`guest 1: 2 lines of ${chip.name}`));
});

Deno.test("a whole chip is one warning that says how to give a guest less", async () => {
  using first = new GpioSim({ lines: 2 });
  using second = new GpioSim({ lines: 2 });
  {
    await using served = await serve(`${first.number}:${second.number}`, 2);
    const warnings = served.daemon.log.match(/ warn .*/g);
    assertEquals(warnings?.length, 1);
    assertMatch(warnings![0], /all lines of gpiochip\d+, gpiochip\d+; .* -l 'gpiochip\d+\[0,1\]'/);
  }
  await using served = await serve(`${first.number}[0,1]`);
  assertNotMatch(served.daemon.log, / warn /);
});

Deno.test("a chip that is not there: what there is instead, exit 1", () => {
  using chip = new GpioSim({ lines: 1 });
  for (const device of ["77", "/dev/gpiochip77", "no-such-label"]) {
    const { code, error } = refused(device);
    assertEquals(code, 1);
    assertMatch(error, new RegExp(`^there is no .*${device}.*; this host has ${chip.name}`));
  }
});

Deno.test("a file that is no chip is refused, exit 1", () => {
  assertEquals(refused("/dev/null"), {
    code: 1,
    error: "/dev/null is no GPIO chip; this host has no GPIO chips " +
      "(sN stands for N simulated lines)",
  });
});

Deno.test("a chip that may not be opened: what to do about it, exit 1", () => {
  using chip = new GpioSim({ lines: 1 });
  const program = command("vhost-device-gpio").map((word) => `'${word}'`).join(" ");
  const { code, stderr } = new Deno.Command("su", {
    args: ["nobody", "-s", "/bin/sh", "-c", `${program} -s /tmp/socket -l ${chip.number}`],
  }).outputSync();
  assertEquals(code, 1);
  assertStrictEquals(
    new TextDecoder().decode(stderr).trim(),
    `vhost-device-gpio: no permission to open ${chip.path}; ` +
      "run as a user of its group, which is often 'gpio'",
  );
});

Deno.test("a label that two chips have is refused, exit 1", () => {
  using first = new GpioSim({ lines: 1, label: "same" });
  using second = new GpioSim({ lines: 1, label: "same" });
  assertEquals(refused("same"), {
    code: 1,
    error: `${first.path} and ${second.path} are both labelled 'same'; give a path`,
  });
});

Deno.test("a line that the chip does not have is refused, exit 1", () => {
  using chip = new GpioSim({ lines: 4, label: "four" });
  assertEquals(refused("four[4]"), {
    code: 1,
    error: `${chip.name} "four" has no line 4; its lines are 0 to 3`,
  });
  assertEquals(refused("four[led]"), {
    code: 1,
    error: `${chip.name} "four" has no line named 'led'; --list shows their names`,
  });
});

Deno.test("the same chip for two guests is refused however it is named, exit 2", () => {
  using chip = new GpioSim({ lines: 4, label: "four" });
  for (const again of [`${chip.number}`, chip.path, chip.name, "four", "four[3]"]) {
    const { code, error } = refused(`${chip.number}:${again}`);
    assertEquals(code, 2);
    assertMatch(error, /^guests 0 and 1 would both get line [03] of gpiochip\d+; give each/);
  }
});

Deno.test("a line picked twice is refused, by number and by name, exit 2", () => {
  using _chip = new GpioSim({ lines: 4, label: "four", special: { 2: { name: "two" } } });
  for (const list of ["four[2,2]", "four[2,two]", "four[0-3,1]"]) {
    const { code, error } = refused(list);
    assertEquals(code, 2);
    assertMatch(error, /^line [12] of gpiochip\d+ "four" is picked twice for the same guest$/);
  }
});

Deno.test({
  name: "a chip that has become another one since it was found is refused",
  // The library stays loaded.
  sanitizeResources: false,
  fn() {
    using chip = new GpioSim({ lines: 1, label: "new" });
    const settings = watchLines(new Simulation(), {
      ...{ kind: "host", path: chip.path, chip: chip.name, label: "old" } as const,
      lines: [{ offset: 0, name: "", access: "read-write" }],
    });
    assertEquals(
      assertThrows(() => new HostChip(settings, new RecordingLog().logger), RuntimeError).message,
      `${chip.path} is no longer ${chip.name} "old"; start again`,
    );
  },
});

Deno.test("without the library: which package to install, exit 1, and simulated lines work", async () => {
  using chip = new GpioSim({ lines: 1 });
  const folder = "/usr/lib/x86_64-linux-gnu";
  const sh = (script: string) => {
    const { success } = new Deno.Command("sh", { args: ["-ec", script] }).outputSync();
    assert(success, script);
  };
  sh(`mkdir -p /tmp/up /tmp/work; mount -t tmpfs none /tmp/up; mkdir /tmp/up/u /tmp/up/w
    mount -t overlay none -o lowerdir=${folder},upperdir=/tmp/up/u,workdir=/tmp/up/w ${folder}
    rm ${folder}/libgpiod.so.3`);
  try {
    const expected =
      "the GPIO lines of this host need libgpiod version 2 (libgpiod.so.3), and it " +
      "is not installed; install the package libgpiod3 (Debian, Ubuntu) or libgpiod (Fedora, Alpine)";
    assertEquals(refused(`${chip.number}`), { code: 1, error: expected });
    assertEquals(run("--list"), {
      code: 1,
      output: "",
      error: `vhost-device-gpio: ${expected}`,
    });
    await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
    daemon.untilLogged(/8 simulated lines/);
  } finally {
    sh(`umount -l ${folder}; umount -l /tmp/up`);
  }
});
