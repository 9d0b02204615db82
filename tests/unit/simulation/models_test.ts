import { assert, assertEquals } from "@std/assert";
import { lineDeclaration } from "../../../lib/gpio/simulated/line.ts";
import { i2cBus } from "../../../lib/i2c/simulated/simulated_adapter.ts";
import { i2cParts } from "../../../lib/i2c/simulated/parts.ts";
import { checkValue } from "../../../lib/simulation/check_value.ts";
import type { PartModel } from "../../../lib/simulation/part.ts";
import { isSetAtStart, isSetWhileRunning, type Value } from "../../../lib/simulation/property.ts";
import { readSettings } from "../../../lib/simulation/read_settings.ts";
import { Simulation, stateOf } from "../../../lib/simulation/simulation.ts";
import { spiParts } from "../../../lib/spi/simulated/parts.ts";

const models: readonly PartModel[] = [i2cBus, ...i2cParts.models, ...spiParts.models];
/** Keys that buses have for all parts. */
const TAKEN = ["part", "name", "address", "ten-bit", "chip-select"];

for (const model of models) {
  const { name, properties, live = {}, backing } = model;
  const settings = readSettings(properties, {});

  Deno.test(`${name}: its declaration agrees with itself`, () => {
    assert(!/\.$/.test(model.help) && model.help !== "");
    for (const [key, property] of Object.entries(properties)) {
      assert(/^[a-z][a-z0-9-]*$/.test(key), key);
      assert(!TAKEN.includes(key), `${key} is a key of all parts`);
      assert(!/\.$/.test(property.help) && property.help !== "", key);
      for (const other of property.excludes ?? []) assert(other in properties, other);
      if (property.setWhile !== undefined) {
        const { property: decisive, bit } = property.setWhile;
        assert(properties[decisive].set === "never", `${key}: '${decisive}' is not only read`);
        assertEquals(properties[decisive].type === "integer", bit !== undefined, key);
      }
      if (property.type === "bytes" || property.type === "numbers") continue;
      if (property.type === "boolean" && property.interrupt !== undefined) {
        assertEquals(property.set, "never", `${key} is a pin, and can be set`);
      }
      if (property.default !== undefined) {
        assert(isSetAtStart(property), `${key} has a default, and cannot be set at the start`);
        checkValue(property, property.default, settings);
      }
    }
    for (const key of Object.keys(live)) assert(key in properties, key);
    if (backing === undefined) return;
    assertEquals(properties[backing.file].type, "path");
    assertEquals(properties[backing.contents].type, "bytes");
    if (backing.readOnly !== undefined) assertEquals(properties[backing.readOnly].type, "boolean");
  });

  Deno.test(`${name}: what can be read and set while guests run can be`, () => {
    const simulation = new Simulation();
    const part = simulation.powerUp(model, { part: name, name: undefined, settings });
    const state = stateOf(part);
    for (const [key, property] of Object.entries(properties)) {
      if (property.type === "bytes") continue;
      const access = live[key];
      if (isSetWhileRunning(property)) assert(access?.set !== undefined, `${key} cannot be set`);
      if (property.set === "never") {
        assert(access !== undefined, `${key} cannot be read`);
        assert(access.set === undefined, `${key} can be set`);
      }
      if (access === undefined) continue;
      // A clock is something else by the time that it is looked at again.
      if (property.type === "time") continue;
      const now = access.get(state, settings);
      if (now !== undefined) assertEquals(checkValue(property, now, settings), now, key);
      if (property.set === "both" || property.set === "start") {
        const first = (settings as Record<string, Value>)[key];
        if (first !== undefined) assertEquals(now, first, `${key} is not what it starts with`);
      }
      access.set?.(state, now as never, settings);
      assertEquals(access.get(state, settings), now);
    }
  });
}

Deno.test("no kind of thing has the name of another on its bus", () => {
  for (const list of [i2cParts.models, spiParts.models]) {
    assertEquals(new Set(list.map(({ name }) => name)).size, list.length);
  }
  assertEquals(lineDeclaration.name, "line");
});
