/**
 * Tests of the GPIO daemon as a process. Whatever a test does to it, the daemon must serve the next
 * guest, have no descriptor left over and have met no error of its own.
 *
 * @module
 */

import { assertNotMatch, assertStrictEquals } from "@std/assert";
import { Daemon, type DaemonOptions } from "./daemon.ts";
import { GPIO, GpioGuest } from "./gpio_driver.ts";

/** What a GPIO daemon is started with. */
export interface GpioDaemonOptions extends DaemonOptions {
  readonly args?: readonly string[];
  /** A configuration file. */
  readonly config?: string;
}

/** A guest that is booted, asks the first line's direction and goes away. */
export function visit(daemon: Daemon, socket = 0): void {
  using guest = new GpioGuest(daemon.connect(socket));
  guest.get(GPIO.GET_DIRECTION, 0);
}

/**
 * The number of descriptors while each socket has a front-end that was answered: whoever came
 * before it has been taken down completely then.
 */
function fdsAtRest(daemon: Daemon, sockets: number): number {
  const frontEnds = Array.from({ length: sockets }, (_, socket) => {
    visit(daemon, socket);
    return daemon.connect(socket);
  });
  for (const frontEnd of frontEnds) frontEnd.barrier();
  const count = daemon.fdCount();
  for (const frontEnd of frontEnds) frontEnd.close();
  return count;
}

/** A test with a daemon of its own. */
export function gpioTest(
  name: string,
  run: (daemon: Daemon) => void | Promise<void>,
  { args = ["-l", "s8"], config, ...options }: GpioDaemonOptions = {},
): void {
  Deno.test(name, async () => {
    await using daemon = await start(args, config, options);
    const before = fdsAtRest(daemon, options.count ?? 1);
    await run(daemon);
    assertStrictEquals(fdsAtRest(daemon, options.count ?? 1), before, "descriptors are left over");
    assertNotMatch(daemon.log, /internal error/);
  });
}

async function start(
  args: readonly string[],
  config: string | undefined,
  options: DaemonOptions,
): Promise<Daemon> {
  if (config === undefined) return await Daemon.start("vhost-device-gpio", args, options);
  const file = Deno.makeTempFileSync({ prefix: "vhost-device-", suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(file, config);
    return await Daemon.start("vhost-device-gpio", ["--config", file], options);
  } finally {
    Deno.removeSync(file);
  }
}
