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

import { O_NONBLOCK } from "../../../../ffi/fd.ts";
import { readFile } from "../../../../ffi/file.ts";
import { RuntimeError } from "../../../errors.ts";
import { PropertyError } from "../../../simulation/check_value.ts";
import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

/** How fine each measures: bits after the point. */
const FRACTIONS: Readonly<Record<string, number>> = { lm75: 1, lm75b: 3, tmp75: 4 };

const POINTER = 0;
const CONFIGURATION = 1;
const TEMPERATURE = 2;
const HYSTERESIS = 4;
const LIMIT = 6;
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

function propertiesOf(fraction: number) {
  const inRegister = { type: "number", from: -128, to: 127.9375, unit: "°C" } as const;
  return {
    temperature: {
      type: "number",
      set: "both",
      what: "a temperature",
      from: MINIMUM,
      to: MAXIMUM,
      step: 2 ** -fraction,
      unit: "°C",
      default: USUAL,
      help: "what it measures",
    },
    "temperature-file": {
      type: "path",
      set: "start",
      excludes: ["temperature"],
      help: "a file with what it measures, which may change at any time",
    },
    limit: {
      ...inRegister,
      set: "never",
      help: "the overtemperature limit that the guest has set",
    },
    hysteresis: { ...inRegister, set: "never", help: "the hysteresis that the guest has set" },
    shutdown: {
      type: "boolean",
      set: "never",
      help: "whether the guest has stopped the measuring",
    },
  } as const satisfies Properties;
}

type TemperatureProperties = ReturnType<typeof propertiesOf>;

function readTemperature(file: string): number {
  // Whatever has become of it, the guest does not wait for somebody else.
  const bytes = readFile(file, MAX_SIZE, O_NONBLOCK);
  if (bytes === undefined) throw new TypeError("it is too long to be a number");
  const text = new TextDecoder().decode(bytes).trim();
  const celsius = Number(text);
  if (text === "" || !Number.isFinite(celsius)) throw new TypeError(`'${text}' is no number`);
  return celsius;
}

/** What the registers say. */
const READERS = {
  temperature: (state: DataView) => state.getInt16(TEMPERATURE) / 256,
  hysteresis: (state: DataView) => state.getInt16(HYSTERESIS) / 256,
  limit: (state: DataView) => state.getInt16(LIMIT) / 256,
  shutdown: (state: DataView) => (state.getUint8(CONFIGURATION) & SHUTDOWN) !== 0,
};

/** The properties that the registers from the configuration on are seen as. */
const WRITABLE = ["shutdown", "hysteresis", "limit"] as const;

class TemperatureSensor implements I2cPart {
  readonly #context: PartContext<TemperatureProperties>;
  readonly #state: DataView;
  readonly #file: string | undefined;
  readonly #fraction: number;
  #warned = false;
  /** How many bytes of the message have been written or read. */
  #count = 0;
  /** True if the message has written to a register. */
  #written = false;

  constructor(context: PartContext<TemperatureProperties>, fraction: number) {
    this.#context = context;
    this.#state = context.state;
    this.#file = context.settings["temperature-file"];
    this.#fraction = fraction;
  }

  start(read: boolean): boolean {
    this.#tell();
    this.#count = 0;
    if (read && this.#file !== undefined) this.#measure(this.#file);
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
    this.#written = register > 0;
    return true;
  }

  read(): number {
    const count = this.#count++;
    return this.#state.getUint8(this.#place(count));
  }

  stop(): void {
    this.#tell();
  }

  /** The message at its end may have changed something. */
  #tell(): void {
    if (!this.#written) return;
    this.#written = false;
    const { changes } = this.#context;
    if (!changes.isHeard) return;
    const name = WRITABLE[this.#state.getUint8(POINTER) - 1];
    changes.tell(name, READERS[name](this.#state));
  }

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
      state.setInt16(TEMPERATURE, encode(readTemperature(file), this.#fraction));
      this.#warned = false;
      this.#context.changes.tell("temperature", READERS.temperature(state));
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      this.#context.log.warn(
        `temperature file '${file}': ${(error as Error).message}; the last temperature stays`,
      );
    }
  }
}

function model(name: string, fraction: number): I2cPartModel<TemperatureProperties> {
  return {
    name,
    help: `temperature sensor of ${8 + fraction} bits`,
    properties: propertiesOf(fraction),
    stateSize: () => STATE_SIZE,

    initialize(settings, state) {
      const file = settings["temperature-file"];
      let { temperature } = settings;
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
      state.setInt16(HYSTERESIS, encode(75, fraction));
      state.setInt16(LIMIT, encode(80, fraction));
    },

    live: {
      temperature: {
        get: READERS.temperature,
        set(state, value: number, settings) {
          const file = settings["temperature-file"];
          if (file !== undefined) throw new PropertyError(`it follows the file '${file}'`);
          state.setInt16(TEMPERATURE, encode(value, fraction));
        },
      },
      limit: { get: READERS.limit },
      hysteresis: { get: READERS.hysteresis },
      shutdown: { get: READERS.shutdown },
    },

    create: (context) => new TemperatureSensor(context, fraction),
  };
}

/** `lm75`, `lm75b`, `tmp75` */
export const temperatureSensors: readonly I2cPartModel<TemperatureProperties>[] = Object
  .entries(FRACTIONS)
  .map(([name, fraction]) => model(name, fraction));
