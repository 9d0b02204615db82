/**
 * The panel in front of daemons.
 *
 * @module
 */

import { RunningCtl } from "./ctl.ts";

/** It serves. */
export interface RunningPanel extends AsyncDisposable {
  /** Of its page, with the token. */
  readonly address: string;
  readonly ctl: RunningCtl;
}

/**
 * Starts it.
 *
 * @param sockets the daemons' control sockets
 */
export async function startPanel(
  sockets: readonly string[],
  ...options: string[]
): Promise<RunningPanel> {
  const ctl = new RunningCtl(["panel", ...sockets.flatMap((path) => ["-c", path]), ...options]);
  const address = await ctl.line();
  return { address, ctl, [Symbol.asyncDispose]: () => ctl[Symbol.asyncDispose]() };
}
