import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";
import { i2cParts } from "../../../lib/i2c/simulated/parts.ts";
import { OnBus } from "../../support/on_bus.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { pause } from "../../support/wait.ts";

Deno.test("an EEPROM is erased at first, and keeps what is written", () => {
  const chip = new OnBus("24c02");
  assertEquals(chip.transaction([[0x10], 2]), [0xff, 0xff]);
  assertEquals(chip.transaction([[0x10, 1, 2]]), []);
  assertEquals(chip.transaction([[0x0f], 4]), [0xff, 1, 2, 0xff]);
});

Deno.test("an EEPROM reads on from where it is, and begins again after its last byte", () => {
  const chip = new OnBus("24c01");
  chip.transaction([[0x7f, 9]]);
  chip.transaction([[0x00, 5, 6]]);
  assertEquals(chip.transaction([[0x7f], 1]), [9]);
  assertEquals(chip.transaction([2]), [5, 6]);
  assertEquals(chip.transaction([[0x7f], 3]), [9, 5, 6]);
});

Deno.test("bytes written to an EEPROM wrap within a page", () => {
  const chip = new OnBus("24c02");
  chip.transaction([[0x0e, 1, 2, 3, 4]]);
  assertEquals(chip.transaction([[0x08], 9]), [3, 4, 255, 255, 255, 255, 1, 2, 255]);
});

Deno.test("EEPROMs from 24C32 on take addresses of two bytes", () => {
  const chip = new OnBus("24c512");
  chip.transaction([[0x12, 0x34, 7]]);
  assertEquals(chip.transaction([[0x12, 0x34], 2]), [7, 0xff]);
  assertEquals(chip.transaction([[0xff, 0xff], 1]), [0xff]);
});

Deno.test("EEPROMs from 24C04 to 24C16 answer to an address for each 256 bytes", () => {
  for (const [name, count] of [["24c02", 1], ["24c04", 2], ["24c08", 4], ["24c16", 8]] as const) {
    assertStrictEquals(i2cParts.get(name).addressCount, count);
  }
  const chip = new OnBus("24c16");
  chip.transaction([[0x00, 1]], 0);
  chip.transaction([[0x00, 2]], 7);
  assertEquals(chip.transaction([[0x00], 1], 0), [1]);
  assertEquals(chip.transaction([[0x00], 1], 7), [2]);
  assertEquals(chip.transaction([[0xff], 2], 6), [0xff, 2]);
});

Deno.test("an EEPROM does not acknowledge its address during the write cycle", () => {
  const chip = new OnBus("24c02", "write-cycle-ms: 30");
  chip.transaction([[0x00, 1]]);
  assertEquals(chip.transaction([[0x00], 1]), "no address");
  assertEquals(chip.transaction([[0x00], 1], 0, 1), "no address");
  pause(40);
  assertEquals(chip.transaction([[0x00], 1]), [1]);
  assertEquals(chip.transaction([1]), [0xff]);
});

Deno.test("a read-only EEPROM takes writes and ignores them", () => {
  const chip = new OnBus("24c02", "read-only: true");
  assertEquals(chip.transaction([[0x00, 1, 2]]), []);
  assertEquals(chip.transaction([[0x00], 2]), [0xff, 0xff]);
});

Deno.test("guests share an EEPROM's contents and place", () => {
  const chip = new OnBus("24c02");
  chip.transaction([[0x00, 1, 2, 3]], 0, 0);
  assertEquals(chip.transaction([[0x00], 2], 0, 1), [1, 2]);
  assertEquals(chip.transaction([1], 0, 0), [3]);
});

Deno.test("an EEPROM's file is made, kept up to date, and read at the next start", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("eeprom");
  const yaml = `file: ${file}`;
  const chip = new OnBus("24c02", yaml);
  assertEquals(Deno.readFileSync(file), new Uint8Array(256).fill(0xff));
  chip.transaction([[0x10, 1, 2]], 0, 0);
  chip.transaction([[0x11, 3]], 0, 1);
  assertEquals([...Deno.readFileSync(file).subarray(0x0f, 0x13)], [0xff, 1, 3, 0xff]);
  chip.close();
  const again = new OnBus("24c02", yaml);
  assertEquals(again.transaction([[0x10], 2]), [1, 3]);
  again.close();
});

Deno.test("an EEPROM's file may be shorter than the chip, but not longer", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("eeprom");
  Deno.writeFileSync(file, Uint8Array.of(1, 2, 3));
  const chip = new OnBus("24c02", `file: ${file}`);
  assertEquals(chip.transaction([[0x01], 3]), [2, 3, 0xff]);
  chip.close();
  Deno.writeFileSync(file, new Uint8Array(257));
  assertMatch(
    assertThrows(() => new OnBus("24c02", `file: ${file}`), UsageError).message,
    /has 257 bytes, more than the 256 of the part/,
  );
});

Deno.test("an EEPROM's file that cannot be made or read is explained", () => {
  using folder = new TemporaryFolder();
  assertThrows(() => new OnBus("24c02", `file: ${folder.file("none/eeprom")}`), RuntimeError);
  assertThrows(
    () => new OnBus("24c02", `{ file: ${folder.file("eeprom")}, read-only: true }`),
    RuntimeError,
  );
});

Deno.test("temperature sensors show the temperature in as many bits as they have", () => {
  const readings = (name: string, celsius: number) =>
    new OnBus(name, `temperature: ${celsius}`).transaction([[0], 2]);
  assertEquals(readings("lm75", 23.5), [23, 0x80]);
  assertEquals(readings("lm75", 23.3), [23, 0x80]);
  assertEquals(readings("lm75b", 23.125), [23, 0x20]);
  assertEquals(readings("tmp75", 23.0625), [23, 0x10]);
  assertEquals(readings("lm75", -55), [0xc9, 0]);
  assertEquals(readings("lm75", -0.5), [0xff, 0x80]);
  assertEquals(readings("lm75", 125), [125, 0]);
});

Deno.test("a temperature sensor has its four registers", () => {
  const chip = new OnBus("lm75");
  assertEquals(chip.transaction([[2], 2]), [75, 0]);
  assertEquals(chip.transaction([[3], 4]), [80, 0, 80, 0]);
  chip.transaction([[3, 60, 0x80]]);
  chip.transaction([[1, 0x5a]]);
  chip.transaction([[0, 1, 1]]);
  assertEquals(chip.transaction([[3], 2]), [60, 0x80]);
  assertEquals(chip.transaction([[1], 2]), [0x5a, 0x5a]);
  assertEquals(chip.transaction([[0], 2]), [25, 0]);
  assertEquals(chip.transaction([2]), [25, 0]);
});

Deno.test("a temperature file is looked at again, but not while the sensor is shut down", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("temperature");
  Deno.writeTextFileSync(file, "20.5\n");
  const log = new RecordingLog();
  const chip = new OnBus("lm75", `temperature-file: ${file}`, log.logger);
  assertEquals(chip.transaction([[0], 2]), [20, 0x80]);
  Deno.writeTextFileSync(file, "30");
  chip.transaction([[1, 1]]);
  pause(120);
  assertEquals(chip.transaction([[0], 2]), [20, 0x80]);
  chip.transaction([[1, 0]]);
  assertEquals(chip.transaction([[0], 2]), [30, 0]);
  Deno.removeSync(file);
  pause(120);
  assertEquals(chip.transaction([[0], 2]), [30, 0]);
  assertEquals(log.of("warn").length, 1);
});

Deno.test("a temperature file that has become a pipe is not waited for", () => {
  using folder = new TemporaryFolder();
  const file = folder.file("temperature");
  Deno.writeTextFileSync(file, "20.5\n");
  const log = new RecordingLog();
  const chip = new OnBus("lm75", `temperature-file: ${file}`, log.logger);
  Deno.removeSync(file);
  new Deno.Command("mkfifo", { args: [file] }).outputSync();
  pause(120);
  assertEquals(chip.transaction([[0], 2]), [20, 0x80]);
  assertEquals(log.of("warn").length, 1);
  assertThrows(() => new OnBus("lm75", `temperature-file: ${file}`), RuntimeError);
});

Deno.test("a temperature out of range, or no number, is refused", () => {
  for (const yaml of ["temperature: 126", "temperature: warm", "temperature: -56"]) {
    assertThrows(() => new OnBus("lm75", yaml), UsageError);
  }
  assertThrows(() => new OnBus("lm75", "temperature-file: /nowhere/at/all"), RuntimeError);
});

Deno.test("registers have the values they were given, and take others", () => {
  const chip = new OnBus("registers", "{ registers: 4, values: { 1: [0x12, 0x34] } }");
  assertEquals(chip.transaction([[0], 6]), [0, 0x12, 0x34, 0, 0, 0x12]);
  chip.transaction([[3, 7, 8]]);
  assertEquals(chip.transaction([[3], 2]), [7, 8]);
  assertEquals(chip.transaction([[4]]), "no byte 0");
});

Deno.test("read-only registers keep their values", () => {
  const chip = new OnBus("registers", "{ read-only: true, values: { 0: 5 } }");
  chip.transaction([[0, 1]]);
  assertEquals(chip.transaction([[0], 1]), [5]);
});

Deno.test("values beyond the last register, or no bytes, are refused", () => {
  for (const values of ["{ 3: [1, 2] }", "{ 4: [] }", "{ 0: {} }"]) {
    assertThrows(() => new OnBus("registers", `{ registers: 4, values: ${values} }`), UsageError);
  }
  assertThrows(() => new OnBus("registers", "values: { 0: [256] }"), UsageError);
});

Deno.test("a chip that NAKs does not acknowledge its address", () => {
  const chip = new OnBus("nak");
  assertEquals(chip.transaction([[0]]), "no address");
  assertEquals(chip.transaction([1]), "no address");
});

Deno.test("a chip that NAKs data takes as many bytes as it is told", () => {
  const chip = new OnBus("nak", "after: 2");
  assertEquals(chip.transaction([[0, 1, 2, 3]]), "no byte 2");
  assertEquals(chip.transaction([[0], 2]), [1, 0]);
});

Deno.test("a chip that NAKs every so often counts the transactions of all guests", () => {
  const chip = new OnBus("nak", "every: 3");
  const outcomes = Array.from({ length: 6 }, (_, n) => chip.transaction([[0], 1], 0, n % 2));
  assertEquals(outcomes, [[0], [0], "no address", [0], [0], "no address"]);
});

Deno.test("a chip that stretches the clock says for how long, and is a register file otherwise", () => {
  const chip = new OnBus("stretch", "microseconds: 20000");
  assertStrictEquals(chip.stretch, 20);
  assertEquals(chip.transaction([[0, 5], [0], 1]), [5]);
});
