/**
 * A program of `cmd/`, whichever it is: what its module exports as `program`.
 *
 * @module
 */

import { keepOnly, type Permissions } from "./permissions.ts";

/** What a program is to the module that starts it. */
export interface Program {
  /** Its name, which is that of its module, too. */
  readonly name: string;
  /** All that it needs; the rest is given up before it runs. */
  readonly permissions: Permissions;
  /**
   * Runs it to its end, and the process with it.
   *
   * @param entry the `import.meta.url` of the module that the process was started with; the threads
   * are started with it as well
   * @param args the arguments
   */
  run(entry: string, args: readonly string[]): Promise<void>;
}

let started = false;

/** Starts a program in this process or thread, which runs one and no other. */
export async function start(
  program: Program,
  entry: string,
  args: readonly string[],
  granted?: Permissions,
): Promise<void> {
  started = true;
  keepOnly(program.permissions, granted);
  await program.run(entry, args);
}

/**
 * Says that the program is chosen elsewhere: the modules of programs that are loaded from now on
 * start nothing. Where all are in one file, each of them is the main module.
 */
export function chooseElsewhere(): void {
  started = true;
}

/** Starts the program if its module is the one that the process or thread was started with. */
export async function startMain(program: Program, module: ImportMeta): Promise<void> {
  if (module.main && !started) await start(program, module.url, Deno.args);
}
