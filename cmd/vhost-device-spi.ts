/**
 * `vhost-device-spi`: a vhost-user back-end for virtio SPI.
 *
 * @module
 */

import { runDaemon } from "../lib/daemon/main.ts";
import { spi } from "../lib/spi/kind.ts";

await runDaemon(spi, import.meta.url);
