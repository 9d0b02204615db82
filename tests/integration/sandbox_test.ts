import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { Guest } from "../support/guest.ts";
import { hasLandlock, hasSeccomp, lackOf } from "../support/kernel.ts";
import { moduleProgram } from "../support/module_program.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { listOf, WAYS } from "../support/ways.ts";

/** What became of each attempt of the probe. */
async function probe(sandbox: "on" | "off", count: number): Promise<Map<string, string>> {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("victim"), "");
  const module = new URL("../support/sandbox_probe.ts", import.meta.url);
  const program = moduleProgram(folder.file("program"), module);
  await using daemon = await Daemon.start("vhost-device-probe", [
    "-l",
    folder.path,
    "--sandbox",
    sandbox,
  ], {
    program,
    count,
  });
  using _guest = new Guest(daemon.connect());
  daemon.untilLogged(
    count === 1
      ? /probe file that is removed: /
      : /probe file that is removed: [^]*probe file by a thread of the runtime: /,
  );
  return new Map(
    [...daemon.log.matchAll(/probe (.*): (\w+)$/gm)].map(([, what, how]) => [what, how]),
  );
}

for (const [way, count] of WAYS) {
  Deno.test(`in the sandbox, an attacker is refused each of 50 things: a guest served ${way}`, async () => {
    assert(hasSeccomp && hasLandlock, "this kernel has no seccomp or no Landlock");
    const outcomes = await probe("on", count);
    assert(outcomes.size >= 50, `only ${outcomes.size} were tried`);
    const expected = (what: string) =>
      what === "clone3" ? "ENOSYS" : what.startsWith("file ") ? "EACCES" : "EPERM";
    const wrong = [...outcomes].filter(([what, how]) => how !== expected(what));
    assertEquals(wrong, []);
  });

  Deno.test(`without the sandbox, most of them go through, or fail for another reason: ${way}`, async () => {
    const outcomes = await probe("off", count);
    const refused = [...outcomes.values()].filter((how) => how === "EPERM" || how === "EACCES");
    assert(refused.length < outcomes.size / 2, `${refused.length} were refused`);
    assertEquals(outcomes.get("file /etc/passwd"), "done");
    assertEquals(outcomes.get("file that is removed"), "done");
  });
}

/** The lines of a thread's status that begin so. */
function status(pid: number, thread: number | string, ...names: string[]): string[] {
  const lines = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`).split("\n");
  return names.map((name) => lines.find((line) => line.startsWith(`${name}:`))!.split("\t")[1]);
}

/** SIGSTKFLT, as bit of a mask: how the runtime's threads are interrupted. */
const INTERRUPTION = 1n << 15n;

/** Starts a daemon, and waits until its guests are served: so they are with all in place. */
async function startConfined(count: number): Promise<Daemon> {
  const daemon = await Daemon.start("vhost-device-gpio", ["-l", listOf("s2", count)], { count });
  daemon.untilLogged(new RegExp(`guest ${count - 1}: 2 simulated lines at `));
  return daemon;
}

function threadsOf({ pid }: Daemon): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
}

for (const [way, count] of WAYS) {
  Deno.test(`no thread keeps capabilities or may gain any, but those that are told of: ${way}`, async () => {
    await using daemon = await startConfined(count);
    const { pid, wholeLog } = daemon;
    const deaf: string[] = [];
    const threads = threadsOf(daemon);
    assert(threads.length >= 4 + count - 1);
    for (const thread of threads) {
      const [blocked, ...kept] = status(pid, thread, "SigBlk", "CapEff", "CapPrm", "CapInh");
      // An emulator has a thread of its own, which takes no signals.
      if ((BigInt(`0x${blocked}`) & INTERRUPTION) !== 0n) {
        deaf.push(thread);
        continue;
      }
      assertEquals(kept.map(Number), [0, 0, 0], status(pid, thread, "Name")[0]);
      assertEquals(status(pid, thread, "NoNewPrivs"), ["1"]);
    }
    const told = /(\d+) of the runtime's threads keep capabilities/.exec(lackOf(wholeLog))?.[1];
    assertEquals(deaf.length, Number(told ?? 0));
  });

  Deno.test(`all threads have the filter: ${way}`, async () => {
    assert(hasSeccomp, "this kernel has no seccomp");
    await using daemon = await startConfined(count);
    for (const thread of threadsOf(daemon)) {
      assertEquals(status(daemon.pid, thread, "Seccomp"), ["2"]);
    }
  });
}

Deno.test("what this kernel lacks of the sandbox is told in one line, and guests are served", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s2"]);
  using guest = new GpioGuest(daemon.connect());
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 0);
  const { wholeLog } = daemon;
  const lack = lackOf(wholeLog);
  assertEquals(lack.includes("there is no Landlock"), !hasLandlock);
  assertEquals(lack.includes("all system calls stay in reach"), !hasSeccomp);
  assertEquals(lack === "", hasLandlock && hasSeccomp);
  assertEquals(wholeLog.match(/sandbox/g)?.length ?? 0, lack === "" ? 0 : 1);
});

Deno.test("--sandbox off: nothing is given up", async () => {
  const capabilities = status(Deno.pid, Deno.pid, "CapEff");
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s2", "--sandbox", "off"]);
  daemon.untilLogged(/guest 0: 2 simulated lines at /);
  assertEquals(status(daemon.pid, daemon.pid, "Seccomp", "NoNewPrivs"), ["0", "0"]);
  assertEquals(status(daemon.pid, daemon.pid, "CapEff"), capabilities);
});

Deno.test("sandbox: in the configuration file says the same", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("config.yaml"), "sandbox: off\nguests:\n  - simulated: 2\n");
  await using daemon = await Daemon.start("vhost-device-gpio", [
    ...["--config", folder.file("config.yaml")],
  ]);
  daemon.untilLogged(/guest 0: 2 simulated lines at /);
  assertEquals(status(daemon.pid, daemon.pid, "Seccomp"), ["0"]);
});

Deno.test("a kernel without a part of the sandbox is told of in one line, and guests are served", async () => {
  // A filter that does not let the daemon have one of its own stands in for such a kernel.
  using folder = new TemporaryFolder();
  const script = folder.file("without");
  Deno.writeTextFileSync(script, WITHOUT_SECCOMP, { mode: 0o755 });
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s2"], {
    wrapper: ["python3", script],
  });
  daemon.untilLogged(/2 simulated lines at/);
  const { wholeLog } = daemon;
  assertMatch(wholeLog, /warn .*the sandbox has gaps on this kernel: .*system calls/);
  assertEquals(wholeLog.match(/sandbox/g)?.length, 1);
});

/** Runs a command under a filter for which seccomp(2) and landlock(7) do not exist. */
const WITHOUT_SECCOMP = `
import ctypes, os, struct, sys
arch, seccomp = (0xc000003e, 317) if os.uname().machine == "x86_64" else (0xc00000b7, 277)
program = [(0x20, 0, 0, 4), (0x15, 0, 4, arch), (0x20, 0, 0, 0), (0x15, 1, 0, seccomp),
           (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("<HBBI", *one) for one in program)
buffer = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None, use_errno=True)
description = struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.syscall(seccomp, 1, 0, description) == 0
os.execvp(sys.argv[1], sys.argv[1:])
`;
