/**
 * The compiled programs: they serve, ask for nothing, and leave nothing behind.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { FrontEnd } from "../support/front_end.ts";
import { isListening } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";
import { BIN, configuration, filesOf, isRoot, ROOT, run, SHIPPED, TYPES } from "./build.ts";

/** What Deno says where a permission is missing, and other things that no user is to see. */
const NOT_FOR_USERS = /NotCapable|Requires \w+ access|--allow-|internal error|\n +at |panick/;

/** A program that serves in a folder of its own, with folders that it might write to. */
class Served implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(readonly socket: string, readonly folder: TemporaryFolder, args: string[]) {
    const [program, ...rest] = args;
    for (const name of ["home", "tmp", "here"]) Deno.mkdirSync(folder.file(name));
    this.#child = new Deno.Command(program, {
      args: rest,
      clearEnv: true,
      env: { HOME: folder.file("home"), TMPDIR: folder.file("tmp"), TERM: "xterm" },
      cwd: folder.file("here"),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /** @param wrapper a command that runs the program, with its arguments */
  static start(program: string, args: string[], wrapper: string[] = []): Served {
    const folder = new TemporaryFolder();
    const path = folder.file("socket");
    const served = new Served(`${path}0`, folder, [...wrapper, program, "-s", path, ...args]);
    until("the socket", () => isListening(served.socket));
    return served;
  }

  /** Ends it, and returns what it has printed. */
  async stop(): Promise<string> {
    this.#child.kill("SIGTERM");
    const { code, stderr } = await this.#child.output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 0, text);
    assertNotMatch(text, NOT_FOR_USERS);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    this.folder[Symbol.dispose]();
  }
}

for (const type of TYPES) {
  const program = `${SHIPPED}/vhost-device-${type}`;
  const simulated = ["--config", configuration(type)];

  for (
    const [what, file] of [["the program", program], [
      "the program by itself",
      `${BIN}/vhost-device-${type}`,
    ]]
  ) {
    Deno.test(`${type}: ${what} answers a front-end, and writes nothing but its socket`, async () => {
      await using served = Served.start(file, simulated);
      using frontEnd = FrontEnd.connect(served.socket);
      assert(frontEnd.getFeatures() > 0n);
      assertEquals(filesOf(served.folder.path), ["socket0"]);
      frontEnd[Symbol.dispose]();
      await served.stop();
      assertEquals(filesOf(served.folder.path), []);
    });
  }

  Deno.test(`${type}: the program takes the example configuration`, async () => {
    await using served = Served.start(program, ["--config", `${ROOT}/examples/${type}.yaml`]);
    using frontEnd = FrontEnd.connect(served.socket);
    assert(frontEnd.getFeatures() > 0n);
    await served.stop();
  });

  Deno.test(`${type}: the program needs no permission that it does not have`, async () => {
    using folder = new TemporaryFolder();
    Deno.writeTextFileSync(folder.file("file0"), "");
    const lines = [
      ["--help"],
      ["--version"],
      ["--list"],
      ["--print-capabilities"],
      ["--nonsense"],
      [],
      ["--config", "/nonexistent.yaml"],
      ["--config", "/proc/self/environ"],
      ["-s", "/nonexistent/socket", ...simulated],
      ["-s", folder.file("file"), ...simulated],
      ["-s", "/proc/socket", ...simulated],
      ["-s", folder.file("s"), "-l", "7"],
      ["-s", folder.file("s"), "-l", "7:8"],
      ["-s", folder.file("s"), "-l", "/dev/null"],
      ["--fd", "99", ...simulated],
    ];
    await Promise.all(lines.map(async (args) => {
      const { code, stdout, stderr } = await run(program, args, { clearEnv: true });
      const what = `${type} ${args.join(" ")}: ${code}\n${stderr}`;
      assertNotMatch(stdout + stderr, NOT_FOR_USERS, what);
      if (code !== 0) assertMatch(stderr, /^vhost-device-\w+: [^\n]+\n$/, what);
    }));
  });

  Deno.test({
    name: `${type}: without the right to make its socket the program says so`,
    ignore: !isRoot,
    async fn() {
      using folder = new TemporaryFolder();
      Deno.chmodSync(folder.path, 0o755);
      // A copy where everybody can reach it.
      const copy = folder.file(`vhost-device-${type}`);
      Deno.copyFileSync(program, copy);
      Deno.chmodSync(copy, 0o755);
      const { code, stderr } = await run(
        copy,
        ["-s", folder.file("socket"), ...simulated],
        { uid: 65534, gid: 65534, cwd: "/" },
      );
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^vhost-device-\w+: no permission to create socket [^\n]+ 65534[^\n]*\n$/,
      );
    },
  });
}

Deno.test("V13 a program raises its limit on open files as far as it may", async () => {
  const wrapper = ["/bin/sh", "-c", 'ulimit -Sn 64; exec "$@"', "sh"];
  const simulated = ["--config", configuration("gpio")];
  // With as many as that it would not even begin.
  await using served = Served.start(`${SHIPPED}/vhost-device-gpio`, simulated, wrapper);
  using frontEnd = FrontEnd.connect(served.socket);
  assert(frontEnd.getFeatures() > 0n);
  await served.stop();
});
