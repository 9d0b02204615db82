import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { PropertyError } from "../../../lib/simulation/check_value.ts";
import { OnBus } from "../../support/on_bus.ts";
import { pause } from "../../support/wait.ts";

const TMP102 = { temperature: 0, configuration: 1, low: 2, high: 3 } as const;

Deno.test("TMP102: it measures in sixteenths, in 12 bits or 13", () => {
  const reading = (celsius: number, configuration = 0x60a0) => {
    const chip = new OnBus("tmp102", `temperature: ${celsius}`);
    chip.writeWord(TMP102.configuration, configuration);
    return chip.readWord(TMP102.temperature);
  };
  assertStrictEquals(reading(25.0625), 0x1910);
  assertStrictEquals(reading(-25), 0xe700);
  assertStrictEquals(reading(150), 0x7ff0);
  assertStrictEquals(reading(150, 0x60b0), 0x4b01);
  assertStrictEquals(reading(-0.0625, 0x60b0), 0xfff9);
});

Deno.test("TMP102: its registers are those of the data sheet when the power comes on", () => {
  const chip = new OnBus("tmp102");
  assertEquals([0, 1, 2, 3].map((at) => chip.readWord(at)), [0x1900, 0x60a0, 0x4b00, 0x5000]);
  chip.writeWord(TMP102.temperature, 0x1234);
  assertStrictEquals(chip.readWord(TMP102.temperature), 0x1900);
  assertEquals(chip.transaction([4]), [0x19, 0, 0x19, 0]);
});

Deno.test("TMP102: while it is shut down it measures only when it is told to", () => {
  const chip = new OnBus("tmp102");
  chip.writeWord(TMP102.configuration, 0x61a0);
  assertStrictEquals(chip.get("shutdown"), true);
  chip.set("temperature", 30);
  assertStrictEquals(chip.readWord(TMP102.temperature), 0x1900);
  chip.writeWord(TMP102.configuration, 0xe1a0);
  assertStrictEquals(chip.readWord(TMP102.temperature), 0x1e00);
  assertStrictEquals(chip.readWord(TMP102.configuration), 0xe1a0);
});

Deno.test("TMP102: ALERT calls from the high limit on until it is below the low one", () => {
  const chip = new OnBus("tmp102");
  assertEquals([chip.get("limit"), chip.get("hysteresis")], [80, 75]);
  const calls = (celsius: number) => {
    chip.set("temperature", celsius);
    const bit = (chip.readWord(TMP102.configuration) & 0x20) === 0;
    assertStrictEquals(chip.get("interrupt"), bit);
    return bit;
  };
  assertEquals([79.9375, 80, 75, 74.9375, 79].map(calls), [false, true, true, false, false]);
  chip.writeWord(TMP102.high, 0x4000);
  assertStrictEquals(chip.get("limit"), 64);
  assertStrictEquals(chip.get("interrupt"), true);
});

Deno.test("TMP102: in interrupt mode ALERT calls at both limits until something is read", () => {
  const chip = new OnBus("tmp102");
  chip.writeWord(TMP102.configuration, 0x62a0);
  for (const celsius of [81, 70]) {
    chip.set("temperature", celsius);
    assertStrictEquals(chip.get("interrupt"), true);
    chip.readWord(TMP102.low);
    assertStrictEquals(chip.get("interrupt"), false);
  }
});

const crc = (bytes: number[]) => {
  // The data sheet's example: 0xbeef has 0x92.
  let value = 0xff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 0x80 ? value << 1 & 0xff ^ 0x31 : value << 1;
  }
  return value;
};
const withCrc = (...words: number[]) =>
  words.flatMap((word) => [word >> 8, word & 0xff, crc([word >> 8, word & 0xff])]);

/** What has to be seen within milliseconds may be missed on a loaded machine, but not always. */
function atLeastOnce(isSeen: () => boolean): void {
  for (let tries = 0; !isSeen(); tries++) assert(tries < 1000);
}

const SINGLE = [0x24, 0x16];
const FETCH = [0xe0, 0x00];

Deno.test("SHT3x: a measurement takes its time, has checksums, and is read once", () => {
  assertStrictEquals(crc([0xbe, 0xef]), 0x92);
  const chip = new OnBus("sht3x", "{ temperature: 42.5, humidity: 100 }");
  assertEquals(chip.transaction([6]), "no address");
  atLeastOnce(() => chip.transaction([[0x24, 0x00], 6]) === "no address");
  pause(20);
  assertEquals(chip.transaction([6]), withCrc(0x8000, 0xffff));
  assertEquals(chip.transaction([6]), "no address");
});

Deno.test("SHT3x: where the clock is to be stretched it says for how long", () => {
  const chip = new OnBus("sht3x", "{ temperature: -45, humidity: 0 }");
  atLeastOnce(() => {
    chip.transaction([[0x2c, 0x06]]);
    const stretch = chip.stretch ?? 0;
    return stretch > 0 && stretch <= 12.5;
  });
  assertEquals(chip.transaction([6]), withCrc(0, 0));
  assertStrictEquals(chip.stretch, 0);
});

Deno.test("SHT3x: it measures again and again until it is told to end", () => {
  const chip = new OnBus("sht3x", "temperature: 130");
  chip.transaction([[0x20, 0x32]]);
  assertEquals((chip.transaction([FETCH, 2]) as number[])[0], 0xff);
  assertEquals(chip.transaction([FETCH, 2]), "no address");
  chip.transaction([[0x27, 0x37]]);
  assertEquals((chip.transaction([FETCH, 2]) as number[])[0], 0xff);
  chip.set("temperature", -45);
  pause(110);
  assertEquals(chip.transaction([FETCH, 2], 0, 1), [0, 0]);
  chip.transaction([[0x30, 0x93]]);
  pause(110);
  assertEquals(chip.transaction([FETCH, 2]), "no address");
});

Deno.test("SHT3x: limits are written with a checksum, and not with a wrong one", () => {
  const chip = new OnBus("sht3x");
  // 60 °C and 80 %, as the data sheet has it but for the rounding.
  assertEquals(chip.transaction([[0xe1, 0x1f], 3]), withCrc(0xcd33));
  chip.transaction([[0x61, 0x1d, ...withCrc(0x1234)]]);
  assertEquals(chip.transaction([[0xe1, 0x1f], 3]), withCrc(0x1234));
  chip.transaction([[0x61, 0x1d, 0x43, 0x21, 0x00]]);
  assertEquals(chip.transaction([[0xe1, 0x1f], 3]), withCrc(0x1234));
  assertEquals(chip.transaction([[0xf3, 0x2d], 3]), withCrc(0x0011));
  chip.transaction([[0x30, 0x41]]);
  assertEquals(chip.transaction([[0xf3, 0x2d], 3]), withCrc(0x0000));
});

Deno.test("SHT3x: a result beyond a limit calls until one is within", () => {
  const chip = new OnBus("sht3x");
  const calls = (celsius: number, humidity: number) => {
    chip.set("temperature", celsius);
    chip.set("humidity", humidity);
    chip.transaction([SINGLE]);
    pause(5);
    return [chip.get("interrupt"), (chip.transaction([[0xf3, 0x2d], 2]) as number[])[0]];
  };
  assertEquals(calls(59, 50), [false, 0]);
  assertEquals(calls(62, 50), [true, 0x84]);
  assertEquals(calls(59, 50), [true, 0x84]);
  assertEquals(calls(57, 90), [true, 0x88]);
  assertEquals(calls(57, 50), [false, 0]);
  assertEquals(calls(-20, 10), [true, 0x8c]);
});

Deno.test("SHT3x: heater, serial number, reset, and a command that there is not", () => {
  const chip = new OnBus("sht3x", "serial-number: 0x12345678");
  assertEquals(chip.transaction([[0x37, 0x80], 6]), withCrc(0x1234, 0x5678));
  chip.transaction([[0x30, 0x6d]]);
  assertStrictEquals(chip.get("heater"), true);
  assertEquals(chip.transaction([[0x12, 0x34]]), "no byte 1");
  assertEquals(chip.transaction([[0xf3, 0x2d], 2]), [0x20, 0x10]);
  chip.transaction([[0x30, 0xa2]]);
  assertStrictEquals(chip.get("heater"), false);
});

Deno.test("INA219: voltage and current are in its registers, and what follows from the calibration", () => {
  const chip = new OnBus("ina219", "{ voltage: 12, current: 1.5, shunt: 0.1 }");
  assertStrictEquals(chip.readWord(0), 0x399f);
  assertStrictEquals(chip.readWord(1), 15000);
  assertStrictEquals(chip.readWord(2), 3000 << 3 | 2);
  assertEquals([chip.readWord(3), chip.readWord(4)], [0, 0]);
  chip.writeWord(5, 4097);
  assertStrictEquals(chip.readWord(5), 4096);
  assertEquals([chip.readWord(3), chip.readWord(4)], [9000, 15000]);
  chip.set("current", -1.5);
  assertEquals([chip.readWord(1), chip.readWord(3), chip.readWord(4)], [50536, 9000, 50536]);
});

Deno.test("INA219: what is beyond its ranges shows as their ends", () => {
  const chip = new OnBus("ina219", "{ voltage: 26, current: 10, shunt: 0.1 }");
  assertStrictEquals(chip.readWord(1), 32000);
  chip.writeWord(0, 0x019f);
  assertStrictEquals(chip.readWord(1), 4000);
  assertStrictEquals(chip.readWord(2) >> 3, 4000);
});

Deno.test("INA219: a calculation that does not fit says so", () => {
  const chip = new OnBus("ina219", "{ voltage: 12, current: 1.5, shunt: 0.1 }");
  chip.writeWord(5, 0xfffe);
  assertStrictEquals(chip.readWord(2) & 1, 1);
});

Deno.test("INA219: it measures what its mode says, and when it is told to", () => {
  const chip = new OnBus("ina219", "{ voltage: 12, current: 1, shunt: 0.1 }");
  chip.writeWord(0, 0x3998);
  chip.set("voltage", 5);
  assertStrictEquals(chip.readWord(2), 3000 << 3);
  chip.writeWord(0, 0x3999);
  chip.set("current", 2);
  assertStrictEquals(chip.readWord(2) >> 3, 3000);
  chip.writeWord(0, 0x399a);
  assertEquals([chip.readWord(1), chip.readWord(2) >> 3], [10000, 1250]);
});

Deno.test("power monitors: the power can be set, and the current follows", () => {
  const chip = new OnBus("ina226", "{ voltage: 10, shunt: 0.01 }");
  chip.set("power", 20);
  assertEquals([chip.get("current"), chip.get("power")], [2, 20]);
  assertStrictEquals(chip.readWord(1), 8000);
  chip.set("voltage", 0);
  assertThrows(() => chip.set("power", 20), PropertyError, "more than 100 A");
  chip.set("power", 0);
});

Deno.test("INA226: its registers have finer steps, and it says who made it", () => {
  const chip = new OnBus("ina226", "{ voltage: 12, current: 1.5, shunt: 0.01 }");
  chip.writeWord(5, 2048);
  assertEquals([0, 1, 2, 3, 4, 5].map((at) => chip.readWord(at)), [
    ...[0x4127, 6000, 9600, 2880, 6000, 2048],
  ]);
  assertEquals([chip.readWord(0xfe), chip.readWord(0xff)], [0x5449, 0x2260]);
  chip.writeWord(0, 0x8000);
  assertStrictEquals(chip.readWord(5), 0);
});

Deno.test("INA226: ALERT calls while what it is for is beyond the limit", () => {
  const chip = new OnBus("ina226", "{ voltage: 12, current: 1, shunt: 0.01 }");
  chip.writeWord(7, 9600);
  const calls = (volts: number) => {
    chip.set("voltage", volts);
    assertStrictEquals((chip.readWord(6) & 0x10) !== 0, chip.get("interrupt"));
    return chip.get("interrupt");
  };
  chip.writeWord(6, 0x2000);
  assertEquals([12, 12.5, 12].map(calls), [false, true, false]);
  chip.writeWord(6, 0x1000);
  assertEquals([12, 11.5].map(calls), [false, true]);
  chip.writeWord(6, 0x8000);
  chip.writeWord(7, 4000);
  assertStrictEquals(chip.get("interrupt"), false);
  chip.set("current", 1.01);
  assertStrictEquals(chip.get("interrupt"), true);
  chip.writeWord(6, 0x4000);
  assertStrictEquals(chip.get("interrupt"), false);
});

Deno.test("INA226: a latched alert goes on until it is read", () => {
  const chip = new OnBus("ina226", "{ voltage: 12, shunt: 0.01 }");
  chip.writeWord(7, 9600);
  chip.writeWord(6, 0x2001);
  chip.set("voltage", 13);
  chip.set("voltage", 12);
  assertStrictEquals(chip.get("interrupt"), true);
  assertStrictEquals(chip.readWord(6) & 0x10, 0x10);
  assertStrictEquals(chip.get("interrupt"), false);
  assertStrictEquals(chip.readWord(6) & 0x10, 0);
});

const ADS = { conversion: 0, configuration: 1, low: 2, high: 3 } as const;

Deno.test("ADS1015: it converts an input or the difference of two, in the range it is told", () => {
  const chip = new OnBus("ads1015", "{ ain0: 1, ain1: 0.25, ain3: 3.3 }");
  assertStrictEquals(chip.readWord(ADS.configuration), 0x8583);
  const convert = (multiplexer: number, range: number) => {
    chip.writeWord(ADS.configuration, 0x8183 | multiplexer << 12 | range << 9);
    const value = chip.readWord(ADS.conversion);
    return (value >= 0x8000 ? value - 0x10000 : value) / 16;
  };
  assertStrictEquals(convert(4, 2), 1000);
  assertStrictEquals(convert(4, 1), 500);
  assertStrictEquals(convert(5, 5), 2000);
  assertStrictEquals(convert(7, 2), 2047);
  assertStrictEquals(convert(0, 2), 750);
  assertStrictEquals(convert(1, 0), -767);
  assertStrictEquals(convert(3, 1), -1650);
  assertStrictEquals(convert(6, 2), 0);
});

Deno.test("ADS1115: it converts in 16 bits", () => {
  const chip = new OnBus("ads1115", "ain0: 1");
  chip.writeWord(ADS.configuration, 0xc583);
  assertStrictEquals(chip.readWord(ADS.conversion), 16000);
  chip.writeWord(ADS.high, 0x1234);
  assertStrictEquals(chip.readWord(ADS.high), 0x1234);
});

Deno.test("ADS1015: a single conversion stays until the next is asked for", () => {
  const chip = new OnBus("ads1015", "ain0: 1");
  chip.writeWord(ADS.configuration, 0xc583);
  chip.set("ain0", 2);
  assertStrictEquals(chip.readWord(ADS.conversion), 16000);
  chip.writeWord(ADS.configuration, 0x4583);
  assertStrictEquals(chip.readWord(ADS.conversion), 16000);
  chip.writeWord(ADS.configuration, 0x4483);
  assertStrictEquals(chip.readWord(ADS.conversion), 32000);
  chip.set("ain0", 0.5);
  assertStrictEquals(chip.readWord(ADS.conversion), 8000);
});

Deno.test("ADS1015: ALERT calls above one threshold until it is below the other", () => {
  const chip = new OnBus("ads1015");
  chip.writeWord(ADS.low, 16000);
  chip.writeWord(ADS.high, 24000 | 0xf);
  assertStrictEquals(chip.readWord(ADS.high), 24000);
  chip.writeWord(ADS.configuration, 0x4480);
  const calls = (volts: number) => {
    chip.set("ain0", volts);
    return chip.get("interrupt");
  };
  assertEquals([1.5, 1.6, 1.2, 0.9, 1.2].map(calls), [false, true, true, false, false]);
  chip.writeWord(ADS.configuration, 0x4490);
  assertEquals([1.6, 1.2, 0.9].map(calls), [true, false, true]);
  chip.writeWord(ADS.configuration, 0x4494);
  assertEquals([1.2, 1.6, 1.2].map(calls), [true, true, true]);
  chip.readWord(ADS.conversion);
  assertStrictEquals(chip.get("interrupt"), false);
  chip.writeWord(ADS.configuration, 0x4493);
  assertStrictEquals(calls(1.6), false);
});
