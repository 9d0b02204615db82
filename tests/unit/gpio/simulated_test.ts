import { assert, assertEquals, assertThrows } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { readGuests } from "../../../lib/gpio/config.ts";
import { GpioDevice } from "../../../lib/gpio/device.ts";
import { lineThings } from "../../../lib/gpio/simulated/line_thing.ts";
import { powerUp } from "../../../lib/gpio/simulated/lines.ts";
import { SimulatedChip } from "../../../lib/gpio/simulated/simulated_chip.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { type Change, Changes } from "../../../lib/simulation/changes.ts";
import { PropertyError } from "../../../lib/simulation/check_value.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { Things } from "../../../lib/simulation/thing.ts";
import { GPIO, GpioGuest, IN, IRQ, NONE, OUT, VALID } from "../../support/gpio_driver.ts";
import { GatedWorkers } from "../../support/gated_workers.ts";
import { InProcess, RecordingLog } from "../../support/in_process.ts";

/** A guest with lines, and somebody who controls them. */
function withLines(simulated: string) {
  const [choice] = readGuests(ConfigNode.parse("test", `[{ simulated: ${simulated} }]`));
  assert(choice.kind === "simulated");
  const simulation = new Simulation();
  const settings = powerUp(simulation, choice);
  const backEnd = new InProcess(
    new GpioDevice(new SimulatedChip(settings, new RecordingLog().logger)),
  );
  const guest = new GpioGuest(backEnd.connect());
  const things = new Things(lineThings(settings, 0));
  return {
    guest,
    things,
    backEnd,
    simulation,
    lid: things.get("lid"),
    value: (line: number) => guest.get(GPIO.GET_VALUE, line),
    [Symbol.dispose]() {
      guest[Symbol.dispose]();
      backEnd[Symbol.dispose]();
    },
  };
}

const LINES = "{ lines: [{ name: lid, value: 1 }, { name: relay }, {}], " +
  "wires: [{ from: relay, to: 2 }] }";

Deno.test("a line that is set from outside has that level for the guest", () => {
  using it = withLines(LINES);
  it.guest.get(GPIO.SET_DIRECTION, 0, IN);
  assertEquals([it.value(0), it.lid.get("value")], [1, 1]);
  it.lid.set("value", 0);
  assertEquals([it.value(0), it.lid.get("value")], [0, 0]);
});

Deno.test("what the guest does with a line is seen from outside", () => {
  using it = withLines(LINES);
  const relay = it.things.get("relay");
  assertEquals([relay.get("direction"), relay.get("value")], ["none", 0]);
  it.guest.get(GPIO.SET_VALUE, 1, 1);
  it.guest.get(GPIO.SET_DIRECTION, 1, OUT);
  assertEquals([relay.get("direction"), relay.get("value")], ["output", 1]);
  assertEquals(it.things.get("2").get("value"), 1);
  assertEquals(it.lid.get("interrupt"), "none");
  it.guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.FALLING);
  assertEquals(it.lid.get("interrupt"), "falling");
});

Deno.test("lines are known by their names and by their numbers", () => {
  using it = withLines(LINES);
  assertEquals(it.things.all.map(({ name }) => name), ["lid", "relay", "2"]);
  assert(it.things.get("0") === it.lid && it.things.get("0/lid") === it.lid);
  const { part, place, properties } = it.lid.describe();
  assertEquals([part, place], ["line", "line 0"]);
  assertEquals(properties.map(({ name, set }) => [name, set]), [
    ["name", "start"],
    ["direction", "start"],
    ["value", "both"],
    ["interrupt", "never"],
    ["driven-by", "never"],
  ]);
});

Deno.test("a line that something drives cannot be set from outside", () => {
  using it = withLines(LINES);
  it.guest.get(GPIO.SET_DIRECTION, 1, OUT);
  const message = (name: string) =>
    assertThrows(() => it.things.get(name).set("value", 1), PropertyError).message;
  assertEquals(message("relay"), "relay.value: the guest drives it, it is an output");
  assertEquals(message("2"), '2.value: it is wired to line 1 "relay", which drives it');
  const drivenBy = () => it.things.all.map((line) => line.get("driven-by"));
  assertEquals(drivenBy(), ["outside", "guest", "wire"]);
  it.guest.get(GPIO.SET_DIRECTION, 1, NONE);
  assertEquals(drivenBy(), ["outside", "outside", "outside"]);
  it.things.get("2").set("value", 1);
  assertEquals(it.value(2), 1);
  assertThrows(() => it.lid.set("value", 2), PropertyError, "expected a value from 0 to 1");
  assertThrows(() => it.lid.set("direction", "input"), PropertyError, "file only");
});

Deno.test("an edge from outside is an interrupt in the guest", () => {
  using it = withLines(LINES);
  it.guest.get(GPIO.SET_DIRECTION, 0, IN);
  it.guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.FALLING);
  it.guest.unmask(0);
  it.lid.set("value", 0);
  it.backEnd.settle();
  assertEquals(it.guest.nextEvent(), { line: 0, status: VALID, length: 1 });
  it.guest.unmask(0);
  it.lid.set("value", 1);
  it.backEnd.settle();
  assertEquals(it.guest.takeEvent(), undefined);
});

Deno.test("a pulse that is over before the guest's thread sees it is still an edge", () => {
  using it = withLines(LINES);
  it.guest.get(GPIO.SET_DIRECTION, 0, IN);
  it.guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  it.guest.unmask(0);
  for (const value of [0, 1]) it.lid.set("value", value);
  it.backEnd.settle();
  assertEquals(it.guest.nextEvent(), { line: 0, status: VALID, length: 1 });
  it.guest.unmask(0);
  it.backEnd.settle();
  assertEquals(it.guest.nextEvent(), { line: 0, status: VALID, length: 1 });
  it.guest.unmask(0);
  it.backEnd.settle();
  assertEquals(it.guest.takeEvent(), undefined);
});

/** A chip without a guest, whose edges are recorded. */
function chipAlone() {
  const [choice] = readGuests(ConfigNode.parse("test", `[{ simulated: ${LINES} }]`));
  assert(choice.kind === "simulated");
  const settings = powerUp(new Simulation(), choice);
  const chip = new SimulatedChip(settings, new RecordingLog().logger);
  const edges: [number, boolean][] = [];
  const poller = { watch: () => {}, unwatch: () => {} };
  chip.attach(poller, {
    onEdge: (line, rising) => edges.push([line, rising]),
    onInterruption: () => {},
  });
  return { chip, settings, edges, lid: lineThings(settings, 0)[0] };
}

Deno.test("an edge that came before the guest has asked for edges anew is not told", () => {
  const { chip, edges, lid } = chipAlone();
  chip.setDirection(0, IN, 0);
  chip.setEdges(0, IRQ.BOTH);
  lid.set("value", 0);
  chip.setEdges(0, 0);
  chip.setEdges(0, IRQ.BOTH);
  chip.onEvents(0);
  assertEquals(edges, []);
  for (const value of [1, 0, 1]) lid.set("value", value);
  chip.onEvents(0);
  assertEquals(edges, [[0, true], [0, false], [0, true]]);
  chip.close();
});

Deno.test("what is set from outside stays when the guest goes, what the guest did does not", () => {
  using it = withLines(LINES);
  it.lid.set("value", 0);
  it.guest.get(GPIO.SET_DIRECTION, 1, OUT);
  it.guest.get(GPIO.SET_VALUE, 1, 1);
  it.guest[Symbol.dispose]();
  it.backEnd.settle();
  assertEquals(it.lid.get("value"), 0);
  assertEquals(it.things.get("relay").get("direction"), "none");
  assertEquals(it.things.get("2").get("value"), 0);
});

Deno.test("who listens is told of every change of a line", () => {
  using it = withLines(LINES);
  const eventfd = createEventfd();
  const listener = new Changes(it.simulation.changes).listen(eventfd)!;
  it.lid.set("value", 0);
  it.lid.set("value", 0);
  it.guest.get(GPIO.SET_DIRECTION, 1, OUT);
  it.guest.get(GPIO.SET_VALUE, 1, 1);
  it.guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  const seen: unknown[] = [];
  const change = {} as Change;
  while (listener.next(change)) {
    const thing = it.things.all.find(({ number }) => number === change.thing)!;
    seen.push([thing.name, thing.propertyAt(change.property), change.value]);
  }
  assertEquals(seen, [
    ["lid", "value", 0],
    ["relay", "direction", 2],
    ["relay", "driven-by", 1],
    ["2", "driven-by", 2],
    ["relay", "value", 1],
    ["2", "value", 1],
    ["lid", "direction", 1],
    ["lid", "interrupt", 1],
  ]);
  listener.close();
  close(eventfd);
});

Deno.test("edges from outside and of the guest's own do not get in each other's way", async () => {
  const { chip, settings, edges } = chipAlone();
  chip.setDirection(1, OUT, 0);
  for (const line of [0, 2]) {
    chip.setDirection(line, IN, 0);
    chip.setEdges(line, IRQ.BOTH);
  }
  using workers = new GatedWorkers();
  const url = new URL("../simulation/telling_worker.ts", import.meta.url);
  workers.add(url, { chip: settings, rounds: 300_000 });
  await workers.begin();
  let value = 0;
  let rounds = 0;
  while (await workers.areRunning()) {
    for (let round = 0; round < 10_000; round++, rounds++) chip.setValue(1, value ^= 1);
  }
  chip.onEvents(0);
  chip.close();
  const of = (line: number) => edges.filter(([edge]) => edge === line).map(([, rising]) => rising);
  assertEquals(of(2).length, rounds);
  for (const line of [0, 2]) {
    assert(of(line).every((rising, index, all) => index === 0 || rising !== all[index - 1]));
  }
  // From 1 it went to 1, 0, 1, 0, …
  assertEquals(of(0)[0], false);
  assertEquals(of(0).at(-1), false);
  assert(of(0).length > 10, `${of(0).length} edges from outside`);
});
