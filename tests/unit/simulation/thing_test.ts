import { assert, assertEquals, assertMatch, assertStrictEquals, fail } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { clearEventfd, createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { readAdapters } from "../../../lib/i2c/config.ts";
import { I2cDevice } from "../../../lib/i2c/device.ts";
import { Messages } from "../../../lib/i2c/messages.ts";
import { ADDRESS_COUNT } from "../../../lib/i2c/protocol.ts";
import {
  i2cThings,
  powerUp,
  SimulatedAdapter,
} from "../../../lib/i2c/simulated/simulated_adapter.ts";
import { PropertyError } from "../../../lib/simulation/check_value.ts";
import { Changes, emptyChange } from "../../../lib/simulation/changes.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { Things } from "../../../lib/simulation/thing.ts";
import { Lock } from "../../../lib/threads/lock.ts";
import { ERR, I2cGuest, OK, read, write } from "../../support/i2c_driver.ts";
import { InProcess } from "../../support/in_process.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

const log = getLogger(["test"]);

/** A guest with parts, and somebody who controls them. */
function withParts(parts: string) {
  const [request] = readAdapters(
    ConfigNode.parse("test", `[{ simulated: { parts: [${parts}] } }]`),
  );
  assert(request.kind === "simulated");
  const simulation = new Simulation();
  const settings = powerUp(simulation, request, 2);
  const addresses = Array.from({ length: ADDRESS_COUNT }, (_, address) => address);
  const served = [{ adapter: new SimulatedAdapter(settings, 0, log), addresses }];
  const backEnd = new InProcess(new I2cDevice(served, new Messages(), log));
  const guest = new I2cGuest(backEnd.connect());
  const things = new Things(i2cThings(settings, "bus", [0, 1], log));
  return {
    guest,
    things,
    settings,
    simulation,
    [Symbol.dispose]() {
      guest[Symbol.dispose]();
      backEnd[Symbol.dispose]();
      simulation.close();
    },
  };
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof PropertyError, String(error));
    return error.message;
  }
  return fail("it was accepted");
}

Deno.test("things are listed with all that can be said of them, as JSON", () => {
  using it = withParts("{ part: lm75, address: 0x48, name: sensor }, { part: 24c16, address: 80 }");
  const described = it.things.all.map((thing) => JSON.parse(JSON.stringify(thing.describe())));
  assertEquals(described.map(({ name, part, place }) => [name, part, place]), [
    ["bus", "bus", "all of its parts"],
    ["sensor", "lm75", "address 0x48"],
    ["0x50", "24c16", "address 0x50"],
  ]);
  const [, sensor, eeprom] = described;
  assertEquals(sensor.guests, [0, 1]);
  assertEquals(sensor.faults, ["nak", "fail", "wrong"]);
  assertEquals(sensor.properties[0], {
    name: "temperature",
    type: "number",
    set: "both",
    what: "a temperature",
    from: -55,
    to: 125,
    step: 0.5,
    unit: "°C",
    default: 25,
    help: "what it measures",
  });
  assertEquals(eeprom.properties[0], {
    name: "contents",
    type: "bytes",
    set: "both",
    count: 2048,
    what: "a byte",
    fill: 255,
    help: "what it holds",
  });
});

Deno.test("what is set from outside is what the guest finds, and the other way round", () => {
  using it = withParts("{ part: lm75, address: 0x48, name: sensor }");
  const sensor = it.things.get("sensor");
  assert(it.things.get("0x48") === sensor && it.things.get("1/sensor") === sensor);
  assertEquals(sensor.get("temperature"), 25);
  sensor.set("temperature", 85.5);
  assertEquals(it.guest.writeRead(0x48, [0], 2), [85, 0x80]);
  sensor.set("temperature", 20.3);
  assertEquals(sensor.get("temperature"), 20.5);
  assertStrictEquals(it.guest.write(0x48, 3, 60, 0x80), OK);
  assertEquals(sensor.get("limit"), 60.5);
  assertStrictEquals(it.guest.write(0x48, 1, 1), OK);
  assertEquals(sensor.get("shutdown"), true);
  assertEquals(sensor.get("temperature-file"), undefined);
});

Deno.test("bytes are read and written by range, and kept", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("eeprom");
  using it = withParts(`{ part: 24c02, address: 80, file: "${file}" }`);
  const eeprom = it.things.get("0x50");
  eeprom.write("contents", 16, Uint8Array.of(1, 2, 3));
  assertEquals(it.guest.writeRead(80, [16], 3), [1, 2, 3]);
  assertEquals([...Deno.readFileSync(file).subarray(16, 19)], [1, 2, 3]);
  assertStrictEquals(it.guest.write(80, 17, 9), OK);
  assertEquals([...eeprom.read("contents", 15, 4)], [0xff, 1, 9, 3]);
  assertEquals(eeprom.read("contents", 0, 256).length, 256);
});

Deno.test("what cannot be read or set is refused, saying why", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("temperature");
  Deno.writeTextFileSync(file, "21");
  using it = withParts(
    `{ part: 24c02, address: 80 }, { part: lm75, address: 0x48, temperature-file: "${file}" }`,
  );
  const [eeprom, sensor] = [it.things.get("0x50"), it.things.get("0x48")];
  assertMatch(refusal(() => it.things.get("lid")), /^there is no 'lid'$/);
  assertMatch(
    refusal(() => eeprom.get("size")),
    /^'0x50' has no property 'size'; it has contents/,
  );
  assertMatch(refusal(() => eeprom.get("contents")), /has bytes: read a range of them/);
  assertMatch(refusal(() => eeprom.set("contents", 1)), /has bytes: write a range of them/);
  assertMatch(refusal(() => eeprom.set("busy", true)), /'0x50\.busy' can only be read/);
  assertMatch(refusal(() => eeprom.set("file", "x")), /can be set in the configuration file only/);
  assertMatch(refusal(() => eeprom.read("busy", 0, 1)), /has no bytes/);
  assertMatch(refusal(() => eeprom.read("contents", 255, 2)), /has 256 bytes, not 2 from 255 on/);
  assertMatch(refusal(() => eeprom.read("contents", -1, 2)), /has 256 bytes/);
  assertMatch(refusal(() => eeprom.write("contents", 256, Uint8Array.of(1))), /has 256 bytes/);
  assertEquals(
    refusal(() => sensor.set("temperature", 200)),
    "0x48.temperature: expected a temperature from -55 to 125 °C, found 200",
  );
  assertMatch(refusal(() => sensor.set("temperature", 20)), /it follows the file '.*temperature'/);
  assertMatch(refusal(() => eeprom.inject("smoke", 1)), /has no fault 'smoke'; it has nak, fail/);
});

Deno.test("names that things of several guests have are told apart by the guest", () => {
  using it = withParts("{ part: lm75, address: 0x48 }");
  using other = withParts("{ part: lm75, address: 0x48 }");
  const things = new Things([
    ...i2cThings(it.settings, "bus", [0], log),
    ...i2cThings(other.settings, "bus", [1], log),
  ]);
  assertEquals(
    refusal(() => things.get("0x48")),
    "there is more than one '0x48'; choose from 0/0x48, 1/0x48",
  );
  things.get("1/0x48").set("temperature", 99);
  assertEquals(other.guest.writeRead(0x48, [0], 1), [99]);
  assertEquals(it.guest.writeRead(0x48, [0], 1), [25]);
});

Deno.test("who listens is told of what guests and others change", () => {
  using it = withParts("{ part: lm75, address: 0x48 }, { part: registers, address: 0x20 }");
  const eventfd = createEventfd();
  const listener = new Changes(it.simulation.changes).listen(eventfd)!;
  it.things.get("0x48").set("temperature", 30);
  it.guest.write(0x48, 2, 50, 0);
  it.guest.write(0x20, 4, 1, 2, 3);
  const seen: unknown[] = [];
  const change = emptyChange();
  while (listener.next(change)) {
    const thing = it.things.all.find(({ number }) => number === change.thing)!;
    const name = thing.propertyAt(change.property);
    seen.push([thing.name, name, change.value, change.at, change.length]);
  }
  assertEquals(seen, [
    ["0x48", "temperature", 30, 0, 0],
    ["0x48", "hysteresis", 50, 0, 0],
    ["0x20", "values", NaN, 4, 3],
  ]);
  listener.close();
  clearEventfd(eventfd);
  close(eventfd);
});

Deno.test("a thing whose bus is busy is not waited for for long", () => {
  using it = withParts("{ part: registers, address: 0x20 }");
  const lock = new Lock(it.settings.lock);
  lock.acquire();
  assertMatch(refusal(() => it.things.get("0x20").read("values", 0, 1)), /is busy/);
  lock.release();
  it.things.get("0x20").read("values", 0, 1);
});

Deno.test("faults strike as often as they were injected, and no other part", () => {
  using it = withParts("{ part: registers, address: 0x20 }, { part: registers, address: 0x21 }");
  const part = it.things.get("0x20");
  part.inject("nak", 2);
  assertStrictEquals(it.guest.write(0x21, 0, 1), OK);
  assertStrictEquals(it.guest.write(0x20, 0, 1), ERR);
  assertStrictEquals(it.guest.write(0x20, 0, 1), ERR);
  assertStrictEquals(it.guest.write(0x20, 0, 1), OK);
  part.inject("wrong", 1);
  assertEquals(it.guest.writeRead(0x20, [0], 2), [0xfe, 0]);
  assertEquals(it.guest.writeRead(0x20, [0], 2), [1, 0]);
  part.inject("fail", 1);
  assertEquals(it.guest.transfer(write(0x20, 0), read(0x20, 1)).map((one) => one.status), [
    ERR,
    ERR,
  ]);
  assertStrictEquals(it.guest.write(0x20, 0, 1), OK);
  part.inject("nak", 5);
  part.inject("nak", 0);
  assertStrictEquals(it.guest.write(0x20, 0, 1), OK);
});

Deno.test("on a bus that is stuck nobody answers", () => {
  using it = withParts("{ part: registers, address: 0x20 }");
  it.things.get("bus").set("stuck", true);
  assertStrictEquals(it.guest.write(0x20, 0, 1), ERR);
  it.things.get("bus").set("stuck", false);
  assertStrictEquals(it.guest.write(0x20, 0, 1), OK);
});

Deno.test("what is read from outside is never half of what a guest writes", async () => {
  using it = withParts("{ part: registers, address: 0x20 }");
  const registers = it.things.get("0x20");
  const url = new URL("hammer_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const done = Promise.withResolvers<void>();
  worker.onmessage = () => done.resolve();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  worker.postMessage({ settings: it.settings, stop });
  try {
    const seen = new Set<number>();
    const deadline = performance.now() + 60_000;
    for (let round = 0; round < 1000 || seen.size < 20; round++) {
      const values = registers.read("values", 0, 256);
      assert(values.every((value) => value === values[0]), `${values}`);
      seen.add(values[0]);
      assert(performance.now() < deadline, "nothing is written meanwhile");
    }
  } finally {
    Atomics.store(stop, 0, 1);
    await done.promise;
    worker.terminate();
  }
});

Deno.test("parts behind a multiplexer are known by their way", () => {
  using world = withParts(`{ part: tca9548, address: 0x70, channels: {
    2: [{ part: lm75, address: 0x48 }], 3: [{ part: lm75, address: 0x48, name: attic }] } }`);
  const shown = world.things.all.map((thing) => thing.describe()).map(({ name, place }) =>
    `${name}: ${place}`
  );
  assertEquals(shown.slice(1), [
    "0x70: address 0x70",
    "0x70-2-0x48: address 0x48 behind channel 2 of 0x70",
    "attic: address 0x48 behind channel 3 of 0x70",
  ]);
  assertStrictEquals(world.things.get("0x70-3-0x48").name, "attic");
});

/** What has changed, as `thing.property=value`. */
function heard(world: ReturnType<typeof withParts>, run: () => void): string[] {
  const eventfd = createEventfd();
  const listener = new Changes(world.simulation.changes).listen(eventfd);
  assert(listener !== undefined);
  run();
  const found: string[] = [];
  const change = emptyChange();
  while (listener.next(change)) {
    const thing = world.things.all.find(({ number }) => number === change.thing);
    const property = thing!.propertyAt(change.property)!;
    const value = Number.isNaN(change.value) ? "" : thing!.changedTo(property, change.value);
    found.push(`${thing!.name}.${property}=${value}`);
  }
  listener.close();
  close(eventfd);
  return found;
}

Deno.test("what follows from a property that is set, or from a transaction, is told as well", () => {
  using world = withParts(`{ part: ina219, address: 0x40, voltage: 4, name: rail },
    { part: pca9535, address: 0x20, name: expander }, { part: ds1307, address: 0x68, name: clock }`);
  const { guest, things } = world;
  assertEquals(heard(world, () => things.get("rail").set("power", 8)), [
    "rail.current=2",
    "rail.power=8",
  ]);
  assertEquals(heard(world, () => things.get("expander").set("p03", 1)), [
    "expander.p03=1",
    "expander.interrupt=true",
  ]);
  const drives = heard(world, () => {
    guest.transfer(write(0x20, 2, 0x12), write(0x20, 6, 0xef), read(0x20, 1));
  });
  assertEquals(drives, ["expander.p04=1", "expander.outputs=16"]);
  const sets = heard(world, () => {
    guest.write(0x68, 0, 0x80, 0, 0, 1, 1, 1, 0x30);
    things.get("clock").set("time", "2031-01-01 00:00:00");
    guest.write(0x68, 8, 1, 2);
  });
  assertEquals(sets, [
    "clock.time=2030-01-01T00:00:00Z",
    "clock.stopped=true",
    "clock.time=2031-01-01T00:00:00Z",
    "clock.ram=",
  ]);
});

Deno.test("of a display's picture, the rows that have changed are told", () => {
  using world = withParts("{ part: ssd1306, address: 0x3c, name: screen }");
  const { guest, things, simulation } = world;
  guest.write(0x3c, 0x00, 0xaf, 0xa1, 0xc8, 0xb2);
  const eventfd = createEventfd();
  const listener = new Changes(simulation.changes).listen(eventfd);
  assert(listener !== undefined);
  const change = emptyChange();
  guest.write(0x3c, 0x40, 0x00, 0x0c);
  assert(listener.next(change));
  assertEquals([change.at, change.length], [18 * 16, 2 * 16]);
  assert(!listener.next(change));
  assertEquals([...things.get("screen").read("picture", 18 * 16, 1)], [0x40]);
  listener.close();
  close(eventfd);
});
