/**
 * A compiled program that serves, with nothing around it that it might take for granted.
 *
 * @module
 */

import { assertEquals, assertNotMatch } from "@std/assert";
import { isListening } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

/** What Deno says where a permission is missing, and other things that no user is to see. */
export const NOT_FOR_USERS: RegExp =
  /NotCapable|Requires \w+ access|--allow-|internal error|\n +at |panick/;

/** A program that serves in a folder of its own, with folders that it might write to. */
export class Served implements AsyncDisposable {
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
