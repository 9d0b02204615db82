/**
 * What the program is, for its help and its manual.
 *
 * @module
 */

import metadata from "../../deno.json" with { type: "json" };

/** Its name. */
export const PROGRAM = "vhost-device-ctl";
/** The version of all programs. */
export const VERSION: string = metadata.version;
/** One line, without a full stop. */
export const SUMMARY = "look at what a vhost-device daemon simulates, change it, and wait for it";

/** Command lines, with what they do. */
export const examples = [
  { args: "-c /tmp/gpio.control info", remark: "what there is" },
  { args: "-c /tmp/gpio.control pulse button=1 --for 50ms", remark: "press a button" },
  {
    args: "-c /tmp/gpio.control wait relay=1 --timeout 5s --for 100ms",
    remark: "until the guest has switched the relay on, and left it on",
  },
  {
    args: "-c /tmp/gpio.control -c /tmp/i2c.control mon",
    remark: "all changes that guests of two daemons make",
  },
  {
    args: "-c /tmp/i2c.control set sensor.temperature=85",
    remark: "warm a sensor",
  },
  {
    args: "run relay.yaml --junit results.xml --keep logs",
    remark: "a whole test: daemons, a guest, and what has to come of it",
  },
  {
    args: "-c /tmp/gpio.control -c /tmp/i2c.control panel",
    remark: "a page with all that there is, live",
  },
] as const;
