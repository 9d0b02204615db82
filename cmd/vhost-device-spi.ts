/**
 * `vhost-device-spi`: a vhost-user back-end for virtio SPI.
 *
 * @module
 */

import { daemonOf } from "../lib/daemon/main.ts";
import { spi } from "../lib/spi/kind.ts";

/** The program. */
export const program = daemonOf(spi);

if (import.meta.main) await program.run(import.meta.url);
