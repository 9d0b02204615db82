import { assertEquals } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { bytesOf, contextOf, Simulation } from "../../../lib/simulation/simulation.ts";
import { spiParts } from "../../../lib/spi/simulated/parts.ts";
import { flash as model } from "../../../lib/spi/simulated/parts/flash.ts";

const WRITE_ENABLE = [0x06];
const READ_STATUS = [0x05, 0];

/** A flash that keeps account of what it saves. */
function flash(contents: number[] = []) {
  const saved: [offset: number, length: number][] = [];
  const yaml = "{ part: flash, size-kib: 256, id: 0x123456 }";
  const description = spiParts.read(ConfigNode.parse("flash", yaml), [], new Set());
  const powered = new Simulation().powerUp(model, description);
  bytesOf(powered, model.properties.contents).set(contents);
  const another = () => {
    const context = contextOf(model, powered, getLogger(["test"]));
    const file = { save: (at: number, length: number) => saved.push([at, length]) };
    return model.create({ ...context, file } as unknown as Parameters<typeof model.create>[0]);
  };
  const chip = another();
  /** One command from the chip's being selected to its release. */
  const command = (...bytes: number[]) => {
    const received = bytes.map((byte) => chip.exchange(byte));
    chip.deselect();
    return received;
  };
  return { chip, command, saved, another };
}

const read = (address: number, length: number) => [
  0x03,
  address >> 16,
  (address >> 8) & 0xff,
  address & 0xff,
  ...Array(length).fill(0),
];

Deno.test("a flash tells its JEDEC id, again and again", () => {
  const { command } = flash();
  assertEquals(command(0x9f, 0, 0, 0, 0).slice(1), [0x12, 0x34, 0x56, 0x12]);
});

Deno.test("a flash reads on from an address, and from its start after its end", () => {
  const { command } = flash([1, 2, 3]);
  assertEquals(command(...read(1, 3)).slice(4), [2, 3, 0xff]);
  assertEquals(command(...read(256 * 1024 - 1, 2)).slice(4), [0xff, 1]);
});

for (const code of [0x0b, 0x3b, 0x6b]) {
  Deno.test(`fast read ${code.toString(16)} has a dummy byte`, () => {
    const { command } = flash([1, 2]);
    assertEquals(command(code, 0, 0, 0, 0, 0, 0).slice(5), [1, 2]);
  });
}

Deno.test("programming clears bits within a page and wraps around in it", () => {
  const { command, saved } = flash();
  command(...WRITE_ENABLE);
  command(0x02, 0, 1, 0xff, 0xf0, 0x0f);
  assertEquals(command(...read(0x1ff, 1))[4], 0xf0);
  assertEquals(command(...read(0x100, 1))[4], 0x0f);
  command(...WRITE_ENABLE);
  command(0x02, 0, 1, 0xff, 0xcc);
  assertEquals(command(...read(0x1ff, 1))[4], 0xc0);
  assertEquals(saved, [[0x100, 256], [0x100, 256]]);
});

Deno.test("nothing is programmed or erased without write enable, which holds for one command", () => {
  const { command, saved } = flash([0x55]);
  command(0x02, 0, 0, 0, 0);
  command(0x20, 0, 0, 0);
  assertEquals(command(...read(0, 1))[4], 0x55);
  command(...WRITE_ENABLE);
  assertEquals(command(...READ_STATUS)[1], 0x02);
  command(0x20, 0, 0, 0);
  assertEquals(command(...READ_STATUS)[1], 0);
  command(0x02, 0, 0, 0, 0);
  assertEquals(command(...read(0, 1))[4], 0xff);
  assertEquals(saved.length, 1);
});

Deno.test("write disable takes write enable back", () => {
  const { command } = flash();
  command(...WRITE_ENABLE);
  command(0x04);
  assertEquals(command(...READ_STATUS)[1], 0);
});

for (const [code, length] of [[0x20, 4096], [0x52, 32768], [0xd8, 65536]]) {
  Deno.test(`erase ${code.toString(16)} sets the ${length} bytes around its address`, () => {
    const { command, saved } = flash(Array(256 * 1024).fill(0));
    command(...WRITE_ENABLE);
    command(code, 1, 0x12, 0x34);
    const start = 0x11234 - 0x11234 % length;
    assertEquals(saved, [[start, length]]);
    assertEquals(command(...read(start - 1, 2)).slice(4), [0, 0xff]);
    assertEquals(command(...read(start + length - 1, 2)).slice(4), [0xff, 0]);
  });
}

for (const code of [0x60, 0xc7]) {
  Deno.test(`erase ${code.toString(16)} sets all of the chip`, () => {
    const { command, saved } = flash([0]);
    command(...WRITE_ENABLE);
    command(code);
    assertEquals(saved, [[0, 256 * 1024]]);
  });
}

Deno.test("the status register can be written but for its two lowest bits", () => {
  const { command } = flash();
  command(...WRITE_ENABLE);
  command(0x01, 0xff);
  assertEquals(command(...READ_STATUS)[1], 0xfc);
});

Deno.test("a command that breaks off has no effect", () => {
  const { command } = flash([0x55]);
  command(...WRITE_ENABLE);
  command(0x20, 0, 0);
  command(0x02, 0, 0, 0);
  assertEquals(command(...read(0, 1))[4], 0x55);
  assertEquals(command(...READ_STATUS)[1], 0x02);
});

Deno.test("a flash tells whether its command waits for more", () => {
  const { chip } = flash();
  const waits = (...bytes: number[]) => {
    for (const byte of bytes) chip.exchange(byte);
    const { expectsMore } = chip;
    chip.deselect();
    return expectsMore;
  };
  assertEquals([waits(), waits(0x06), waits(0x9f), waits(0x9f, 0)], [
    false,
    false,
    true,
    false,
  ]);
  assertEquals([waits(0x03), waits(0x03, 0, 0, 0), waits(0x03, 0, 0, 0, 0)], [
    true,
    true,
    false,
  ]);
  assertEquals([waits(0x0b, 0, 0, 0), waits(0x20, 0, 0), waits(0x20, 0, 0, 0)], [
    true,
    true,
    false,
  ]);
});

Deno.test("flashes of two guests have one memory, and each a command of its own", () => {
  const { chip, command, another } = flash([7]);
  const other = another();
  chip.exchange(0x03);
  other.exchange(0x06);
  other.deselect();
  for (const byte of [0, 0, 0]) chip.exchange(byte);
  assertEquals(chip.exchange(0), 7);
  chip.deselect();
  assertEquals(command(...READ_STATUS)[1], 0x02);
});
