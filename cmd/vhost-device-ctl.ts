/**
 * `vhost-device-ctl`: looks at what the daemons simulate, changes it, and waits for it.
 *
 * @module
 */

import { ctl } from "../lib/ctl/main.ts";
import { startMain } from "../lib/program.ts";

/** The program. */
export const program = ctl;

await startMain(program, import.meta);
