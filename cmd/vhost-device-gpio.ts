/**
 * `vhost-device-gpio`: a vhost-user back-end for virtio GPIO.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { gpio } from "../lib/gpio/kind.ts";
import { startMain } from "../lib/program.ts";

/** The program. */
export const program = daemonOf(gpio);

await startMain(program, import.meta);
