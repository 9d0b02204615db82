/** Real lines, inside the guest, as control clients and traces show them. */

import { assertEquals, assertMatch } from "@std/assert";
import { ControlClient } from "../../support/control_client.ts";
import { GPIO, IN, IRQ, NONE, OUT, VALID } from "../../support/gpio_driver.ts";
import { GpioSim } from "../../support/gpio_sim.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { levels, TraceFile } from "../../support/trace.ts";
import { serve, tick } from "./serve.ts";

Deno.test("control clients are told of real lines: what the guest makes of them, and edges", async () => {
  using folder = new TemporaryFolder();
  using chip = new GpioSim({ lines: 3, special: { 0: { name: "door" } } });
  const control = folder.file("control");
  await using served = await serve(`${chip.number}`, 1, ["--control", control]);
  const { guest } = served;
  using client = await ControlClient.connect(control);
  const { things } = await client.call("describe");
  assertEquals(
    things.map(({ name, part, place }: Record<string, string>) => [name, part, place]),
    ["door", "1", "2"].map((
      name,
      line,
    ) => [name, "host-line", `line ${line} (${chip.name} ${line})`]),
  );
  const names = ["door", "door.direction", "door.interrupt"];
  // Nobody has looked at it.
  assertEquals(await client.call("get", { names }), {
    ...{ "door.direction": "none", "door.interrupt": "none" },
  });
  const { error } = await client.request("set", { values: { door: 1 } });
  assertMatch(error!.message, /'door\.value' can only be read/);

  await client.call("subscribe");
  chip.pull(0, 1);
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  guest.unmask(0);
  chip.pull(0, 0);
  assertEquals(guest.nextEvent().status, VALID);
  guest.get(GPIO.SET_DIRECTION, 1, OUT);
  guest.get(GPIO.SET_VALUE, 1, 1);
  const told: string[] = [];
  while (told.length < 7) {
    const { kind, name, value } = await client.event();
    if (kind === "property") told.push(`${name}=${value}`);
  }
  assertEquals(
    told,
    [
      ...["door.direction=input", "door=1", "door.interrupt=both", "door=0"],
      ...["1.direction=output", "1=0", "1=1"],
    ].concat(told.slice(7)),
  );
});

Deno.test("a trace of real lines has every edge, what is driven, and nothing that is not known", async () => {
  using folder = new TemporaryFolder();
  using chip = new GpioSim({ lines: 2, special: { 0: { name: "door" }, 1: { name: "relay" } } });
  const trace = new TraceFile(folder.file("gpio.vcd"));
  await using served = await serve(`${chip.number}`, 1, ["--trace", trace.path]);
  const { guest } = served;
  guest.get(GPIO.SET_DIRECTION, 0, IN);
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.BOTH);
  for (let round = 0; round < 5; round++) {
    for (const level of [1, 0]) {
      guest.unmask(0);
      chip.pull(0, level);
      assertEquals(guest.nextEvent().status, VALID);
    }
  }
  for (const value of [1, 0, 1]) {
    guest.get(GPIO.SET_VALUE, 1, value);
    guest.get(GPIO.SET_DIRECTION, 1, OUT);
  }
  guest.get(GPIO.SET_IRQ_TYPE, 0, IRQ.NONE);
  guest.get(GPIO.SET_DIRECTION, 0, NONE);
  guest.get(GPIO.SET_DIRECTION, 1, NONE);
  tick();
  const seen = trace.until("the end", (trace) => levels(trace, "relay") === "x101x");
  assertEquals(levels(seen, "door"), `x0${"10".repeat(5)}x`);
  assertEquals(levels(seen, "door_interrupt"), `0${"10".repeat(10)}`);
  assertEquals(levels(seen, "door_rising"), "010");
  assertEquals(levels(seen, "relay_output"), "010");
});
