/**
 * `wait`: until a property is what it is to be.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Daemons, Property } from "../daemons.ts";
import { TimedOut } from "../endings.ts";
import { Hold } from "../hold.ts";
import { putJson } from "../output.ts";
import { readTime, showTime } from "../quantities.ts";
import { readValue, showValue, splitAssignment } from "../values.ts";
import type { Verb } from "../verb.ts";

/** A property has a value from a time on, in milliseconds since 1970. */
interface Seen {
  readonly value: unknown;
  readonly time: number;
}

/** The clock that events are told by. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

function optionalTime(option: string, value: string | true | undefined): number | undefined {
  return value === undefined ? undefined : readTime(option, `${value}`);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What a property is, from one change to the next. */
class Watched {
  readonly #daemons: Daemons;
  readonly #property: Property;

  constructor(daemons: Daemons, property: Property) {
    this.#daemons = daemons;
    this.#property = property;
    const { daemon, thing } = property;
    daemon.client.call("subscribe", { things: [thing.name] });
  }

  now(): Seen {
    const [value] = this.#daemons.get([this.#property]);
    return { value, time: clock() };
  }

  /** What it has become within that time, in milliseconds, or in less. */
  changes(timeout: number | undefined): Seen[] {
    return this.#daemons.events(timeout).flatMap(({ event }) => {
      if (event.kind === "missed") return [this.now()];
      if (event.kind !== "property" || event.name !== this.#property.name) return [];
      return [{ value: event.value, time: event.time * 1000 }];
    });
  }
}

export const wait: Verb = {
  name: "wait",
  operands: "NAME=VALUE",
  least: 1,
  most: 1,
  help: "wait until a property is VALUE",
  details: "With --for, until it has been that for a time without a break. When the time of " +
    "--timeout is up, the exit status is 124, and what was seen instead is told.",
  options: ["timeout", "for"],
  prepare: ({ operands: [operand], options, json }) => {
    const { name, value: text } = splitAssignment(operand);
    const timeout = optionalTime("timeout", options.timeout);
    const duration = optionalTime("for", options.for) ?? 0;
    if (timeout !== undefined && timeout < duration) {
      throw new UsageError(
        `option '--timeout' has the value '${options.timeout}', which is less than that of ` +
          `'--for': ${options.for}; wait for longer`,
      );
    }
    return (daemons) => {
      const begin = clock();
      const property = daemons.property(name);
      const wanted = readValue(name, property.property, text);
      const watched = new Watched(daemons, property);
      const hold = new Hold(duration);
      let { value, time } = watched.now();
      hold.see(same(value, wanted), time);
      for (let now = time; !hold.isDone(now); now = clock()) {
        const limit = timeout === undefined ? Infinity : begin + timeout - now;
        if (limit <= 0) return giveUp(property, value, hold.longest(now));
        const left = Math.min(limit, hold.left(now));
        for ({ value, time } of watched.changes(left === Infinity ? undefined : left)) {
          hold.see(same(value, wanted), time);
        }
      }
      if (json) putJson({ name, value: wanted, holds: true });
    };

    function giveUp({ property }: Property, value: unknown, longest: number | undefined): never {
      const shown = showValue(property, value);
      const seen = duration > 0 && longest !== undefined
        ? `${name}=${text} held for ${showTime(longest)} at most, and ${name} is now ${shown}`
        : `${name} is ${shown}, not ${text}`;
      if (json) putJson({ name, value: value ?? null, holds: false });
      throw new TimedOut(`after ${showTime(timeout!)}, ${seen}`);
    }
  },
};
