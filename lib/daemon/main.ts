/**
 * A program's way from its arguments to its exit code.
 *
 * @module
 */

import { systemdDescriptors } from "./listeners.ts";
import type { DeviceKind } from "./device_kind.ts";
import { allOptions, helpText, versionText } from "./help.ts";
import { configureLog, getLog, reportEnd } from "./log.ts";
import { readArguments } from "../input/arguments.ts";
import { logSettings, readConfig, readSettings } from "./settings.ts";
import { supervise } from "./supervisor.ts";
import { RuntimeError, UsageError } from "../errors.ts";
import type { Permissions } from "../permissions.ts";
import type { Program } from "../program.ts";
import { runWorker } from "./worker.ts";

function print(text: string): void {
  try {
    console.log(text);
  } catch (error) {
    const { message } = error as Error;
    throw new RuntimeError(`standard output cannot be written: ${message}; redirect it elsewhere`);
  }
}

async function main<Settings>(
  kind: DeviceKind<Settings>,
  entry: string,
  args: readonly string[],
): Promise<void> {
  // "Other options and arguments should be ignored": vhost-user.rst, backend program conventions.
  if (args.includes("--print-capabilities")) {
    return print(JSON.stringify({ type: kind.type, features: [] }));
  }
  const options = readArguments(args, allOptions(kind));
  if (options.help) return print(helpText(kind));
  if (options.version) return print(versionText(kind));
  if (options.list) return kind.list().forEach(print);
  // Options alone may say so already: then what is wrong with the file is told in that form.
  configureLog(kind.program, logSettings(options, {}));
  const config = await readConfig(kind, options);
  configureLog(kind.program, logSettings(options, config));
  const log = getLog(kind.program);
  const settings = readSettings(kind, options, config, systemdDescriptors(), log);
  await supervise(kind.program, settings, entry);
}

/**
 * What a daemon needs. Sockets, configuration files and backing files may be anywhere. It needs no
 * network, for Unix sockets are made by way of C, and starts no other program.
 */
const PERMISSIONS: Permissions = {
  ffi: true,
  read: true,
  write: true,
  // Error messages name the user by number.
  sys: ["uid"],
  env: [
    // systemd
    "JOURNAL_STREAM",
    "LISTEN_FDS",
    "LISTEN_PID",
    // The package yaml looks for them.
    "LOG_STREAM",
    "LOG_TOKENS",
  ],
};

/** A program that serves a kind of device; what else there is in `cmd/` has no kind. */
export interface Daemon extends Program {
  readonly kind: DeviceKind<unknown>;
}

/** The program that serves a kind of device. */
export function daemonOf<Settings>(kind: DeviceKind<Settings>): Daemon {
  return {
    name: kind.program,
    permissions: PERMISSIONS,
    kind,
    run: (entry, args) => runDaemon(kind, entry, args),
  };
}

/**
 * Runs a daemon. The program's own module is also what its threads run: there, this call makes
 * the thread a guest's.
 *
 * @param entry the `import.meta.url` of the program's module
 */
export async function runDaemon<Settings>(
  kind: DeviceKind<Settings>,
  entry: string,
  args: readonly string[] = Deno.args,
): Promise<void> {
  if ("DedicatedWorkerGlobalScope" in globalThis) return runWorker(kind);
  try {
    await main(kind, entry, args);
    Deno.exit(0);
  } catch (error) {
    const { message, stack } = error as Error;
    const expected = error instanceof UsageError || error instanceof RuntimeError;
    if (!expected) getLog(kind.program).debug(`${stack}`);
    reportEnd(kind.program, expected ? message : `internal error: ${message}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
