/**
 * A daemon's two sides: the main thread, and the thread of a guest.
 *
 * Each loads what it needs itself, and both do so at once: what is here is as little as can be.
 *
 * @module
 */

import type { DeviceKind } from "./device_kind.ts";
import type { Permissions } from "../permissions.ts";
import type { Program } from "../program.ts";
import { startEarly } from "./early_worker.ts";

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
  if ("DedicatedWorkerGlobalScope" in globalThis) {
    // Listened for at once: a message that nobody listens for is lost.
    self.onmessage = async ({ data }) => {
      const { runWorker } = await import("./worker.ts");
      await runWorker(kind, data);
    };
    // It is loaded while the main thread makes up its mind.
    await import("./worker.ts");
    return;
  }
  startEarly(entry, args);
  const { runMain } = await import("./command.ts");
  await runMain(kind, entry, args);
}
