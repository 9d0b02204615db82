import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { command, Daemon } from "../support/daemon.ts";
import {
  ERR,
  F_ZERO_LENGTH_REQUEST,
  group,
  I2cGuest,
  OK,
  read,
  write,
} from "../support/i2c_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { pause, SLOWNESS, until } from "../support/wait.ts";

const SIMULATED = ["-l", "s:80:72"];

function statuses(outcomes: { status: number }[]): number[] {
  return outcomes.map(({ status }) => status);
}

/** Runs the program to its end. */
function run(...args: string[]): { code: number; output: string; error: string } {
  const [program, ...rest] = command("vhost-device-i2c");
  const { code, stdout, stderr } = new Deno.Command(program, {
    args: [...rest, ...args],
    stdin: "null",
  }).outputSync();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout), error: text.decode(stderr) };
}

/** What the program says when it gives up: one line after its name. */
function refusal(code: number, ...args: string[]): string {
  using folder = new TemporaryFolder();
  const result = run("-s", folder.file("socket"), ...args);
  assertStrictEquals(result.code, code, result.error);
  const match = /^vhost-device-i2c: ([^\n]+)\n$/.exec(result.error);
  assert(match !== null, result.error);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  return match[1];
}

Deno.test("i2c: a guest reads and writes a simulated EEPROM", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED);
  using guest = new I2cGuest(daemon.connect());
  assertStrictEquals(guest.write(0x50, 0x10, 1, 2, 3), OK);
  assertEquals(guest.writeRead(0x50, [0x10], 4), [1, 2, 3, 0xff]);
  assertEquals(statuses(guest.exchange(write(0x48), write(0x49))), [OK, ERR]);
});

Deno.test("i2c: what is served where is logged at start, and nothing per request", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED);
  using guest = new I2cGuest(daemon.connect());
  for (let address = 3; address < 0x78; address++) guest.exchange(write(address), read(address, 1));
  const served = /info .*guest 0: a simulated I2C adapter with 24c02 at 0x50, 24c02 at 0x48 at /;
  assertMatch(daemon.log, served);
  assertMatch(daemon.log, /I2C_F_ZERO_LENGTH_REQUEST/);
  assert(daemon.log.trim().split("\n").length < 12, daemon.log);
});

Deno.test("I8 all guests of a daemon share its adapters", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED, { count: 2 });
  using one = new I2cGuest(daemon.connect(0));
  using two = new I2cGuest(daemon.connect(1));
  assertStrictEquals(one.write(0x50, 0, 7), OK);
  assertEquals(two.writeRead(0x50, [0], 1), [7]);
});

Deno.test("I8 guests on one simulated bus never come between another's messages", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  const bytes = Array.from({ length: 128 }, (_, place) => place);
  // With time between the messages, nobody gets through by luck.
  const chip = `{ part: stretch, address: 0x22, microseconds: 300, ` +
    `values: { 0: [${bytes}] } }`;
  Deno.writeTextFileSync(file, `adapters: [{ simulated: { parts: [${chip}] } }]`);
  await using daemon = await Daemon.start("vhost-device-i2c", ["--config", file], { count: 2 });
  using one = new I2cGuest(daemon.connect(0));
  using two = new I2cGuest(daemon.connect(1));
  const guests = [one, two];
  // The place in the chip is moved by both: each read must start where its own write left it.
  for (let round = 0; round < 5; round++) {
    const pending = guests.map((guest, index) => {
      const places = Array.from({ length: 20 }, (_, n) => (round * 7 + n * 13 + index * 50) & 127);
      const messages = places.flatMap((place) => [
        { ...write(0x22, place), flags: 1 },
        read(0x22, 1),
      ]);
      return { places, offered: guest.offer(messages) };
    });
    guests.forEach((guest, index) => {
      const { places, offered } = pending[index];
      const got = guest.collect(offered).filter((_, n) => n % 2 === 1).map(({ data }) => data[0]);
      assertEquals(got, places);
    });
  }
});

Deno.test("i2c: the contents stay when a guest goes and comes back", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED);
  {
    using guest = new I2cGuest(daemon.connect());
    guest.write(0x50, 0, 0x42);
  }
  daemon.untilLogged(/front-end gone/);
  using guest = new I2cGuest(daemon.connect());
  assertEquals(guest.writeRead(0x50, [0], 1), [0x42]);
});

Deno.test("i2c: a guest that leaves in the middle of a transaction leaves nothing behind", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED);
  for (let round = 0; round < 3; round++) {
    using guest = new I2cGuest(daemon.connect());
    guest.offer([{ ...write(0x50, 0, 0x13), flags: 1 }]);
    guest.frontEnd.barrier();
  }
  using guest = new I2cGuest(daemon.connect());
  assertEquals(guest.writeRead(0x50, [0], 1), [0xff]);
});

Deno.test("i2c: a chip that stretches the clock does not keep the daemon from ending", async () => {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  const chips = "[{ part: stretch, address: 0x22, microseconds: 1000000 }]";
  Deno.writeTextFileSync(file, `adapters: [{ simulated: { parts: ${chips} } }]`);
  await using daemon = await Daemon.start("vhost-device-i2c", ["--config", file]);
  using guest = new I2cGuest(daemon.connect());
  guest.offer(group(...Array.from({ length: 10 }, () => write(0x22))));
  pause(50);
  const { code, milliseconds } = await daemon.stop();
  assertEquals(code, 0);
  assert(milliseconds < 500 * SLOWNESS, `${milliseconds} ms`);
});

/** A daemon with two guests on a bus with a chip at 0x22 that takes 50 ms for each message, or longer. */
async function withSlowChip(use: (daemon: Daemon, one: I2cGuest, two: I2cGuest) => unknown) {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  const chips = "{ part: stretch, address: 0x22, " +
    `microseconds: ${50_000 * SLOWNESS} }, ` +
    "{ part: registers, address: 0x30 }";
  Deno.writeTextFileSync(file, `adapters: [{ simulated: { parts: [${chips}] } }]`);
  await using daemon = await Daemon.start("vhost-device-i2c", ["--config", file], { count: 2 });
  using one = new I2cGuest(daemon.connect(0));
  using two = new I2cGuest(daemon.connect(1));
  await use(daemon, one, two);
}

/** Waits until all that a guest has offered was taken. */
function seen({ queues: [queue] }: I2cGuest): void {
  until("it is taken", () => queue.isTaken);
}

/** A transaction that keeps the bus for 2.1 s, or longer. */
const SLOW = group(...Array.from({ length: 42 }, () => read(0x22, 1)));

/** The longest of many round trips in milliseconds. */
function slowestAnswer(guests: readonly I2cGuest[], milliseconds: number): number {
  let slowest = 0;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    for (const { frontEnd } of guests) {
      const begin = performance.now();
      frontEnd.getFeatures();
      slowest = Math.max(slowest, performance.now() - begin);
    }
    pause(10);
  }
  return slowest;
}

Deno.test("I10 a chip that stretches the clock keeps no guest from its messages, and the next waits its turn", async () => {
  await withSlowChip((_, one, two) => {
    const slow = one.offer(SLOW);
    seen(one);
    const quick = two.offer([write(0x30, 0, 7), ...group(write(0x30, 0), read(0x30, 1))]);
    const slowest = slowestAnswer([one, two], 1000);
    assert(slowest < 200 * SLOWNESS, `${slowest} ms`);
    assert(!two.queues[0].hasUsed());
    assertEquals(new Set(statuses(one.collect(slow))), new Set([OK]));
    const outcomes = two.collect(quick);
    assertEquals(statuses(outcomes), [OK, OK, OK]);
    assertEquals(outcomes[2].data, [7]);
  });
});

Deno.test("I10 requests behind a slow transaction are answered after it, in order", async () => {
  await withSlowChip((_, one) => {
    const pending = one.offer([
      ...group(write(0x22, 3), read(0x22, 1)),
      write(0x30, 3, 5),
      ...group(write(0x30, 3), read(0x30, 1)),
      write(0x22, 3, 9),
      ...group(write(0x22, 3), read(0x22, 1)),
      read(0x33, 1),
      ...group(write(0x30, 3), read(0x30, 1)),
    ]);
    const outcomes = one.collect(pending);
    assertEquals(statuses(outcomes), [OK, OK, OK, OK, OK, OK, OK, OK, ERR, OK, OK]);
    assertEquals([1, 4, 7, 10].map((index) => outcomes[index].data), [[0], [5], [9], [5]]);
  });
});

Deno.test("I10 a guest that leaves in the middle of a slow transaction gives the bus back at once", async () => {
  await withSlowChip((_, one, two) => {
    one.offer(SLOW);
    seen(one);
    const quick = two.offer([write(0x30, 0, 7)]);
    pause(100);
    assert(!two.queues[0].hasUsed());
    const begin = performance.now();
    one[Symbol.dispose]();
    assertEquals(statuses(two.collect(quick)), [OK]);
    const milliseconds = performance.now() - begin;
    assert(milliseconds < 500 * SLOWNESS, `${milliseconds} ms`);
  });
});

Deno.test("I10 a guest that leaves while it waits for the bus is forgotten", async () => {
  await withSlowChip((daemon, one, two) => {
    const slow = one.offer(group(...Array.from({ length: 20 }, () => read(0x22, 1))));
    seen(one);
    two.offer([write(0x30, 0, 7)]);
    seen(two);
    two[Symbol.dispose]();
    daemon.untilLogged(/guest 1: front-end gone/);
    assertEquals(new Set(statuses(one.collect(slow))), new Set([OK]));
    assertEquals(one.writeRead(0x30, [0], 1), [0]);
    using again = new I2cGuest(daemon.connect(1));
    assertStrictEquals(again.write(0x30, 0, 9), OK);
  });
});

Deno.test("I10 a queue that stops in the middle of a slow transaction stops at once and loses nothing", async () => {
  await withSlowChip((_, one, two) => {
    const slow = one.offer([...SLOW, write(0x30, 1, 6)]);
    seen(one);
    const waiting = two.offer([write(0x30, 2, 5)]);
    seen(two);
    pause(300 * SLOWNESS);
    const begin = performance.now();
    // What was not begun is available again.
    assertEquals(two.frontEnd.getVringBase(0), 0);
    assertEquals(one.frontEnd.getVringBase(0), 42);
    const milliseconds = performance.now() - begin;
    assert(milliseconds < 200 * SLOWNESS, `${milliseconds} ms`);
    const outcomes = statuses(one.collect(slow.slice(0, 42)));
    const done = outcomes.indexOf(ERR);
    assert(done >= 1 && done < 42, `${done} are done`);
    assertEquals(new Set(outcomes.slice(done)), new Set([ERR]));
    for (const [guest, base] of [[one, 42], [two, 0]] as const) {
      guest.start(guest.queues[0], base);
      guest.frontEnd.setVringEnable(0, true);
    }
    assertEquals(statuses(two.collect(waiting)), [OK]);
    assertEquals(statuses(one.collect(slow.slice(42))), [OK]);
    assertEquals(one.writeRead(0x30, [1], 2), [6, 5]);
  });
});

Deno.test("I10 SIGTERM in the middle of a slow transaction ends the daemon in good order", async () => {
  // On a busy machine a thread may not run within the daemon's limit: once has to do.
  for (let round = 0, ended = false; !ended; round++) {
    await withSlowChip(async (daemon, one, two) => {
      one.offer(SLOW);
      seen(one);
      two.offer([write(0x30, 0, 7)]);
      seen(two);
      const { code, milliseconds } = await daemon.stop();
      assertEquals(code, 0);
      assert(milliseconds < 500 * SLOWNESS, `${milliseconds} ms`);
      ended = [0, 1].every((guest) =>
        daemon.log.includes(`guest ${guest}: front-end gone: the daemon stops`)
      );
      assert(ended || round < 3 * SLOWNESS, daemon.log);
    });
  }
});

Deno.test("i2c: requests cause no collection of garbage", async () => {
  const options = { v8Flags: ["--trace-gc"] };
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED, options);
  using guest = new I2cGuest(daemon.connect());
  const [queue] = guest.queues;
  // A write, and a read after a repeated start, always at the same place of guest memory.
  const buffer = (...bytes: number[]) => {
    const address = guest.ram.allocate(bytes.length);
    guest.ram.write(address, bytes);
    return { address, length: bytes.length };
  };
  const status = { ...buffer(ERR), writable: true };
  const data = { ...buffer(...new Array(16).fill(0)), writable: true };
  const group = [
    [buffer(0xa0, 0, 0, 0, 1, 0, 0, 0, 0x20), status],
    [buffer(0xa0, 0, 0, 0, 2, 0, 0, 0), data, status],
  ];
  const rounds = 4000;
  for (let round = 0; round < rounds; round++) {
    const heads = Array.from({ length: 200 }, (_, index) => queue.place(group[index % 2], true));
    queue.offer(...heads);
    queue.kick();
    for (const _ of heads) queue.waitUsed(guest.frontEnd);
  }
  assertStrictEquals(guest.ram.read(status.address, 1)[0], OK);
  // What V8 has to say of it is only complete once the daemon has ended.
  await daemon.stop();
  assertMatch(daemon.log, new RegExp(`${200 * rounds} requests were served`));
  const collections = daemon.log.match(/Scavenge|Mark-Compact/g)?.length ?? 0;
  assert(collections < 10, `${collections} collections, a few of them at the start`);
});

Deno.test("i2c: reserved addresses are served with a warning", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", ["-l", "s:0:2:3:0x77:0x78:127"]);
  const warned = [...daemon.log.matchAll(/warn .*address (0x\w+) is reserved/g)].map(([, it]) =>
    it
  );
  assertEquals(warned, ["0x00", "0x02", "0x78", "0x7f"]);
  using guest = new I2cGuest(daemon.connect());
  assertEquals(statuses(guest.exchange(write(0), write(127))), [OK, OK]);
});

Deno.test("i2c: a driver that does not take zero-length requests gets no service", async () => {
  await using daemon = await Daemon.start("vhost-device-i2c", SIMULATED);
  using frontEnd = daemon.connect();
  assert(frontEnd.getFeatures() & F_ZERO_LENGTH_REQUEST);
  assertThrows(() => new I2cGuest(frontEnd, { features: 0n }));
  daemon.untilLogged(/does not take I2C_F_ZERO_LENGTH_REQUEST/);
});

Deno.test("i2c: the long options of the reference are accepted", async () => {
  const args = ["--device-list", "s:80"];
  await using daemon = await Daemon.start("vhost-device-i2c", args);
  using guest = new I2cGuest(daemon.connect());
  assertEquals(statuses(guest.exchange(read(80, 1))), [OK]);
});

Deno.test("i2c: a command line without devices is refused with an example", () => {
  assertMatch(refusal(2), /no device is named.*-l 1:0x50/);
});

Deno.test("i2c: bad device lists are refused as wrong usage", () => {
  for (const list of ["1", "1:128", "s:80:80", "s:80,s:80", "1:80,1:81", ":80", "s:x", "s:80,"]) {
    assertMatch(refusal(2, "-l", list), new RegExp(`^device list '${list}': `));
  }
});

Deno.test("i2c: an adapter that this host does not have is a failure at run time", () => {
  assertMatch(refusal(1, "-l", "7654321:80"), /^there is no I2C adapter 7654321; this host has/);
  assertMatch(refusal(1, "-l", "no such bus:80"), /^no I2C adapter is called 'no such bus'; this/);
});

Deno.test("i2c: a configuration file that makes no sense is refused with its place", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  Deno.writeTextFileSync(file, "adapters:\n  - simulated:\n      chip: []\n");
  assertMatch(
    refusal(2, "--config", file),
    /i2c\.yaml:3: adapters\[0\]\.simulated: unknown key 'chip'/,
  );
});

Deno.test("i2c: an EEPROM file that cannot be made is a failure at run time", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("i2c.yaml");
  const chip = `{ part: 24c02, address: 80, file: ${folder.file("none/eeprom")} }`;
  Deno.writeTextFileSync(file, `adapters: [{ simulated: { parts: [${chip}] } }]`);
  assertMatch(refusal(1, "--config", file), /^24c02 file '.*none\/eeprom' cannot be/);
});

Deno.test("i2c: --list says what there is where there are no adapters", () => {
  const { code, output } = run("--list");
  assertEquals(code, 0);
  assertMatch(output, /^(This host has no I2C adapters\..*|\d+ ".*": .*)\n/);
});

Deno.test("i2c: --print-capabilities names the type", () => {
  assertEquals(JSON.parse(run("--print-capabilities").output).type, "i2c");
});

Deno.test("i2c: --help shows the device list", () => {
  assertMatch(run("--help").output, /-l, --device-list LIST .*BUS:ADDRESS/);
});
