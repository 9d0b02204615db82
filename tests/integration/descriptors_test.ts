import { assert, assertEquals, assertMatch } from "@std/assert";
import { createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { Daemon } from "../support/daemon.ts";
import { fragileProgram } from "../support/module_program.ts";
import { FrontEnd } from "../support/front_end.ts";
import { Guest } from "../support/guest.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { assertRefused, run } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { pause } from "../support/wait.ts";
import { message, REQUEST, u64 } from "../support/wire.ts";

const PROGRAM = "vhost-device-fragile";
const scripts = new TemporaryFolder();
const executable = fragileProgram(scripts.file("fragile"));
globalThis.addEventListener("unload", () => scripts[Symbol.dispose]());

/** Few enough for one front-end to take them all, if it could. */
const FEW = 256;

function start(devices: string, limit: number): Promise<Daemon> {
  const count = devices.split(",").length;
  const prepare = `ulimit -n ${limit}`;
  return Daemon.start(PROGRAM, ["-l", devices], { program: executable, count, prepare });
}

function echoes(guest: Guest): void {
  assertEquals([...guest.request([1, 2, 3], 3).response], [1, 2, 3]);
}

/** Sends a message byte by byte, each with descriptors, until the back-end has had enough. */
function hoard(frontEnd: FrontEnd, bytes: Uint8Array, fds: readonly number[]): void {
  for (let at = 0; at < bytes.length - 1; at++) {
    try {
      frontEnd.sendBytes(bytes.subarray(at, at + 1), fds);
    } catch {
      return;
    }
    // The back-end is to take each of them by itself.
    pause(1);
  }
}

const messages: readonly (readonly [string, Uint8Array])[] = [
  ["half an unknown request", message(999, new Uint8Array(100))],
  ["half a header", message(999).subarray(0, 10)],
  ["half a memory table", message(REQUEST.SET_MEM_TABLE, new Uint8Array(8 + 32 * 3))],
  ["half a kick", message(REQUEST.SET_VRING_KICK, u64(0))],
];

Deno.test("V13 a front-end that hoards descriptors leaves the others theirs", async (t) => {
  await using daemon = await start("good,good", FEW);
  const fds = Array.from({ length: 20 }, () => createEventfd());
  for (const [what, bytes] of messages) {
    await t.step(what, () => {
      using hoarder = daemon.connect(0);
      hoard(hoarder, bytes, fds);
      // The neighbour comes only now, and takes all that a guest may need.
      using ram = new GuestRam(
        Array.from({ length: 32 }, (_, index) => ({
          guestAddress: (index + 1) * 0x10_0000,
          size: 0x10_0000,
        })),
      );
      using neighbour = new Guest(daemon.connect(1), { ram });
      echoes(neighbour);
    });
  }
  for (const fd of fds) close(fd);
  using next = new Guest(daemon.connect(0));
  echoes(next);
});

Deno.test("V13 a front-end that wants more than its share is told which limit that is", async () => {
  await using daemon = await start("good,good", FEW);
  const fds = Array.from({ length: 250 }, () => createEventfd());
  using frontEnd = daemon.connect();
  frontEnd.sendBytes(message(REQUEST.SET_MEM_TABLE, new Uint8Array(8 + 250 * 32)), fds);
  assert(frontEnd.isClosed());
  daemon.untilLogged(
    /front-end gone: a message comes with more than \d\d file descriptors, .*; raise its limit on/,
  );
  for (const fd of fds) close(fd);
});

Deno.test("V13 a daemon that may not open enough files for its guests says so at the start", async () => {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-l", Array(8).fill("good").join(",")];
  const outcome = await run(PROGRAM, args, { executable, prepare: `ulimit -n ${FEW}` });
  const value = /8 guests need \d+ open files, the limit is 256/.exec(outcome.stderr)?.[0];
  assert(value !== undefined, outcome.stderr);
  assertRefused(outcome, { program: PROGRAM, code: 1, value, remedy: "raise it" });
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("V13 neither front-end nor daemon suffers where no descriptor can be had at all", async () => {
  await using daemon = await start("good,good", 1024);
  const limit = (count: number) => {
    const args = ["--pid", `${daemon.pid}`, `--nofile=${count}:`];
    assert(new Deno.Command("prlimit", { args }).outputSync().success);
  };
  using served = new Guest(daemon.connect(1));
  echoes(served);
  const fds = daemon.fdCount();
  limit(3);
  using waiting = daemon.connect(0);
  daemon.untilLogged(/error guest 0: a front-end cannot be accepted yet: Too many open files\n/);
  const busy = daemon.processorTime();
  pause(500);
  assert(daemon.processorTime() - busy < 0.2, "the loop does not rest");
  assert(daemon.log.split("cannot be accepted").length < 30, "the log is flooded");
  echoes(served);
  limit(1024);
  using next = new Guest(waiting);
  echoes(next);
  echoes(served);
  // A connection, and three descriptors for each of two rings.
  assertEquals(daemon.fdCount(), fds + 7);
  assertMatch(daemon.log, /^(?!.*internal error)/s);
});

Deno.test("V13 with just as many open files as it asks for, all guests have all that they need", async () => {
  using folder = new TemporaryFolder();
  const control = ["--control", folder.file("control")];
  const args = ["-s", folder.file("socket"), "-l", "good,good,good", ...control];
  const options = { executable, prepare: `ulimit -n ${FEW / 2}` };
  const { stderr } = await run(PROGRAM, args, options);
  const needed = Number(/3 guests need (\d+) open files/.exec(stderr)?.[1]);
  assert(needed > FEW / 2, stderr);
  await using daemon = await Daemon.start(PROGRAM, ["-l", "good,good,good", ...control], {
    program: executable,
    count: 3,
    prepare: `ulimit -n ${needed}`,
  });
  using clients = new DisposableStack();
  for (let count = 0; count < 8; count++) clients.use(FrontEnd.connect(folder.file("control")));
  const guests = [0, 1, 2].map((index) => {
    // As many regions as a front-end may hand over with one message.
    const ram = clients.use(
      new GuestRam(
        Array.from({ length: 8 }, (_, region) => ({
          guestAddress: (region + 1) * 0x10_0000,
          size: 0x10_0000,
        })),
      ),
    );
    return clients.use(new Guest(daemon.connect(index), { ram }));
  });
  for (const guest of guests) echoes(guest);
  assertMatch(daemon.log, /^(?!.* error )/s);
});
