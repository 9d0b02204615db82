/**
 * `mon`: changes as they come.
 *
 * @module
 */

import type { ControlEvent } from "../../control/protocol.ts";
import type { ControlledDaemon, DaemonEvent, Daemons, Property } from "../daemons.ts";
import { showEvent, showMoment } from "../events.ts";
import { propertyName } from "../names.ts";
import { put, putJson } from "../output.ts";
import { readCount } from "../quantities.ts";
import { showValue } from "../values.ts";
import type { Verb } from "../verb.ts";

/** What of a daemon is shown. */
interface Wanted {
  /** All things if it is left out. */
  readonly things?: readonly string[];
  readonly isShown: (event: ControlEvent) => boolean;
}

/** Things, or single properties of them. */
function wantedOf(
  daemons: Daemons,
  operands: readonly string[],
): Map<ControlledDaemon, Wanted> {
  if (operands.length === 0) {
    return new Map(daemons.all.map((daemon) => [daemon, { isShown: () => true }]));
  }
  const wanted = new Map<ControlledDaemon, { things: string[]; names: Set<string> }>();
  for (const written of operands) {
    const { daemon, thing, names } = namesOf(daemons, written);
    const mine = wanted.get(daemon) ?? { things: [], names: new Set() };
    wanted.set(daemon, mine);
    mine.things.push(thing);
    for (const name of names) mine.names.add(name);
  }
  return new Map([...wanted].map(([daemon, { things, names }]) => [daemon, {
    things,
    isShown: (event) => event.kind === "property" ? names.has(event.name) : event.kind !== "guest",
  }]));
}

/** A thing, and the names of all of its properties that are meant. */
function namesOf(daemons: Daemons, written: string) {
  if (!daemons.hasThing(written)) {
    const { daemon, thing, name } = daemons.property(written);
    return { daemon, thing: thing.name, names: [name] };
  }
  const { daemon, thing } = daemons.thing(written);
  const names = thing.properties.map(({ name }) => propertyName(thing, name));
  return { daemon, thing: thing.name, names };
}

/** The properties of a daemon by its own names for them. */
function propertiesOf(daemon: ControlledDaemon): Map<string, Omit<Property, "written">> {
  return new Map(daemon.things.flatMap((thing) =>
    thing.properties.map((property) => {
      const name = propertyName(thing, property.name);
      return [name, { daemon, thing, property, name }];
    })
  ));
}

export const mon: Verb = {
  name: "mon",
  operands: "[NAME...]",
  least: 0,
  most: Infinity,
  help: "print changes as they come, a line each, until interrupted",
  details: "Of the things or properties named, or of all; then of guests that come and go, too. " +
    "Lines begin with the time, in UTC.",
  options: ["num-events", "transactions", "banner"],
  prepare: ({ operands, options, json }) => {
    const { "num-events": text } = options;
    let left = text === undefined ? Infinity : readCount("num-events", `${text}`, 1);
    const transactions = options.transactions === true;
    return (daemons) => {
      const wanted = wantedOf(daemons, operands);
      const properties = new Map(daemons.all.map((daemon) => [daemon, propertiesOf(daemon)]));
      for (const [{ client }, { things }] of wanted) {
        client.call("subscribe", { things, transactions });
      }
      if (options.banner) json ? putJson({ kind: "watching" }) : put("watching");
      while (left > 0) {
        for (const told of daemons.events()) {
          if (left === 0 || !wanted.get(told.daemon)?.isShown(told.event)) continue;
          left--;
          if (json) putJson(asJson(daemons, told));
          else put(asText(daemons, told, properties.get(told.daemon)!));
        }
      }
    };
  },
};

/** As the daemon tells it, and where there are several, which one it is. */
function asJson(daemons: Daemons, { daemon, event }: DaemonEvent): object {
  return daemons.all.length === 1 ? event : { daemon: daemon.label, ...event };
}

function asText(
  daemons: Daemons,
  { daemon, event }: DaemonEvent,
  properties: ReturnType<typeof propertiesOf>,
): string {
  const time = showMoment(event.time);
  const found = event.kind === "property" ? properties.get(event.name) : undefined;
  if (event.kind === "property" && found !== undefined) {
    const name = daemons.shown(found) + event.name.slice(found.thing.name.length);
    return `${time} ${showEvent(event, name, showValue(found.property, event.value))}`;
  }
  const whose = daemons.all.length === 1 ? "" : `${daemon.label}: `;
  return `${time} ${whose}${showEvent(event, "", "")}`;
}
