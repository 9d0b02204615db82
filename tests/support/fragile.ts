/**
 * Starting the daemon whose devices fail.
 *
 * @module
 */

/** A script that runs it, in place of one of the programs. */
export function fragileProgram(path: string): string {
  const module = new URL("fragile_daemon.ts", import.meta.url).pathname;
  const line = `exec '${Deno.execPath()}' run --quiet --allow-all '${module}' "$@"`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return path;
}
