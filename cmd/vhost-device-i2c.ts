/**
 * `vhost-device-i2c`: a vhost-user back-end for virtio I2C adapters.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { i2c } from "../lib/i2c/kind.ts";
import { startMain } from "../lib/program.ts";

/** The program. */
export const program = daemonOf(i2c);

await startMain(program, import.meta);
