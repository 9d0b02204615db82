/**
 * What clients of the control socket can ask for, by method.
 *
 * @module
 */

import { PropertyError } from "../simulation/check_value.ts";
import type { ControlConnection } from "./connection.ts";
import { findProperty, findThing, shownName } from "./names.ts";
import {
  booleanParam,
  bytesParam,
  ControlError,
  hexadecimal,
  integerParam,
  INVALID_PARAMS,
  MAX_RANGE,
  type Params,
  PROTOCOL_VERSION,
  textParam,
  textsParam,
  valuesParam,
} from "./protocol.ts";
import { type ControlWorld, LATER, type Reply } from "./world.ts";
import { Subscription } from "./subscription.ts";

/** The longest pulse in milliseconds. */
const MAX_PULSE = 3_600_000;
/** How often a fault may be told to strike. */
const MAX_COUNT = 1_000_000_000;

/** @returns the result, or LATER where it is handed to `reply` some time */
type Method = (
  world: ControlWorld,
  params: Params,
  connection: ControlConnection,
  reply: Reply,
) => unknown;

/** Properties that are being pulsed, of whatever client. */
const pulsed = new Set<string>();

function describe(world: ControlWorld) {
  const { program, version, things } = world;
  return {
    protocol: PROTOCOL_VERSION,
    program,
    version,
    guests: world.guests(),
    things: things.all.map((thing) => ({
      ...thing.describe(),
      name: things.shownName(thing),
      alias: thing.alias,
    })),
  };
}

function get({ things }: ControlWorld, params: Params) {
  const names = textsParam(params, "names");
  if (names === undefined) {
    throw new ControlError(INVALID_PARAMS, "'names': expected a list of texts, found nothing");
  }
  return Object.fromEntries(names.map((name) => {
    const { thing, property } = findProperty(things, name);
    return [name, thing.get(property)];
  }));
}

function set({ things }: ControlWorld, params: Params) {
  // All names are found before anything is set; values are checked one by one.
  const found = valuesParam(params, "values")
    .map(([name, value]) => ({ ...findProperty(things, name), value }));
  for (const { thing, property, value } of found) thing.set(property, value);
}

function pulse(world: ControlWorld, params: Params, _: ControlConnection, reply: Reply) {
  const { things } = world;
  const { thing, property } = findProperty(things, textParam(params, "name"));
  const duration = integerParam(params, "milliseconds", 1, MAX_PULSE);
  const before = thing.get(property);
  const value = params.value ?? (before === 0 || before === 1 ? 1 - before : undefined);
  const name = shownName(things, thing, property);
  if (value === undefined) {
    throw new ControlError(INVALID_PARAMS, `'value' is missing: what '${name}' is to be meanwhile`);
  }
  if (pulsed.has(name)) throw new PropertyError(`'${name}' is being pulsed; wait for its end`);
  thing.set(property, value);
  pulsed.add(name);
  world.after(duration, () => {
    pulsed.delete(name);
    reply(() => thing.set(property, before));
  });
  return LATER;
}

function inject({ things }: ControlWorld, params: Params) {
  const thing = findThing(things, textParam(params, "thing"));
  thing.inject(textParam(params, "fault"), integerParam(params, "count", 0, MAX_COUNT, 1));
}

function read({ things }: ControlWorld, params: Params) {
  const { thing, property } = findProperty(things, textParam(params, "name"));
  const at = integerParam(params, "at", 0, 2 ** 32, 0);
  const length = integerParam(params, "length", 0, MAX_RANGE);
  return { at, data: hexadecimal(thing.read(property, at, length)) };
}

function write({ things }: ControlWorld, params: Params) {
  const { thing, property } = findProperty(things, textParam(params, "name"));
  const bytes = bytesParam(params, "data");
  if (bytes.length > MAX_RANGE) {
    throw new ControlError(
      INVALID_PARAMS,
      `'data' has more than ${MAX_RANGE} bytes; write in parts`,
    );
  }
  thing.write(property, integerParam(params, "at", 0, 2 ** 32, 0), bytes);
}

function subscribe(world: ControlWorld, params: Params, connection: ControlConnection) {
  const names = textsParam(params, "things");
  const things = names && new Set(names.map((name) => findThing(world.things, name)));
  const transactions = booleanParam(params, "transactions");
  world.subscribe(new Subscription(connection, things, transactions));
}

function unsubscribe(world: ControlWorld, _params: Params, connection: ControlConnection) {
  world.unsubscribe(connection);
}

function serve(world: ControlWorld, params: Params, connection: ControlConnection) {
  const thing = findThing(world.things, textParam(params, "thing"));
  world.remotes.serve(connection, thing, params.properties ?? []);
}

function tell(world: ControlWorld, params: Params, connection: ControlConnection) {
  const thing = findThing(world.things, textParam(params, "thing"));
  world.remotes.tell(connection, thing, valuesParam(params, "values"));
}

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  describe,
  get,
  set,
  pulse,
  inject,
  read,
  write,
  subscribe,
  unsubscribe,
  serve,
  tell,
};
