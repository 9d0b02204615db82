/**
 * Daemons with a control socket.
 *
 * @module
 */

import { ControlClient } from "./control_client.ts";
import { Daemon } from "./daemon.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** A daemon, and where control clients connect to it. */
export interface ControlDaemon extends AsyncDisposable {
  readonly daemon: Daemon;
  /** Of the control socket. */
  readonly path: string;
  connect(): Promise<ControlClient>;
}

/**
 * Starts one.
 *
 * @param kind of the device, for example `gpio`
 * @param config its configuration file
 * @param count of its guests
 */
export async function startControlled(
  kind: string,
  config: string,
  count = 1,
): Promise<ControlDaemon> {
  const folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("config.yaml"), config);
  const path = folder.file("control");
  const daemon = await Daemon.start(`vhost-device-${kind}`, [
    ...["--config", folder.file("config.yaml"), "--control", path],
  ], { count });
  return {
    daemon,
    path,
    connect: () => ControlClient.connect(path),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
