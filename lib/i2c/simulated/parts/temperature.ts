/**
 * Temperature sensors of the LM75 family.
 *
 * Registers, chosen by the first byte written; the two-byte ones have the high byte first:
 *
 * ```
 * 0  temperature, read only, 2 bytes: two's complement, in 1/256 °C, low bits 0
 * 1  configuration, 1 byte; bit 0 stops the measuring
 * 2  hysteresis, 2 bytes, 75 °C when the power comes on
 * 3  limit, 2 bytes, 80 °C when the power comes on
 * ```
 *
 * The temperature is what the configuration says, or what a file says at the time: a number in
 * degrees Celsius, looked at as often as the sensor measures.
 *
 * State: u8 pointer, u8 configuration, be16 temperature, be16 hysteresis, be16 limit,
 * f64 time of the last measurement in milliseconds.
 *
 * Source: data sheets of LM75, LM75B and TMP75.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { readFile } from "../../../../ffi/file.ts";
import type { ConfigNode } from "../../../input/config_node.ts";
import { RuntimeError } from "../../../errors.ts";
import type { Chip, ChipModel } from "../part.ts";

interface TemperatureConfig {
  /** In degrees Celsius. */
  readonly temperature: number;
  /** A file that says so instead. */
  readonly file: string | undefined;
  /** How fine it measures: bits after the point. */
  readonly fraction: number;
}

const FRACTIONS: Readonly<Record<string, number>> = { lm75: 1, lm75b: 3, tmp75: 4 };

const POINTER = 0;
const CONFIGURATION = 1;
const TEMPERATURE = 2;
const MEASURED = 8;
const STATE_SIZE = 16;

const REGISTER_CONFIGURATION = 1;
const REGISTERS = 4;
const SHUTDOWN = 1;
/** From one measurement to the next, in milliseconds. */
const CONVERSION_TIME = 100;
const MINIMUM = -55;
const MAXIMUM = 125;
const USUAL = 25;
/** More than any number takes, in bytes: what a file under `/sys` has at most. */
const MAX_SIZE = 4096;

/** A temperature as the register has it. */
function encode(celsius: number, fraction: number): number {
  const within = Math.min(MAXIMUM, Math.max(MINIMUM, celsius));
  return Math.round(within * 2 ** fraction) * 2 ** (8 - fraction);
}

function celsius(node: ConfigNode): number {
  const value = node.isNumber ? Number(node.source) : NaN;
  return value >= MINIMUM && value <= MAXIMUM
    ? value
    : node.fail(`expected a temperature from ${MINIMUM} to ${MAXIMUM}, in °C`);
}

function readTemperature(file: string): number {
  const bytes = readFile(file, MAX_SIZE);
  if (bytes === undefined) throw new TypeError("it is too long to be a number");
  const text = new TextDecoder().decode(bytes).trim();
  const celsius = Number(text);
  if (text === "" || !Number.isFinite(celsius)) throw new TypeError(`'${text}' is no number`);
  return celsius;
}

class TemperatureSensor implements Chip {
  readonly #config: TemperatureConfig;
  readonly #state: DataView;
  readonly #log: Logger;
  #warned = false;
  /** How many bytes of the message have been written or read. */
  #count = 0;

  constructor(config: TemperatureConfig, state: DataView, log: Logger) {
    this.#config = config;
    this.#state = state;
    this.#log = log;
  }

  start(read: boolean): boolean {
    this.#count = 0;
    if (read && this.#config.file !== undefined) this.#measure(this.#config.file);
    return true;
  }

  write(byte: number): boolean {
    const count = this.#count++;
    if (count === 0) {
      this.#state.setUint8(POINTER, byte % REGISTERS);
      return true;
    }
    const register = this.#state.getUint8(POINTER);
    if (register === REGISTER_CONFIGURATION) this.#state.setUint8(CONFIGURATION, byte);
    else if (register > REGISTER_CONFIGURATION) this.#state.setUint8(this.#place(count - 1), byte);
    return true;
  }

  read(): number {
    const count = this.#count++;
    return this.#state.getUint8(this.#place(count));
  }

  stop(): void {}

  /** Where the chosen register is in the state; two-byte registers begin again after the second. */
  #place(count: number): number {
    const register = this.#state.getUint8(POINTER);
    if (register === REGISTER_CONFIGURATION) return CONFIGURATION;
    const word = register === 0 ? 0 : register - 1;
    return TEMPERATURE + 2 * word + count % 2;
  }

  #measure(file: string): void {
    const state = this.#state;
    if (state.getUint8(CONFIGURATION) & SHUTDOWN) return;
    const now = Date.now();
    const age = now - state.getFloat64(MEASURED);
    if (age >= 0 && age < CONVERSION_TIME) return;
    state.setFloat64(MEASURED, now);
    try {
      state.setInt16(TEMPERATURE, encode(readTemperature(file), this.#config.fraction));
      this.#warned = false;
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      this.#log.warn(
        `temperature file '${file}': ${(error as Error).message}; the last temperature stays`,
      );
    }
  }
}

/** `lm75`, `lm75b`, `tmp75` */
export const temperature: ChipModel<TemperatureConfig> = {
  names: Object.keys(FRACTIONS),
  keys: ["temperature", "temperature-file"],

  configure(name, values) {
    const file = values["temperature-file"];
    if (file !== undefined && values.temperature !== undefined) {
      return file.fail("exclude each other: 'temperature' and 'temperature-file'");
    }
    return {
      temperature: values.temperature === undefined ? USUAL : celsius(values.temperature),
      file: file?.string("a path"),
      fraction: FRACTIONS[name],
    };
  },

  stateSize: () => STATE_SIZE,

  initialize({ temperature, file, fraction }, state) {
    if (file !== undefined) {
      try {
        temperature = readTemperature(file);
      } catch (error) {
        throw new RuntimeError(
          `temperature file '${file}' has no temperature: ${(error as Error).message}; ` +
            "write one to it, such as 21.5",
        );
      }
    }
    state.setInt16(TEMPERATURE, encode(temperature, fraction));
    state.setInt16(TEMPERATURE + 2, encode(75, fraction));
    state.setInt16(TEMPERATURE + 4, encode(80, fraction));
  },

  create: (config, state, log) => new TemperatureSensor(config, state, log),
};
