/**
 * A program's way from its arguments to its exit code.
 *
 * @module
 */

import { systemdDescriptors } from "./listeners.ts";
import type { DeviceKind } from "./device_kind.ts";
import { allOptions, helpText, versionText } from "./help.ts";
import { configureLog, getLog } from "./log.ts";
import { readArguments } from "./options.ts";
import { logSettings, readConfig, readSettings } from "./settings.ts";
import { supervise } from "./supervisor.ts";
import { RuntimeError, UsageError } from "./usage_error.ts";
import { runWorker } from "./worker.ts";

async function main<Settings>(kind: DeviceKind<Settings>, entry: string): Promise<void> {
  const options = readArguments(Deno.args, allOptions(kind));
  if (options.help) return console.log(helpText(kind));
  if (options.version) return console.log(versionText(kind));
  if (options["print-capabilities"]) {
    return console.log(JSON.stringify({ type: kind.type, features: [] }));
  }
  if (options.list) return kind.list().forEach((line) => console.log(line));
  const config = readConfig(kind, options);
  configureLog(kind.program, logSettings(options, config));
  const log = getLog(kind.program);
  const settings = readSettings(kind, options, config, systemdDescriptors(), log);
  await supervise(settings, entry, log);
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
): Promise<void> {
  if ("DedicatedWorkerGlobalScope" in globalThis) return runWorker(kind);
  try {
    await main(kind, entry);
    Deno.exit(0);
  } catch (error) {
    const expected = error instanceof UsageError || error instanceof RuntimeError;
    const text = expected ? error.message : `internal error: ${(error as Error).message}`;
    console.error(`${kind.program}: ${text}`);
    if (!expected && Deno.args.includes("--log-level=trace")) console.error(error);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
