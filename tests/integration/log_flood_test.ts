/** Whatever a guest or a front-end does again and again, the log stays small and tells how it ended. */

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest, gpioRequest, IN, OUT } from "../support/gpio_driver.ts";
import { until } from "../support/wait.ts";
import { message, PROTOCOL_REPLY_ACK, REQUEST, u32, u64 } from "../support/wire.ts";

const PROGRAM = "vhost-device-gpio";
/** How long each flood lasts, in milliseconds. */
const FLOOD = 1000;
/** What may be written at once and in that time. */
const LIMIT = 250_000;

/** Does something until the time is up, and at least often enough to matter. @returns how often */
function flood(act: (count: number) => void, least: number): number {
  const end = performance.now() + FLOOD;
  let count = 0;
  while (count < least || performance.now() < end) act(count++);
  return count;
}

/** How many changes of a line the log tells of. */
function changesOf(log: string, line: number): number {
  const lines = log.matchAll(
    new RegExp(
      `: line ${line} "dummy${line}": value ([01])(?: \\((\\d+) more changes of line ${line}, ` +
        `last value \\1\\))?\\n`,
      "g",
    ),
  );
  return [...lines].reduce((sum, [, , count]) => sum + Number(count ?? 1), 0);
}

/** How many front-ends came according to the log. */
function comings(log: string): number {
  return [...log.matchAll(/front-end connected(?: \(and (\d+) more)?/g)]
    .reduce((sum, [, more]) => sum + 1 + Number(more ?? 0), 0);
}

Deno.test("V17 a guest that toggles a line: every change is counted, and the last value is told", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  using guest = new GpioGuest(daemon.connect(), { size: 1024 });
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  const [queue] = guest.queues;
  queue.disableCalls();
  // A request to set and one to clear the line, over and over.
  const heads = [1, 0].map((value) => {
    const [request, response] = [guest.ram.allocate(8), guest.ram.allocate(2)];
    guest.ram.write(request, gpioRequest(GPIO.SET_VALUE, 0, value));
    return queue.place([
      { address: request, length: 8 },
      { address: response, length: 2, writable: true },
    ]);
  });
  const pairs = flood(() => {
    queue.offer(...heads);
    queue.kick();
    until("both are used", () => queue.usedIndexOfDevice === queue.availableIndex);
  }, 2000);
  queue.takeUsed();
  // By itself, and with nothing else to be told.
  until("the last value", () => changesOf(daemon.log, 0) === 2 * pairs);
  assertMatch(
    daemon.log,
    /line 0 "dummy0": value 0 \(\d+ more changes of line 0, last value 0\)\n$/,
  );
  assertLess(daemon.log.length, LIMIT);
  assertLess(daemon.log.split("\n").length, 200);
});

Deno.test("V17 a guest that toggles the direction of a line", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  using guest = new GpioGuest(daemon.connect());
  flood((count) => guest.get(GPIO.SET_DIRECTION, 3, count & 1 ? IN : OUT), 1000);
  guest.get(GPIO.SET_DIRECTION, 3, OUT);
  daemon.untilLogged(/direction output \(\d+ more changes of line 3's direction, last output\)\n/);
  assertLess(daemon.log.length, LIMIT);
});

Deno.test("V17 a front-end that sends requests that nobody knows, each another one", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  using frontEnd = daemon.connect();
  let first = 100_000;
  const ask = (count: number) => {
    frontEnd.sendBytes(message(first + count));
    if (count % 50 === 0) frontEnd.barrier();
  };
  // Until what does this is compiled.
  first += flood(ask, 5000);
  frontEnd.barrier();
  const memory = daemon.residentMemory();
  const count = flood(ask, 10_000);
  frontEnd.barrier();
  daemon.untilLogged(
    new RegExp(`unknown request ${first + count - 1} .* \\(and \\d+ more lines`),
  );
  assertLess(daemon.log.length, LIMIT);
  assertLess(daemon.residentMemory() - memory, 64e6);
});

Deno.test("V17 a front-end that sends requests that are refused", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  using frontEnd = daemon.connect();
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK);
  flood((count) => {
    assert(frontEnd.outcome(REQUEST.SET_VRING_NUM, u32(count, 3)) !== 0n);
  }, 1000);
  daemon.untilLogged(/SET_VRING_NUM refused: .* \(and \d+ more lines like this one, left out\)\n/);
  assertLess(daemon.log.length, LIMIT);
});

Deno.test("V17 front-ends that come and go, with something wrong each time", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  const count = flood((count) => {
    using frontEnd = FrontEnd.connect(daemon.socket());
    frontEnd.send(REQUEST.SET_VRING_KICK, u64(count & 0xff));
    assert(frontEnd.isClosed());
  }, 500);
  daemon.untilLogged(/front-end connected \(and \d+ more lines like this one, left out\)\n/);
  until("all of them are told of", () => comings(daemon.log) === count);
  assertLess(daemon.log.length, LIMIT);
});

Deno.test("V17 what was left out is told when the daemon ends, in JSON as well", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8", "--log-format", "json"]);
  using guest = new GpioGuest(daemon.connect());
  for (let count = 0; count < 512; count++) {
    guest.get(GPIO.SET_DIRECTION, 3, count & 1 ? IN : OUT);
  }
  await daemon.stop();
  const lines = daemon.log.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { time: _, ...sum } = lines[lines.length - 2];
  const { count } = sum;
  assert(count > 350 && count <= 412, `${count} changes`);
  assertEquals(sum, {
    level: "info",
    program: PROGRAM,
    guest: 0,
    message: `line 3 "dummy3": direction input (${count} more changes of line 3's direction, ` +
      "last input)",
    count,
  });
  assertMatch(lines[lines.length - 1].message, /^front-end gone/);
});

Deno.test("V17 nothing that was left out is lost where the daemon ends soon after", async () => {
  await using daemon = await Daemon.start(PROGRAM, ["-l", "s8"]);
  for (let count = 0; count < 150; count++) {
    using frontEnd = daemon.connect();
    frontEnd.barrier();
  }
  await daemon.stop();
  assertEquals(comings(daemon.log), 150);
});
