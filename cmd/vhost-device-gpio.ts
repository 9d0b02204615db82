/**
 * `vhost-device-gpio`: a vhost-user back-end for virtio GPIO.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { gpio } from "../lib/gpio/kind.ts";

/** The program. */
export const program = daemonOf(gpio);

if (import.meta.main) await program.run(import.meta.url);
