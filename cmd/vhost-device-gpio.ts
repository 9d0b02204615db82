/**
 * `vhost-device-gpio`: a vhost-user back-end for virtio GPIO.
 *
 * @module
 */

import { runDaemon } from "../lib/daemon/main.ts";
import { gpio } from "../lib/gpio/kind.ts";

await runDaemon(gpio, import.meta.url);
