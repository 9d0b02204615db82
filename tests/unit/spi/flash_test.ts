import { assert, assertEquals } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { bytesOf, contextOf, Simulation } from "../../../lib/simulation/simulation.ts";
import { spiParts } from "../../../lib/spi/simulated/parts.ts";
import { flash as model } from "../../../lib/spi/simulated/parts/flash.ts";
import { pause } from "../../support/wait.ts";

const WRITE_ENABLE = [0x06];
const READ_STATUS = [0x05, 0];

/** A flash that keeps account of what it saves. */
function flash(contents: number[] = [], settings = "size-kib: 256, id: 0x123456") {
  const saved: [offset: number, length: number][] = [];
  const yaml = `{ part: flash, ${settings} }`;
  const description = spiParts.read(ConfigNode.parse("flash", yaml), [], new Set());
  const powered = new Simulation().powerUp(model, description);
  bytesOf(powered, model.properties.contents).set(contents);
  const another = () => {
    const context = contextOf(model, powered, getLogger(["test"]));
    const file = { save: (at: number, length: number) => saved.push([at, length]) };
    return model.create({ ...context, file } as unknown as Parameters<typeof model.create>[0], 0);
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

for (const code of [0x0b, 0x3b, 0xbb]) {
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

// Registers, quad lines, protection, time, parameters, long addresses.

type Command = ReturnType<typeof flash>["command"];

const enabled = (command: Command, ...bytes: number[]) => {
  command(...WRITE_ENABLE);
  return command(...bytes);
};
const statusOf = (command: Command) => [0x05, 0x35, 0x15].map((code) => command(code, 0)[1]);

Deno.test("a flash has three status registers, each with a command of its own to write it", () => {
  const { command } = flash();
  enabled(command, 0x31, 0x02);
  enabled(command, 0x11, 0x60);
  enabled(command, 0x01, 0x1c);
  assertEquals(statusOf(command), [0x1c, 0x02, 0x60]);
});

Deno.test("a second byte for status register 1 goes to the next, and one byte leaves that alone", () => {
  const { command } = flash();
  enabled(command, 0x01, 0x04, 0x02);
  assertEquals(statusOf(command), [0x04, 0x02, 0]);
  enabled(command, 0x01, 0x00);
  assertEquals(statusOf(command), [0, 0x02, 0]);
});

Deno.test("a status register is written after either of the commands that enable it, only", () => {
  const { command } = flash();
  command(0x31, 0x02);
  assertEquals(statusOf(command)[1], 0);
  command(0x50);
  command(0x31, 0x02);
  assertEquals(statusOf(command)[1], 0x02);
  command(0x31, 0x00);
  assertEquals(statusOf(command)[1], 0x02);
});

Deno.test("locked status registers stay as they are", () => {
  const { command } = flash();
  enabled(command, 0x31, 0x01);
  enabled(command, 0x31, 0x02);
  assertEquals(statusOf(command), [0, 0x01, 0]);
});

Deno.test("commands over four lines go with quad enable only", () => {
  const { command } = flash([1, 2]);
  const quadRead = () => command(0x6b, 0, 0, 0, 0, 0, 0).slice(5);
  assertEquals(quadRead(), [0xff, 0xff]);
  enabled(command, 0x32, 0, 0, 0, 0);
  assertEquals(command(...read(0, 1)).slice(4), [1]);
  enabled(command, 0x31, 0x02);
  assertEquals(quadRead(), [1, 2]);
  assertEquals(command(0xeb, 0, 0, 0, 0, 0, 0, 0, 0).slice(7), [1, 2]);
  enabled(command, 0x32, 0, 0, 0, 0);
  assertEquals(command(...read(0, 1)).slice(4), [0]);
});

const protections: [what: string, size: number, status: number[], start: number, end: number][] = [
  ["nothing", 1024, [0x00, 0], 0, 0],
  ["the topmost block", 1024, [0x04, 0], 0xf0000, 0x100000],
  ["the topmost half", 1024, [0x10, 0], 0x80000, 0x100000],
  ["everything", 1024, [0x1c, 0], 0, 0x100000],
  ["the lowest block", 1024, [0x24, 0], 0, 0x10000],
  ["the topmost sector", 1024, [0x44, 0], 0xff000, 0x100000],
  ["the lowest 32 KiB in sectors", 1024, [0x70, 0], 0, 0x8000],
  ["all but the topmost block", 1024, [0x04, 0x40], 0, 0xf0000],
  ["a 64th of a large one", 16384, [0x04, 0], 0xfc0000, 0x1000000],
  ["the topmost block of a very large one", 32768, [0x04, 0], 0x1ff0000, 0x2000000],
  ["the lowest half of a very large one", 32768, [0x64, 0], 0, 0x1000000],
];

for (const [what, size, status, start, end] of protections) {
  Deno.test(`a flash of ${size} KiB can protect ${what}`, () => {
    const { command } = flash([], `size-kib: ${size}`);
    enabled(command, 0x01, ...status);
    const isProtected = (at: number) => {
      const address = [at >>> 24, (at >> 16) & 0xff, (at >> 8) & 0xff, at & 0xff];
      enabled(command, 0x12, ...address, 0);
      return command(0x13, ...address, 0)[5] === 0xff;
    };
    const last = size * 1024 - 256;
    const places = [0, start - 256, start, end - 256, end, last];
    for (const at of places.filter((at) => at >= 0 && at <= last)) {
      assertEquals(isProtected(at), at >= start && at < end, `at ${at.toString(16)}`);
    }
  });
}

Deno.test("what is protected is not erased, and writing is no longer enabled", () => {
  const { command } = flash([1]);
  enabled(command, 0x01, 0x24);
  for (const erase of [[0x20, 0, 0, 0], [0xd8, 0, 0, 0], [0xc7]]) enabled(command, ...erase);
  assertEquals(command(...read(0, 1)).slice(4), [1]);
  assertEquals(statusOf(command)[0], 0x24);
});

Deno.test("while it erases, a flash answers nothing but its status, also to other guests", () => {
  const { command, another } = flash([1], "size-kib: 256, erase-ms: 500");
  enabled(command, 0x20, 0, 0, 0);
  assertEquals(command(0x05, 0, 0).slice(1), [0x01, 0x01]);
  assertEquals(command(0x9f, 0, 0, 0).slice(1), [0xff, 0xff, 0xff]);
  assertEquals(command(...WRITE_ENABLE), [0xff]);
  const other = another();
  assertEquals([other.exchange(0x05), other.exchange(0)], [0xff, 0x01]);
  pause(501);
  assertEquals(command(0x05, 0)[1], 0);
  assertEquals(command(...read(0, 1)).slice(4), [0xff]);
});

Deno.test("programming takes its time, too, and an erase of the whole chip that of its blocks", () => {
  const { command } = flash([1], "size-kib: 256, erase-ms: 10, program-us: 20000");
  const busyTime = (...bytes: number[]) => {
    const begin = performance.now();
    enabled(command, ...bytes);
    while (command(0x05, 0)[1] & 1);
    return performance.now() - begin;
  };
  assert(busyTime(0x02, 0, 0, 0, 0) >= 20);
  assert(busyTime(0xc7) >= 40);
});

Deno.test("a flash has a table of parameters", () => {
  const { command } = flash([], "size-kib: 1024");
  const table = command(0x5a, 0, 0, 0, 0, ...Array(80).fill(0)).slice(5);
  assertEquals(String.fromCharCode(...table.slice(0, 4)), "SFDP");
  assertEquals(table.slice(8, 16), [0x00, 6, 1, 16, 16, 0, 0, 0xff]);
  const words = new Uint32Array(Uint8Array.from(table).buffer, 16, 16);
  assertEquals(words[1], 8 * 1024 * 1024 - 1);
  assertEquals((words[0] >>> 17) & 3, 0);
});

Deno.test("one of more than 16 MiB says that it takes addresses of four bytes", () => {
  const { command } = flash([], "size-kib: 32768");
  const table = command(0x5a, 0, 0, 0, 0, ...Array(96).fill(0)).slice(5);
  assertEquals(table[6], 1);
  assertEquals(table.slice(16, 24), [0x84, 0, 1, 2, 24 + 64, 0, 0, 0xff]);
  assertEquals((new Uint32Array(Uint8Array.from(table).buffer, 24, 1)[0] >>> 17) & 3, 1);
});

Deno.test("addresses have four bytes by command, by mode and by bank", () => {
  const { command } = flash([], "size-kib: 32768");
  const at = [0x01, 0x02, 0x03, 0x00];
  enabled(command, 0x12, ...at, 0x55);
  assertEquals(command(0x13, ...at, 0)[5], 0x55);
  assertEquals(command(0x0c, ...at, 0, 0)[6], 0x55);
  assertEquals(command(0x03, ...at.slice(1), 0)[4], 0xff);
  command(0xb7);
  assertEquals(command(0x03, ...at, 0)[5], 0x55);
  assertEquals(statusOf(command)[2], 0x01);
  command(0xe9);
  enabled(command, 0xc5, 0x01);
  assertEquals(command(0x03, ...at.slice(1), 0)[4], 0x55);
  assertEquals(command(0xc8, 0)[1], 0x01);
  enabled(command, 0x21, ...at);
  assertEquals(command(0x13, ...at, 0)[5], 0xff);
});

Deno.test("a reset takes back what the power's coming on does not set", () => {
  const { command } = flash([], "size-kib: 32768");
  command(0xb7);
  command(...WRITE_ENABLE);
  command(0x99);
  assertEquals(statusOf(command), [0x02, 0, 0x01]);
  command(0x66);
  command(0x99);
  assertEquals(statusOf(command), [0, 0, 0]);
});
