import { assert, assertEquals, assertMatch } from "@std/assert";
import { landlockVersion } from "../../ffi/sandbox.ts";
import { Daemon } from "../support/daemon.ts";
import { Guest } from "../support/guest.ts";
import { moduleProgram } from "../support/module_program.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

/** What became of each attempt of the probe. */
async function probe(sandbox: "on" | "off"): Promise<Map<string, string>> {
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
  });
  using _guest = new Guest(daemon.connect());
  daemon.untilLogged(/probe file that is removed: [^]*probe file by a thread of the runtime: /);
  return new Map(
    [...daemon.log.matchAll(/probe (.*): (\w+)$/gm)].map(([, what, how]) => [what, how]),
  );
}

/** What the tests run on. */
const kernel = {
  landlock: landlockVersion() > 0,
  seccomp: /^Seccomp:/m.test(Deno.readTextFileSync("/proc/self/status")),
};

Deno.test("in the sandbox, an attacker is refused each of 50 things", async () => {
  assert(kernel.seccomp && kernel.landlock, "this kernel has no seccomp or no Landlock");
  const outcomes = await probe("on");
  assert(outcomes.size >= 50, `only ${outcomes.size} were tried`);
  const expected = (what: string) =>
    what === "clone3" ? "ENOSYS" : what.startsWith("file ") ? "EACCES" : "EPERM";
  const wrong = [...outcomes].filter(([what, how]) => how !== expected(what));
  assertEquals(wrong, []);
});

Deno.test("without the sandbox, most of them go through, or fail for another reason", async () => {
  const outcomes = await probe("off");
  const refused = [...outcomes.values()].filter((how) => how === "EPERM" || how === "EACCES");
  assert(refused.length < outcomes.size / 2, `${refused.length} were refused`);
  assertEquals(outcomes.get("file /etc/passwd"), "done");
  assertEquals(outcomes.get("file that is removed"), "done");
});

/** The lines of a thread's status that begin so. */
function status(pid: number, thread: number | string, ...names: string[]): string[] {
  const lines = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`).split("\n");
  return names.map((name) => lines.find((line) => line.startsWith(`${name}:`))!.split("\t")[1]);
}

Deno.test("all threads have the filter, and no capabilities", async () => {
  using folder = new TemporaryFolder();
  await using daemon = await Daemon.start(
    "vhost-device-gpio",
    ["-l", "s2:s2", "--control", folder.file("control")],
    { count: 2 },
  );
  // Whoever is served is so with all of it in place.
  daemon.untilLogged(/guest 1: 2 simulated lines at /);
  const { pid } = daemon;
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  assert(threads.length >= 4);
  for (const thread of threads) {
    assertEquals(status(pid, thread, "NoNewPrivs", "Seccomp"), ["1", "2"]);
    const capabilities = status(pid, thread, "CapEff", "CapPrm", "CapInh").map(Number);
    assertEquals(capabilities, [0, 0, 0], status(pid, thread, "Name")[0]);
  }
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
  daemon.untilLogged(/warn .*the sandbox has gaps on this kernel: .*system calls/);
  assertEquals(daemon.log.match(/sandbox/g)?.length, 1);
  assertMatch(daemon.log, /2 simulated lines at/);
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
