/**
 * `vhost-device-entropy`: a vhost-user back-end for virtio entropy, as an example of a device of
 * one's own.
 *
 *     deno run --allow-ffi --allow-read --allow-env examples/device/vhost-device-entropy.ts \
 *       --socket-path /tmp/entropy.sock
 *
 * @module
 */

import { daemonOf } from "../../lib/daemon/main.ts";
import { startMain } from "../../lib/program.ts";
import { entropy } from "./kind.ts";

/** The program. */
export const program = daemonOf(entropy);

await startMain(program, import.meta);
