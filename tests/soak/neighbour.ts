/**
 * A healthy guest beside hostile ones: a thread that asks, checks every answer, and measures how
 * long each took.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { GPIO, GpioGuest, IN, IRQ, OUT, VALID } from "../support/gpio_driver.ts";
import { FrontEnd } from "../support/front_end.ts";
import type { Guest } from "../support/guest.ts";
import { group, I2cGuest, OK, read, write } from "../support/i2c_driver.ts";
import { Random } from "../support/random.ts";
import { RESULT, SpiGuest } from "../support/spi_driver.ts";
import { pause } from "../support/wait.ts";
import type { Health } from "./figures.ts";

/** What the thread is told at first. */
export interface NeighbourData {
  readonly type: string;
  readonly socket: string;
  readonly seed: number;
  /** Not 0 once it has to end. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** A guest and what it asks, round by round. */
interface Asking {
  readonly guest: Guest;
  /** Asks a few things; throws where an answer is wrong. */
  round(random: Random): void;
}

const health: Health = { answers: 0, worst: 0, problems: [] };

/** One question, timed. */
function timed<T>(ask: () => T): T {
  const begin = performance.now();
  const answer = ask();
  health.worst = Math.max(health.worst, performance.now() - begin);
  health.answers++;
  return answer;
}

function same(what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  const [one, other] = [Array.from(got).join(), Array.from(expected).join()];
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

const askers: Readonly<Record<string, (frontEnd: FrontEnd) => Asking>> = {
  gpio(frontEnd) {
    const guest = new GpioGuest(frontEnd);
    return {
      guest,
      round(random) {
        const [line, value] = [random.below(4), random.below(2)];
        timed(() => guest.get(GPIO.SET_VALUE, line, value));
        timed(() => guest.get(GPIO.SET_DIRECTION, line, OUT));
        same("value", [timed(() => guest.get(GPIO.GET_VALUE, line))], [value]);
        same("direction", [timed(() => guest.get(GPIO.GET_DIRECTION, line))], [OUT]);
        // Nothing drives this one: it is low, and says so as soon as it may.
        timed(() => guest.get(GPIO.SET_DIRECTION, 5, IN));
        timed(() => guest.get(GPIO.SET_IRQ_TYPE, 5, IRQ.LOW));
        const event = timed(() => {
          guest.unmask(5);
          return guest.nextEvent();
        });
        same("interrupt", [event.line, event.status, event.length], [5, VALID, 1]);
        timed(() => guest.get(GPIO.SET_IRQ_TYPE, 5, IRQ.NONE));
      },
    };
  },
  i2c(frontEnd) {
    const guest = new I2cGuest(frontEnd);
    return {
      guest,
      round(random) {
        // One transaction: what others write to the chip comes before or after it.
        const first = random.below(200);
        const bytes = random.bytes(1 + random.below(32));
        const messages = group(
          write(0x50, first, ...bytes),
          write(0x50, first),
          read(0x50, bytes.length),
        );
        const outcomes = timed(() => guest.exchange(...messages));
        same("statuses", outcomes.map(({ status }) => status), [OK, OK, OK]);
        same("registers", outcomes[2].data, bytes);
      },
    };
  },
  spi(frontEnd) {
    const guest = new SpiGuest(frontEnd);
    return {
      guest,
      round(random) {
        const bytes = random.bytes(1 + random.below(64));
        const head = { chipSelect: random.below(2) };
        const { result, rx, used } = timed(() => guest.exchange(bytes, head));
        same("result", [result, used], [RESULT.OK, bytes.length + 1]);
        same("echo", rx, bytes);
      },
    };
  },
};

function run({ type, socket, seed, stop }: NeighbourData): void {
  const random = new Random(seed);
  let told = false;
  while (Atomics.load(stop, 0) === 0) {
    let asking: Asking | undefined;
    try {
      asking = askers[type](FrontEnd.connect(socket));
      while (Atomics.load(stop, 0) === 0) {
        asking.round(random);
        if (!told) self.postMessage("ready");
        told = true;
        pause(1);
      }
    } catch (error) {
      health.problems.push((error as Error).message);
      if (!told) self.postMessage("ready");
      told = true;
      pause(100);
    } finally {
      asking?.guest[Symbol.dispose]();
    }
  }
  self.postMessage(health);
}

self.onmessage = ({ data }: MessageEvent<NeighbourData>) => run(data);
