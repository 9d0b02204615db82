import { assert, assertEquals, assertMatch } from "@std/assert";
import { I2cWave } from "../../../lib/trace/i2c_wave.ts";
import { type SpiTransfer, SpiWave } from "../../../lib/trace/spi_wave.ts";
import { VcdWriter, type Wire, wireName } from "../../../lib/trace/vcd.ts";

/** A dump with these wires, and a function that returns what follows its declarations. */
function dump(...names: string[]) {
  let text = "";
  const decoder = new TextDecoder();
  const vcd = new VcdWriter((bytes) => text += decoder.decode(bytes), "today", "test 1");
  const wires = names.map((name) => vcd.wire(name, name.startsWith("M") ? "z" : 1));
  vcd.begin();
  vcd.flush();
  const head = text.length;
  const body = () => {
    vcd.flush();
    return text.slice(head);
  };
  return { vcd, wires, body, whole: () => text };
}

/** The level of a wire whenever another rises or falls. */
function sampled(body: string, clock: Wire, data: Wire, edge: "0" | "1"): string {
  const code = (wire: Wire) => new TextDecoder().decode(wire.code);
  let level = "?", samples = "";
  for (const line of body.split("\n")) {
    if (line.slice(1) === code(data)) level = line[0];
    if (line === edge + code(clock)) samples += level;
  }
  return samples;
}

const transfer: SpiTransfer = {
  chipSelect: 0,
  polarity: 0,
  phase: 0,
  lsbFirst: false,
  csHigh: false,
  bitsPerWord: 8,
  frequency: 1_000_000,
  txLines: 1,
  rxLines: 1,
  length: 0,
  sent: new Uint8Array(0),
  received: new Uint8Array(0),
};

Deno.test("a dump declares its wires, and has their first levels", () => {
  const { body, whole } = dump("SCL", "MISO");
  assertEquals(body(), "");
  assertMatch(whole(), /^\$date today \$end\n\$version test 1 \$end\n\$timescale 1 ns \$end\n/);
  assertMatch(whole(), /\$var wire 1 ! SCL \$end\n\$var wire 1 " MISO \$end\n\$enddef/);
  assertMatch(whole(), /#0\n\$dumpvars\n1!\nz"\n\$end\n$/);
});

Deno.test("codes of wires are unique, and printable", () => {
  const { wires } = dump(...Array.from({ length: 10_000 }, (_, index) => `wire${index}`));
  const codes = new Set(wires.map(({ code }) => new TextDecoder().decode(code)));
  assertEquals(codes.size, 10_000);
  for (const code of codes) assertMatch(code, /^[!-~]{1,3}$/);
});

Deno.test("names that would be taken for something else are changed", () => {
  assertEquals(wireName("relay sense"), "relay_sense");
  assertEquals(wireName("bus[0]"), "bus_0_");
  assertEquals(wireName("$end"), "_end");
});

Deno.test("changes of one time have one time stamp, and time never goes back", () => {
  const { vcd, wires: [a, b], body } = dump("a", "b");
  vcd.change(100, a, 0);
  vcd.change(100, b, 0);
  vcd.change(50, a, 1);
  vcd.change(1e12 + 0.4, b, "x");
  assertEquals(body(), '#100\n0!\n0"\n1!\n#1000000000000\nx"\n');
});

Deno.test("pieces end with whole lines, however much there is", () => {
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  const vcd = new VcdWriter((bytes) => pieces.push(decoder.decode(bytes)), "today", "test 1");
  const wire = vcd.wire("a", 0);
  vcd.begin();
  for (let time = 1; time <= 50_000; time++) vcd.change(time, wire, (time % 2) as 0 | 1);
  vcd.flush();
  for (const piece of pieces) assert(piece.endsWith("\n"));
  assertEquals(pieces.join("").split("\n").filter((line) => line.startsWith("#")).length, 50_001);
});

Deno.test("an I2C byte has its highest bit first, and the acknowledge bit last", () => {
  const { vcd, wires: [scl, sda], body } = dump("SCL", "SDA");
  const wave = new I2cWave(vcd, scl, sda);
  wave.start(1000, 100_000);
  wave.address(0x50, false, false, true);
  wave.byte(0x0f, false);
  wave.stop();
  assertEquals(sampled(body(), scl, sda, "1"), "10100000" + "0" + "00001111" + "1" + "0");
  // The stop comes 19 bits of 10 µs after the start: 18 bits, and the halves of start and stop.
  const times = [...body().matchAll(/^#(\d+)$/gm)].map(([, time]) => Number(time));
  assertEquals(times[0], 1000);
  assertEquals(times.at(-1)! - times[0], 18 * 10_000 + 7500 + 5000);
});

Deno.test("a 10-bit read addresses twice, with a repeated start", () => {
  const { vcd, wires: [scl, sda], body } = dump("SCL", "SDA");
  const wave = new I2cWave(vcd, scl, sda);
  wave.start(0, 400_000);
  wave.address(0x250, true, true, true);
  wave.stop();
  assertEquals(
    sampled(body(), scl, sda, "1"),
    "11110100" + "0" + "01010000" + "0" + "1" + "11110101" + "0" + "0",
  );
});

Deno.test("a transaction begins no sooner than the one before it has ended", () => {
  const { vcd, wires: [scl, sda], body } = dump("SCL", "SDA");
  const wave = new I2cWave(vcd, scl, sda);
  for (const time of [0, 10]) {
    wave.start(time, 100_000);
    wave.byte(0, true);
    wave.stop();
  }
  const code = new TextDecoder().decode(sda.code);
  assertEquals(body().split("\n").filter((line) => line === `0${code}`).length, 2);
});

for (
  const { polarity, phase } of [
    { polarity: 0, phase: 0 },
    { polarity: 0, phase: 1 },
    { polarity: 1, phase: 0 },
    { polarity: 1, phase: 1 },
  ] as const
) {
  Deno.test(`SPI mode ${2 * polarity + phase} has its data still at the edge that samples`, () => {
    const { vcd, wires: [sclk, mosi, miso, select], body } = dump("SCLK", "MOSI", "MISO", "CS0");
    const wave = new SpiWave(vcd, { sclk, data: [mosi, miso], selects: [select] });
    const both = { sent: Uint8Array.of(0xa5, 0x01), received: Uint8Array.of(0x3c, 0x80) };
    wave.transfer(0, { ...transfer, polarity, phase, ...both });
    wave.deselect(0);
    const edge = polarity === phase ? "1" : "0";
    // A clock that has to change its level at rest first is no bit.
    const selected = body().slice(body().indexOf(`0${new TextDecoder().decode(select.code)}`));
    assertEquals(sampled(selected, sclk, mosi, edge), "10100101" + "00000001");
    assertEquals(sampled(selected, sclk, miso, edge), "00111100" + "10000000");
  });
}

Deno.test("SPI words of 16 bits, and with the lowest bit first", () => {
  const { vcd, wires: [sclk, mosi, miso, select], body } = dump("SCLK", "MOSI", "MISO", "CS0");
  const wave = new SpiWave(vcd, { sclk, data: [mosi, miso], selects: [select] });
  wave.transfer(0, { ...transfer, bitsPerWord: 16, sent: Uint8Array.of(0x34, 0x12) });
  wave.transfer(0, { ...transfer, lsbFirst: true, sent: Uint8Array.of(0x12) });
  assertEquals(sampled(body(), sclk, mosi, "1"), "0001001000110100" + "01001000");
});

Deno.test("four lines carry four bits at a time, the highest on the highest", () => {
  const names = ["SCLK", "MOSI", "MISO", "MIO2", "MIO3", "CS0"];
  const { vcd, wires, body } = dump(...names);
  const [sclk, , , , , select] = wires;
  const wave = new SpiWave(vcd, { sclk, data: wires.slice(1, 5), selects: [select] });
  wave.transfer(0, { ...transfer, rxLines: 4, received: Uint8Array.of(0xa1, 0x0f) });
  const seen = wires.slice(1, 5).map((wire) => sampled(body(), sclk, wire, "1"));
  assertEquals(seen, ["0101", "1001", "0001", "1001"]);
});

Deno.test("a chip stays selected from one transfer to the next, until another one's turn", () => {
  const { vcd, wires: [sclk, mosi, miso, cs0, cs1], body } = dump(
    ...["SCLK", "MOSI", "MISO", "CS0", "CS1"],
  );
  const wave = new SpiWave(vcd, { sclk, data: [mosi, miso], selects: [cs0, cs1] });
  const one = { ...transfer, sent: Uint8Array.of(0) };
  wave.transfer(0, one);
  wave.transfer(0, one);
  wave.transfer(0, { ...one, chipSelect: 1 });
  wave.deselect(0);
  const codes = [cs0, cs1].map(({ code }) => new TextDecoder().decode(code));
  const changes = body().split("\n").filter((line) => codes.includes(line.slice(1)));
  assertEquals(changes, [`0${codes[0]}`, `1${codes[0]}`, `0${codes[1]}`, `1${codes[1]}`]);
});
