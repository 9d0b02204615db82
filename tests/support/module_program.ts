/**
 * Programs that are no part of `cmd/`, started as if they were.
 *
 * @module
 */

/** Makes a script at `path` that runs a module, in place of one of the programs. */
export function moduleProgram(path: string, module: URL): string {
  const line = `exec '${Deno.execPath()}' run --quiet --allow-all '${module.pathname}' "$@"`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return path;
}

/** The daemon whose devices fail. */
export function fragileProgram(path: string): string {
  return moduleProgram(path, new URL("fragile_daemon.ts", import.meta.url));
}
