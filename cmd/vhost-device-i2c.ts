/**
 * `vhost-device-i2c`: a vhost-user back-end for virtio I2C adapters.
 *
 * @module
 */

import { runDaemon } from "../lib/daemon/main.ts";
import { i2c } from "../lib/i2c/kind.ts";

await runDaemon(i2c, import.meta.url);
