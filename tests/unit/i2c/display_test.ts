import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { OnBus } from "../../support/on_bus.ts";

const WIDTH = 128;
const HEIGHT = 64;
const COMMANDS = 0x00;
const DATA = 0x40;
/** On, upright on the glass of most modules, and in the horizontal mode. */
const UPRIGHT = [0xaf, 0xa1, 0xc8, 0x20, 0];

function display(...commands: number[]): OnBus {
  return started("ssd1306", commands);
}

function started(name: string, commands: number[]): OnBus {
  const chip = new OnBus(name);
  chip.transaction([[COMMANDS, ...commands]]);
  return chip;
}

/** The pixels that are lit, as `x,y`. */
function lit(chip: OnBus, height = HEIGHT): string[] {
  const bytes = chip.thing.read("picture", 0, WIDTH * height / 8);
  const found: string[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < WIDTH; x++) {
      if (bytes[y * 16 + (x >> 3)] & 0x80 >> x % 8) found.push(`${x},${y}`);
    }
  }
  return found;
}

Deno.test("SSD1306: its picture is described well enough to be shown", () => {
  const described = new OnBus("ssd1306").thing.describe().properties;
  assertEquals(
    described.find(({ name }) => name === "picture"),
    {
      name: "picture",
      type: "bytes",
      set: "never",
      count: 1024,
      what: "a byte",
      help: "what is seen",
      picture: { width: WIDTH, height: HEIGHT, bits: 1 },
    } as unknown as typeof described[number],
  );
});

Deno.test("SSD1306: a byte is 8 pixels of a column, and shows only while the display is on", () => {
  const chip = display(0xa1, 0xc8, 0x20, 0);
  chip.transaction([[DATA, 0x81, 0x00, 0x02]]);
  assertEquals([lit(chip), chip.get("on")], [[], false]);
  assertEquals(chip.transaction([1]), [0x40]);
  chip.transaction([[COMMANDS, 0xaf]], 0, 1);
  assertEquals(lit(chip), ["0,0", "2,1", "0,7"]);
  assertEquals(chip.transaction([1]), [0]);
});

Deno.test("SSD1306: without its directions remapped, it is upside down", () => {
  const chip = display(0xaf, 0x20, 0);
  chip.transaction([[DATA, 0x01, 0x02]]);
  assertEquals(lit(chip), ["126,62", "127,63"]);
  chip.transaction([[COMMANDS, 0xa1]]);
  assertEquals(lit(chip), ["1,62", "0,63"]);
  chip.transaction([[COMMANDS, 0xc8]]);
  assertEquals(lit(chip), ["0,0", "1,1"]);
});

Deno.test("SSD1306: ranges of columns and pages are filled row by row or column by column", () => {
  for (
    const [mode, expected] of [[0, ["10,8", "11,9", "10,18"]], [1, ["10,8", "10,17", "11,10"]]]
  ) {
    const chip = display(...UPRIGHT, 0x20, mode as number, 0x21, 10, 11, 0x22, 1, 2);
    chip.transaction([[DATA, 0x01, 0x02, 0x04, 0x00]]);
    assertEquals(new Set(lit(chip)), new Set(expected as string[]));
    // It begins again.
    chip.transaction([[DATA, 0x80]]);
    assert(lit(chip).includes("10,15"));
  }
});

Deno.test("SSD1306: in the page mode a page goes round", () => {
  const chip = display(...UPRIGHT, 0x20, 2, 0xb3, 0x0f, 0x17);
  chip.transaction([[DATA, 0x01, 0x02]]);
  assertEquals(lit(chip), ["127,24", "0,25"]);
});

Deno.test("SSD1306: a command and what belongs to it may come in messages of their own", () => {
  const chip = display(...UPRIGHT);
  chip.transaction([[COMMANDS, 0x21]], 0, 0);
  chip.transaction([[COMMANDS, 5]], 0, 1);
  chip.transaction([[0x80, 6]], 0, 0);
  chip.transaction([[0x80, 0x81, 0x80, 0x33, DATA, 0x01]]);
  assertEquals([lit(chip), chip.get("contrast")], [["5,0"], 0x33]);
  // Commands that do nothing here have their bytes as well.
  chip.transaction([[COMMANDS, 0x26, 0, 0xa5, 0xa5, 0xa5, 0, 0xff, 0xd5, 0xae, 0xda, 0xae]]);
  assertEquals([lit(chip), chip.get("on")], [["5,0"], true]);
});

Deno.test("SSD1306: all pixels can be lit, or all inverted", () => {
  const chip = display(...UPRIGHT);
  chip.transaction([[DATA, 0x01]]);
  chip.transaction([[COMMANDS, 0xa7]]);
  assertStrictEquals(lit(chip).length, WIDTH * HEIGHT - 1);
  assert(!lit(chip).includes("0,0"));
  chip.transaction([[DATA, 0x80]]);
  assertStrictEquals(lit(chip).length, WIDTH * HEIGHT - 2);
  chip.transaction([[COMMANDS, 0xa5]]);
  assertStrictEquals(lit(chip).length, WIDTH * HEIGHT);
  chip.transaction([[COMMANDS, 0xa4, 0xa6]]);
  assertEquals(lit(chip), ["0,0", "1,7"]);
});

Deno.test("SSD1306: start line, offset and multiplex ratio move and cut what is seen", () => {
  const chip = display(...UPRIGHT);
  chip.transaction([[DATA, 0x01]]);
  chip.transaction([[COMMANDS, 0x41]]);
  assertEquals(lit(chip), ["0,63"]);
  chip.transaction([[COMMANDS, 0x40, 0xd3, 8]]);
  assertEquals(lit(chip), ["0,56"]);
  // 32 rows: those of the pins 31 to 0.
  chip.transaction([[COMMANDS, 0xd3, 0, 0xa8, 31]]);
  assertEquals(lit(chip), ["0,32"]);
  chip.transaction([[COMMANDS, 0xa7]]);
  assertStrictEquals(lit(chip).length, WIDTH * 32 - 1);
  chip.transaction([[COMMANDS, 0xa6, 0xc0]]);
  assertEquals(lit(chip), ["0,63"]);
});

Deno.test("SSD1306: a glass of 32 rows shows what is driven at the first 32 pins", () => {
  const chip = started("ssd1306-128x32", [...UPRIGHT, 0xa8, 31]);
  chip.transaction([[DATA, 0x01]]);
  chip.transaction([[COMMANDS, 0xb3, 0x22, 3, 3]]);
  chip.transaction([[DATA, 0x80]]);
  chip.transaction([[COMMANDS, 0x22, 4, 4]]);
  chip.transaction([[DATA, 0xff, 0xff]]);
  assertEquals(lit(chip, 32), ["0,0", "1,31"]);
  // With all 64 rows driven, it is the lower half of them.
  chip.transaction([[COMMANDS, 0xa8, 63]]);
  assertEquals(lit(chip, 32).slice(0, 4), ["2,0", "3,0", "2,1", "3,1"]);
});
