/**
 * `vhost-device-i2c`: a vhost-user back-end for virtio I2C adapters.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { i2c } from "../lib/i2c/kind.ts";

/** The program. */
export const program = daemonOf(i2c);

if (import.meta.main) await program.run(import.meta.url);
