import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { command, Daemon, type DaemonOptions } from "../support/daemon.ts";
import { Random } from "../support/random.ts";
import { encodeHead, RESULT, SpiGuest } from "../support/spi_driver.ts";
import { voluntarySwitches } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { PATIENCE, pause, SLOWNESS, until } from "../support/wait.ts";

const PROGRAM = "vhost-device-spi";
const READ = 0x80;

const registers = `
guests:
  - simulated:
      parts: [{ part: loopback }, { part: registers, values: { 0x0f: 0x33 } }]
# Nothing here is to depend on how fast this machine is.
message-timeout-us: 1000000
`;

/** Starts a daemon with a configuration file, from its text. */
async function withConfig(
  config: string,
  use: (daemon: Daemon, folder: TemporaryFolder) => void | Promise<void>,
  options: DaemonOptions = {},
): Promise<void> {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(file, config.replaceAll("@FOLDER@", folder.path));
  await using daemon = await Daemon.start(PROGRAM, ["--config", file], options);
  await use(daemon, folder);
  assertNotMatch(daemon.log, /internal error/);
}

/** Runs the program, which has to end by itself. */
async function run(args: readonly string[]) {
  const [program, ...rest] = [...command(PROGRAM), ...args];
  const { code, stdout, stderr } = await new Deno.Command(program, { args: rest }).output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout), error: text.decode(stderr) };
}

const refused: [what: string, args: string[], code: number, message: RegExp][] = [
  ["no device", [], 2, /no device is named; say what guests get with --device, for example/],
  ["an empty device", ["-l", ""], 2, /has an empty value/],
  ["no loopbacks", ["-l", "s0"], 2, /0 chip selects, a controller has 1 to 255/],
  ["a bare name", ["-l", "spidev0.0"], 2, /did you mean '\/dev\/spidev0\.0'\?/],
  ["nodes of two buses", ["-l", "/dev/spidev0.0,/dev/spidev1.0"], 2, /nodes of one bus/],
  ["a node twice", ["-l", "/dev/spidev0.0,/dev/spidev0.0"], 2, /is given twice/],
  ["a node that is not there", ["-l", "/dev/spidev99.0"], 1, /this host has no SPI bus 99/],
  ["a path that is no node", ["-l", "/dev/not-there"], 1, /'\/dev\/not-there' does not exist/],
  ["a node of another kind", ["-l", "/dev/null"], 1, /'\/dev\/null' is not a spidev node/],
  ["a regular file", ["-l", "/etc/passwd"], 1, /'\/etc\/passwd' is not a spidev node/],
  ["a folder", ["-l", "/tmp"], 1, /'\/tmp'/],
];

for (const [what, args, code, message] of refused) {
  Deno.test(`${what}: one line that says what to do, and exit code ${code}`, async () => {
    using folder = new TemporaryFolder();
    const outcome = await run(["-s", folder.file("socket"), ...args]);
    assertMatch(outcome.error, message);
    assertMatch(outcome.error, /^vhost-device-spi: .*\n$/);
    assertStrictEquals(outcome.code, code);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  });
}

Deno.test("the back-end's capabilities are those of SPI", async () => {
  const { code, output } = await run(["--print-capabilities"]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(output).type, "spi");
});

Deno.test("the reference's command line works as it is", async () => {
  using folder = new TemporaryFolder();
  const args = [`--socket-path=${folder.file("vspi.sock")}`, "--socket-count=1", "--device", "s1"];
  await using daemon = await Daemon.start(PROGRAM, args, { socketOption: false });
  daemon.untilLogged(/guest 0: 1 simulated chip select: loopback at .*vspi\.sock0/);
});

Deno.test("all guests get the controller that --device names", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s2"], { count: 3 });
  for (const index of [0, 1, 2]) {
    using guest = new SpiGuest(daemon.connect(index));
    assertEquals(guest.exchange([index], { chipSelect: 1 }).rx, [index]);
  }
});

Deno.test("commands and answers of guests that share a chip never mix", () =>
  withConfig(registers, (daemon) => {
    const guests = [0, 1, 2].map((index) => new SpiGuest(daemon.connect(index)));
    const random = new Random(4);
    const head = { chipSelect: 1 };
    for (let round = 0; round < 100; round++) {
      const values = guests.map((guest, index) => {
        const value = random.below(256);
        guest.transfer(head, { tx: [0x20 + index, value] });
        return value;
      });
      // All ask at the same time; the first to come keeps the chip until it has had its answer.
      const answers = guests.map((): number[] => []);
      const pending = guests.map((guest, index) => {
        const request = new Uint8Array(33);
        request.set(encodeHead(head));
        request[32] = READ | (0x20 + index);
        guest.queues[0].submit(guest.segments(request, 1));
        return index;
      });
      while (pending.length > 0) {
        const at = pending.findIndex((index) => guests[index].queues[0].hasUsed());
        if (at < 0) continue;
        const [index] = pending.splice(at, 1);
        guests[index].queues[0].waitUsed(guests[index].frontEnd);
        answers[index] = guests[index].transfer(head, { rx: 1 }).rx;
      }
      assertEquals(answers.flat(), values);
    }
    for (const guest of guests) guest[Symbol.dispose]();
  }, { count: 3 }));

/** Submits a transfer without data that takes so long. */
function submitPause(guest: SpiGuest, milliseconds: number): void {
  guest.queues[0].submit(guest.segments(encodeHead({ setup: milliseconds * 1e6 }), 1));
}

Deno.test("waiting for the bus takes no time on the processor", () =>
  withConfig("guests: [simulated: 1]\nmax-transfer-ms: 60000\n", (daemon) => {
    using one = new SpiGuest(daemon.connect(0));
    using other = new SpiGuest(daemon.connect(1));
    // A transfer of 30 s.
    const request = new Uint8Array(32 + 3750);
    request.set(encodeHead({ frequency: 1000 }));
    one.queues[0].submit(one.segments(request, 1));
    const isDone = () => {
      submitPause(other, 0);
      for (let tries = 0; tries < 30 * SLOWNESS; tries++) {
        if (other.queues[0].takeUsed() !== undefined) return true;
        pause(10);
      }
      return false;
    };
    // The first guest's thread may be the later one.
    while (isDone());
    const before = voluntarySwitches(daemon.pid);
    pause(500);
    const switches = voluntarySwitches(daemon.pid) - before;
    assert(switches < 100, `${switches} times awake`);
    assert(!other.queues[0].hasUsed());
    one.frontEnd.close();
    other.queues[0].waitUsed(other.frontEnd);
  }, { count: 2 }));

/** Submits as many transfers at once, each with so long a delay. */
function submitMany(guest: SpiGuest, count: number, milliseconds: number): void {
  const [queue] = guest.queues;
  const segments = guest.segments(encodeHead({ setup: milliseconds * 1e6 }), 1);
  queue.offer(...Array.from({ length: count }, () => queue.place(segments)));
  queue.kick();
}

/** How many of a guest's transfers are done. */
function doneOf({ queues: [queue] }: SpiGuest): number {
  return (queue.usedIndexOfDevice - queue.usedIndex) & 0xffff;
}

Deno.test("guests take turns by time: short transfers do not wait for a long one each", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"], { count: 2 });
  using long = new SpiGuest(daemon.connect(0), { size: 64 });
  using brief = new SpiGuest(daemon.connect(1));
  // A second and more would be refused.
  submitMany(long, 12, Math.min(150 * SLOWNESS, 900));
  until("the first long one is done", () => doneOf(long) > 0);
  const before = doneOf(long);
  submitMany(brief, 8, 0);
  until("the short ones are done", () => doneOf(brief) === 8);
  // By turns there would be 7 long ones between them.
  const between = doneOf(long) - before;
  assert(between <= 3, `${between} long ones came between`);
});

Deno.test("a guest whose turn takes too long does not keep the bus from others", () =>
  withConfig(`${registers}max-transfer-ms: 100\n`, (daemon) => {
    using one = new SpiGuest(daemon.connect(0));
    using other = new SpiGuest(daemon.connect(1));
    const head = { chipSelect: 1 };
    // A message that is never complete: a transfer without data goes on with it.
    one.transfer(head, { tx: [READ | 0x0f] });
    submitPause(other, 1);
    const begin = performance.now();
    while (!other.queues[0].hasUsed()) {
      assert(performance.now() - begin < PATIENCE, "it waits for ever");
      one.transfer({ ...head, setup: 50e6 }, {});
    }
    other.queues[0].waitUsed(other.frontEnd);
  }, { count: 2 }));

Deno.test("a daemon that is stopped in the middle of a transfer ends in time", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"]);
  using guest = new SpiGuest(daemon.connect(), { size: 64 });
  submitMany(guest, 10, 1000);
  guest.frontEnd.barrier();
  const { code, milliseconds } = await daemon.stop();
  assertEquals(code, 0);
  assert(milliseconds < 300 * SLOWNESS, `${milliseconds} ms`);
});

Deno.test("guests that leave in the middle of transfers leave nothing behind", () =>
  withConfig(registers, (daemon) => {
    const visit = () => {
      using guest = new SpiGuest(daemon.connect());
      assertEquals(guest.exchange([READ | 0x0f, 0], { chipSelect: 1 }).rx[1], 0x33);
    };
    const atRest = () => {
      visit();
      using frontEnd = daemon.connect();
      frontEnd.barrier();
      return daemon.fdCount();
    };
    const before = atRest();
    for (let round = 0; round < 50; round++) {
      using guest = new SpiGuest(daemon.connect());
      guest.transfer({ chipSelect: 1 }, { tx: [READ | 0x0f] });
      guest.queues[0].submit(guest.segments(encodeHead({ setup: 1e9 }), 1));
    }
    assertStrictEquals(atRest(), before);
  }));

const flash = `
guests:
  - simulated: { parts: [{ part: flash, file: "@FOLDER@/flash" }] }
`;

Deno.test("a flash keeps its contents in its file from one daemon to the next", async () => {
  using folder = new TemporaryFolder();
  const config = flash.replace("@FOLDER@", folder.path);
  await withConfig(config, (daemon) => {
    using guest = new SpiGuest(daemon.connect());
    guest.transfer({}, { tx: [0x06] });
    guest.transfer({}, { tx: [0x02, 0, 1, 0, 0x12, 0x34] });
  });
  assertEquals([...Deno.readFileSync(folder.file("flash")).subarray(0x100, 0x102)], [
    0x12,
    0x34,
  ]);
  await withConfig(config, (daemon) => {
    using guest = new SpiGuest(daemon.connect());
    assertEquals(guest.exchange([0x03, 0, 1, 0, 0, 0]).rx.slice(4), [0x12, 0x34]);
  });
});

Deno.test("the former key for the rest of a message is refused with the new one", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(file, "guests: [simulated: 1]\nchip-select-hold-us: 10\n");
  const { code, error } = await run(["-s", folder.file("socket"), "--config", file]);
  assertMatch(error, /spi\.yaml:2: .*'chip-select-hold-us' any more; write 'message-timeout-us'/);
  assertEquals(code, 2);
});

Deno.test("a flash whose file cannot be had: one line, and exit code 1", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(file, flash.replace("@FOLDER@", "/does/not/exist"));
  const { code, error } = await run(["-s", folder.file("socket"), "--config", file]);
  assertMatch(
    error,
    /^vhost-device-spi: flash file '\/does\/not\/exist\/flash' cannot be used: .*\n$/,
  );
  assertEquals(code, 1);
});

Deno.test("serving transfers sets off no garbage collection", async () => {
  const options = { v8Flags: ["--trace-gc"] };
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s1"], options);
  using guest = new SpiGuest(daemon.connect(), { size: 128 });
  const [queue] = guest.queues;
  const heads = Array.from({ length: 32 }, () => {
    const address = guest.ram.allocate(32 + 16 + 17);
    guest.ram.write(address, encodeHead({ frequency: 4_000_000_000 }));
    return queue.place([
      { address, length: 48 },
      { address: address + 48, length: 17, writable: true },
    ]);
  });
  const serve = (count: number) => {
    for (let done = 0; done < count; done += heads.length) {
      queue.offer(...heads);
      queue.kick();
      while (((queue.usedIndexOfDevice - queue.usedIndex) & 0xffff) < heads.length);
      queue.usedIndex = queue.usedIndexOfDevice;
    }
  };
  // Those of young objects; V8 looks at the old ones also when there is nothing to do.
  const collections = () => daemon.log.match(/ ms: Scav/g)?.length ?? 0;
  serve(200_000);
  const before = collections();
  serve(200_000);
  assertStrictEquals(collections(), before);
  assertStrictEquals(guest.exchange([1]).result, RESULT.OK);
});
