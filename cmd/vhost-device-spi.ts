/**
 * `vhost-device-spi`: a vhost-user back-end for virtio SPI.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { spi } from "../lib/spi/kind.ts";
import { startMain } from "../lib/program.ts";

/** The program. */
export const program = daemonOf(spi);

await startMain(program, import.meta);
