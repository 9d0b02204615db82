import { assert, assertEquals } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import type { DeviceKind } from "../../../lib/daemon/device_kind.ts";
import { gpio } from "../../../lib/gpio/kind.ts";
import { i2c } from "../../../lib/i2c/kind.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { Things } from "../../../lib/simulation/thing.ts";
import { spi } from "../../../lib/spi/kind.ts";

const log = getLogger(["test"]);

/** A daemon's settings, and its things as two threads have them. */
function daemon<Settings>(kind: DeviceKind<Settings>, yaml: string, guestCount?: number) {
  const config = ConfigNode.parse("test", yaml).mapping(kind.configKeys);
  const settings = kind.plan({ options: {}, config, guestCount }, log)
    .map(({ settings }) => settings);
  assert(kind.things !== undefined);
  const here = new Things(kind.things(settings, log));
  const there = new Things(kind.things(structuredClone(settings), log));
  assertEquals(here.all.map(({ number }) => number), here.all.map((_, index) => index));
  return { here, there };
}

const titles = ({ all }: Things) => all.map(({ name, guests }) => `${guests}/${name}`);

Deno.test("GPIO: the lines of each guest are things, on all threads", () => {
  const { here, there } = daemon(
    gpio,
    "guests: [{ simulated: { lines: [{ name: lid }, {}] } }, { simulated: 1 }]",
  );
  assertEquals(titles(here), ["0/lid", "0/1", "1/dummy0"]);
  here.get("lid").set("value", 1);
  assertEquals(there.get("lid").get("value"), 1);
  assertEquals(there.get("1/0").name, "dummy0");
});

Deno.test("I2C: parts and buses are things that all guests have, on all threads", () => {
  const parts = "{ part: lm75, address: 0x48, name: sensor }";
  const { here, there } = daemon(
    i2c,
    `adapters: [{ simulated: { parts: [${parts}] } }, { simulated: { parts: [] } }]`,
    2,
  );
  assertEquals(titles(here), ["0,1/bus0", "0,1/sensor", "0,1/bus1"]);
  here.get("sensor").set("temperature", 85);
  assertEquals(there.get("0x48").get("temperature"), 85);
});

Deno.test("SPI: the parts of each controller are things of its guests, on all threads", () => {
  const { here, there } = daemon(
    spi,
    "guests: [{ simulated: { parts: [{ part: registers }] } }, { share: 0 }, { simulated: 1 }]",
  );
  assertEquals(titles(here), ["0,1/cs0", "2/cs0"]);
  here.get("1/cs0").write("values", 5, Uint8Array.of(7));
  assertEquals([...there.get("0/cs0").read("values", 5, 1)], [7]);
});
