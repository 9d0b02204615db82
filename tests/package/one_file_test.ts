/**
 * The executable that is all programs: which of them it is, and what each of them may do.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { FrontEnd } from "../support/front_end.ts";
import { isListening } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";
import { BIN, configuration, copyProject, run, succeed, TYPES } from "./build.ts";

const EXECUTABLE = `${BIN}/vhost-device`;

Deno.test("the first argument names the program, where no link does", async () => {
  for (const type of TYPES) {
    for (const name of [type, `vhost-device-${type}`]) {
      const version = await succeed(EXECUTABLE, [name, "--version"]);
      assertMatch(version, new RegExp(`^vhost-device-${type} \\d`));
    }
  }
  const help = await succeed(EXECUTABLE, ["--help"]);
  for (const type of TYPES) assertMatch(help, new RegExp(`^  ${type} +vhost-device-${type}$`, "m"));
  assertMatch(await succeed(EXECUTABLE, ["--version"]), /^vhost-device \d/);
});

Deno.test("where neither does, one line says what to do", async () => {
  for (const args of [[], ["nonsense"], ["-s", "/tmp/socket"]]) {
    const { code, stdout, stderr } = await run(EXECUTABLE, args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(
      stderr,
      /^vhost-device: [^\n]*; say vhost-device and one of [^\n]*\bgpio\b[^\n]*\n$/,
    );
    if (args.length > 0) assert(stderr.includes(`'${args[0]}'`), stderr);
  }
});

Deno.test("a daemon that the first argument names serves as one that a link names", async () => {
  using folder = new TemporaryFolder();
  const child = new Deno.Command(EXECUTABLE, {
    args: ["gpio", "-s", folder.file("socket"), "--config", configuration("gpio")],
    stdin: "null",
    stderr: "piped",
  }).spawn();
  try {
    const path = folder.file("socket0");
    until("the socket", () => isListening(path));
    using frontEnd = FrontEnd.connect(path);
    assert(frontEnd.getFeatures() > 0n);
  } finally {
    child.kill("SIGTERM");
  }
  const { code, stderr } = await child.output();
  assertStrictEquals(code, 0, new TextDecoder().decode(stderr));
});

/** What each of these comes to, for the log: `net: refused, run: refused`. */
const ATTEMPTS = `
export function attempts(): string {
  const all = {
    net: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
    run: () => new Deno.Command("true").outputSync(),
    variable: () => Deno.env.get("VHOST_DEVICE_TOOL"),
    host: () => Deno.hostname(),
  };
  return Object.entries(all).map(([name, attempt]) => {
    try {
      attempt();
      return name + ": done";
    } catch (error) {
      return name + ": " + (error instanceof Deno.errors.NotCapable ? "refused" : error);
    }
  }).join(", ");
}
`;

/** A daemon that tries what a daemon may not do, on its main thread and on a guest's. */
const PROBE = `
import { daemonOf } from "../lib/daemon/main.ts";
import { startMain } from "../lib/program.ts";
import { SimulatedChip } from "../lib/gpio/simulated/simulated_chip.ts";
import { RuntimeError } from "../lib/errors.ts";
import { attempts } from "../lib/attempts.ts";

export const program = daemonOf({
  program: "vhost-device-probe",
  type: "probe",
  summary: "tries what it may not do",
  options: [],
  configKeys: [],
  examples: [],
  plan: (_, log) => {
    log.info("main thread: " + attempts());
    return [{ settings: undefined, title: "nothing" }];
  },
  create: () => {
    throw new RuntimeError("guest's thread: " + attempts());
  },
  list: () => [],
});
await startMain(program, import.meta);
`;

/** A program that may do all that. */
const TOOL = `
import { startMain } from "../lib/program.ts";
import { attempts } from "../lib/attempts.ts";

export const program = {
  name: "vhost-device-tool",
  permissions: { net: true, run: true, env: ["VHOST_DEVICE_TOOL"], sys: ["hostname"] },
  run: async () => console.log(attempts()),
};
await startMain(program, import.meta);
`;

const REFUSED = "net: refused, run: refused, variable: refused, host: refused";

Deno.test("a daemon has no network and starts nothing, though its executable could", async (test) => {
  using folder = new TemporaryFolder();
  const project = folder.file("project");
  await copyProject(project);
  Deno.writeTextFileSync(`${project}/lib/attempts.ts`, ATTEMPTS);
  Deno.writeTextFileSync(`${project}/cmd/vhost-device-probe.ts`, PROBE);
  Deno.writeTextFileSync(`${project}/cmd/vhost-device-tool.ts`, TOOL);
  await succeed(`${project}/scripts/compile.sh`, [folder.file("bin"), "vhost-device"]);
  const executable = folder.file("bin/vhost-device");
  const probe = async (command: string, args: string[]) => {
    const { code, stderr } = await run(command, [...args, "-s", folder.file("socket")]);
    assertStrictEquals(code, 1, stderr);
    assertMatch(stderr, new RegExp(`main thread: ${REFUSED}$`, "m"));
    assertMatch(stderr, new RegExp(`guest's thread: ${REFUSED}$`, "m"));
  };

  await test.step("another program in the file can do all that", async () => {
    assertStrictEquals(
      (await succeed(executable, ["tool"])).trim(),
      "net: done, run: done, variable: done, host: done",
    );
  });
  await test.step("the daemon cannot, on no thread", () => probe(executable, ["probe"]));
  await test.step("nor can it from its sources, though it is allowed everything", async () => {
    const args = ["run", "--no-prompt", "--allow-all", `${project}/cmd/vhost-device-probe.ts`];
    const { stderr } = await run(Deno.execPath(), [...args, "-s", folder.file("socket")]);
    // Variables and what is asked of the system can be given up by name only.
    assertMatch(stderr, /main thread: net: refused, run: refused, /);
    assertMatch(stderr, /guest's thread: net: refused, run: refused, /);
  });
});
