/**
 * A daemon on chips of the kernel and guests in front of it, all inside the guest that the tests
 * run in.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { Daemon, type DaemonOptions } from "../../support/daemon.ts";
import { GPIO, GpioGuest, VALID } from "../../support/gpio_driver.ts";
import type { GpioSim } from "../../support/gpio_sim.ts";
import { pause, until } from "../../support/wait.ts";

/** A daemon with a guest at each of its sockets. */
export class Served implements AsyncDisposable {
  readonly guests: GpioGuest[];

  constructor(readonly daemon: Daemon, count: number) {
    this.guests = Array.from(
      { length: count },
      (_, guest) => new GpioGuest(daemon.connect(guest), { size: 256 }),
    );
  }

  /** The first guest. */
  get guest(): GpioGuest {
    return this.guests[0];
  }

  /** Lets a guest go away, and waits until the daemon has noticed. */
  disconnect(guest = 0): void {
    const gone = () =>
      this.daemon.log.match(new RegExp(`guest ${guest}: .*gone`, "g"))?.length ?? 0;
    const before = gone();
    this.guests[guest][Symbol.dispose]();
    until("the guest is gone", () => gone() > before);
  }

  /** Lets a guest go away and come back. */
  reconnect(guest = 0): void {
    this.disconnect(guest);
    this.guests[guest] = new GpioGuest(this.daemon.connect(guest), { size: 256 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const guest of this.guests) guest[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
  }
}

/** Starts a daemon on a device list, with guests. */
export async function serve(
  list: string,
  count = 1,
  args: readonly string[] = [],
  options: DaemonOptions = {},
): Promise<Served> {
  const all = ["-l", list, ...args];
  return new Served(await Daemon.start("vhost-device-gpio", all, { ...options, count }), count);
}

/** Starts a daemon on the `guests` of a configuration file, with guests. */
export async function serveConfig(
  guests: string,
  count = 1,
  args: readonly string[] = [],
): Promise<Served> {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  Deno.writeTextFileSync(file, `guests:\n${guests}`);
  const daemon = await Daemon.start("vhost-device-gpio", ["--config", file, ...args], {
    count,
  });
  return new Served(daemon, count);
}

function run(program: string, ...args: string[]): string {
  const { stdout } = new Deno.Command(program, { args, stderr: "inherit" }).outputSync();
  return new TextDecoder().decode(stdout);
}

/** What gpioinfo tells of a line. */
export function lineInfo(chip: GpioSim, line: number): string {
  return run("gpioinfo", "-c", chip.name, `${line}`).trim();
}

/** Who has taken a line; empty for nobody. */
export function consumerOf(chip: GpioSim, line: number): string {
  return /consumer="?([^"\n]*)"?/.exec(lineInfo(chip, line))?.[1] ?? "";
}

/** Waits until nobody has a line. */
export function untilFree(chip: GpioSim, line: number): void {
  until(`line ${line} is free`, () => consumerOf(chip, line) === "");
}

/** Waits until a line has a level. */
export function untilLevel(chip: GpioSim, line: number, level: number): void {
  until(`line ${line} is ${level}`, () => chip.level(line) === level);
}

/** Another process that has a line as an input, until the end of the block. */
export function holdLine(
  chip: GpioSim,
  line: number,
  consumer: string,
): AsyncDisposable {
  const child = new Deno.Command("gpiomon", {
    args: ["-C", consumer, "-c", chip.name, `${line}`],
    stdout: "null",
  }).spawn();
  until("the line is taken", () => consumerOf(chip, line) === consumer);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      untilFree(chip, line);
    },
  };
}

/** How many interrupts the kernel has handled for the lines that the daemon watches. */
export function interrupts(): number {
  const lines = Deno.readTextFileSync("/proc/interrupts")
    .matchAll(/^ *\d+: +(\d+) .* vhost-device-gpio$/gm);
  return lines.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Lets the kernel sense an edge: in this guest it looks once per tick of its clock. */
export function tick(): void {
  pause(25);
}

/**
 * Gives everything that is under way the time to arrive: an edge through the kernel's thread to the
 * daemon, and an interrupt of the daemon to the guest.
 */
export function settle(guest: GpioGuest): void {
  for (let round = 0; round < 3; round++) {
    tick();
    guest.ask(GPIO.GET_DIRECTION);
  }
}

/** Waits for this many interrupts, and makes sure that there are no more. */
export function expectInterrupts(guest: GpioGuest, count: number): void {
  for (let index = 0; index < count; index++) assertStrictEquals(guest.nextEvent().status, VALID);
  settle(guest);
  assertEquals(guest.takeEvent(), undefined, "an interrupt too many");
}
