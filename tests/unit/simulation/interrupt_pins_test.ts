import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { clearEventfd, createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { type Change, Changes } from "../../../lib/simulation/changes.ts";
import type { PartModel } from "../../../lib/simulation/part.ts";
import { PartThing } from "../../../lib/simulation/part_thing.ts";
import type { Properties } from "../../../lib/simulation/property.ts";
import {
  contextOf,
  interruptsOf,
  Simulation,
  stateOf,
} from "../../../lib/simulation/simulation.ts";
import { Lock } from "../../../lib/threads/lock.ts";

const properties = {
  heat: { type: "integer", set: "running", from: 0, to: 255, help: "what it measures" },
  limits: { type: "bytes", set: "both", count: 1, what: "a limit", at: 1, help: "its limit" },
  hot: { type: "boolean", set: "never", interrupt: "active-low", help: "too hot" },
  cold: { type: "boolean", set: "never", interrupt: "active-high", help: "too cold" },
} as const satisfies Properties;

/** State: u8 heat, u8 limit, u8 1 if the pin for heat is active-high. */
const model: PartModel<typeof properties> = {
  name: "heater",
  help: "has two pins",
  properties,
  stateSize: () => 3,
  initialize: (_, state) => state.setUint8(0, 20),
  live: {
    heat: {
      get: (state) => state.getUint8(0),
      set: (state, value: number) => state.setUint8(0, value),
    },
    hot: {
      get: (state) => state.getUint8(0) > state.getUint8(1),
      active: (state) => state.getUint8(2) === 1 ? "active-high" : "active-low",
      due: (state) => 1000 + state.getUint8(0),
    },
    cold: { get: (state) => state.getUint8(0) < 10 },
  },
};

function fixture() {
  const simulation = new Simulation();
  const settings = { limits: [{ at: 0, bytes: [50] }] };
  const part = simulation.powerUp(model, { part: "heater", name: undefined, settings });
  const where = { name: "heater", place: "nowhere", guests: [0] };
  const log = getLogger(["test"]);
  const thing = new PartThing(model, part, where, [], new Lock(new SharedArrayBuffer(4)), log);
  // As another thread has them.
  const pins = interruptsOf(model, part)!;
  const eventfd = createEventfd();
  const wake = createEventfd();
  const listener = new Changes(part.changes).listen(eventfd)!;
  pins.wakeAt(wake);
  return {
    thing,
    pins,
    context: contextOf(model, part, log),
    state: stateOf(part),
    isWoken: () => clearEventfd(wake) === 8,
    /** The properties that have changed, each with what it is now. */
    changes() {
      const change = { property: 0, value: 0 } as Change;
      const found: [string, number][] = [];
      while (listener.next(change)) found.push([thing.propertyAt(change.property)!, change.value]);
      return found;
    },
    levels: () => pins.take().map(({ calls, level }) => [calls, level]),
    [Symbol.dispose]() {
      for (const fd of [eventfd, wake]) close(fd);
    },
  };
}

Deno.test("a pin at rest has the level at which it does not call, from the start", () => {
  using it = fixture();
  assertEquals(it.pins.take().map(({ name, calls, level }) => [name, calls, level]), [
    ["hot", false, 1],
    ["cold", false, 0],
  ]);
  assertEquals(it.thing.get("hot"), false);
});

Deno.test("whoever controls a part makes it call, and it is told once", () => {
  using it = fixture();
  it.thing.set("heat", 51);
  assertEquals(it.levels(), [[true, 0], [false, 0]]);
  assert(it.isWoken());
  assertEquals(it.changes(), [["heat", 51], ["hot", 1]]);
  it.thing.set("heat", 52);
  assert(!it.isWoken());
  assertEquals(it.changes(), [["heat", 52]]);
  assertEquals(it.thing.get("hot"), true);
  it.thing.set("heat", 3);
  assertEquals(it.levels(), [[false, 1], [true, 1]]);
  assertEquals(it.changes(), [["heat", 3], ["hot", 0], ["cold", 1]]);
});

Deno.test("so do bytes that are written from outside", () => {
  using it = fixture();
  it.thing.write("limits", 0, Uint8Array.of(19));
  assertEquals(it.levels(), [[true, 0], [false, 0]]);
  assert(it.isWoken());
});

Deno.test("what a guest does is seen when the pins are looked at", () => {
  using it = fixture();
  it.state.setUint8(1, 5);
  assertEquals(it.levels(), [[false, 1], [false, 0]]);
  it.pins.look();
  assertEquals(it.levels(), [[true, 0], [false, 0]]);
  assertEquals(it.changes(), [["hot", 1]]);
});

Deno.test("a level that the guest turns round is another one, whether the pin calls or not", () => {
  using it = fixture();
  it.state.setUint8(2, 1);
  it.pins.look();
  assertEquals(it.levels(), [[false, 0], [false, 0]]);
  assert(it.isWoken());
  assertEquals(it.changes(), []);
});

Deno.test("a pin says when it is to be looked at again", () => {
  using it = fixture();
  assertStrictEquals(it.pins.due, 1020);
});

Deno.test("whoever passes it on is woken where it is to be looked at sooner, not where later", () => {
  using it = fixture();
  it.state.setUint8(0, 30);
  it.pins.look();
  assert(!it.isWoken());
  it.state.setUint8(0, 25);
  it.pins.look();
  assert(it.isWoken());
  assertStrictEquals(it.pins.due, 1025);
});

Deno.test("what has changed is taken once, though it may be back to what it was", () => {
  using it = fixture();
  const changed = () => it.pins.take().map(({ changed }) => changed);
  changed();
  it.thing.set("heat", 51);
  it.thing.set("heat", 20);
  assertEquals(changed(), [true, false]);
  assertEquals(changed(), [false, false]);
  it.state.setUint8(2, 1);
  it.pins.look();
  assertEquals(changed(), [true, false]);
});

Deno.test("a part without pins has none to look at", () => {
  const simulation = new Simulation();
  const plain = { ...model, properties: {}, live: {} };
  const settings = {};
  const part = simulation.powerUp(plain, { part: "heater", name: undefined, settings });
  assertStrictEquals(interruptsOf(plain, part), undefined);
});
