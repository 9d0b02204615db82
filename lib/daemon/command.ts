/**
 * The main thread's way from the program's arguments to its exit code.
 *
 * @module
 */

import { systemdDescriptors } from "./listeners.ts";
import type { DeviceKind } from "./device_kind.ts";
import { allOptions, helpText, versionText } from "./help.ts";
import { configureLog, getLog, reportEnd } from "./log.ts";
import { needsNoThread } from "./memory_budget.ts";
import { readArguments } from "../input/arguments.ts";
import { isObserved, logSettings, readConfig, readSettings } from "./settings.ts";
import { RuntimeError, UsageError } from "../errors.ts";

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
  if (needsNoThread(settings.guests.length, isObserved(settings))) {
    const { serveAlone } = await import("./alone.ts");
    return serveAlone(kind, settings);
  }
  const { supervise } = await import("./supervisor.ts");
  await supervise(kind.program, settings, entry);
}

/** Runs the daemon to its end, and the process with it. */
export async function runMain<Settings>(
  kind: DeviceKind<Settings>,
  entry: string,
  args: readonly string[],
): Promise<never> {
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
