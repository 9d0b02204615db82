/**
 * A power supply that speaks PMBus, with one output.
 *
 * Each message begins with a command. Words have their low byte first; texts their length. A packet
 * error code may follow what is written, and is checked then; it follows what is read for those who
 * read on. Output voltages are in 1/512 V, all else in the linear format of 11 bits.
 *
 * ```
 * 00 PAGE           01 OPERATION       02 ON_OFF_CONFIG   03 CLEAR_FAULTS    10 WRITE_PROTECT
 * 19 CAPABILITY     20 VOUT_MODE       21 VOUT_COMMAND    40 - 59 limits     78 - 7e status
 * 88 READ_VIN       8b READ_VOUT       8c READ_IOUT       8d READ_TEMPERATURE_1
 * 96 READ_POUT      98 PMBUS_REVISION  99 MFR_ID          9a MFR_MODEL       9b MFR_REVISION
 * ```
 *
 * A value beyond a limit sets bits in the status, which stay until they are cleared and the value
 * is within. A command that there is not, data that makes no sense and a wrong packet error code are
 * not acknowledged, and remembered there as well. SMBALERT# calls while any such bit is set.
 *
 * Not modelled: what the supply does about faults (it goes on), delays and ramps, ON_OFF_CONFIG
 * beyond being kept, other pages than 0, and the address of SMBus alert responses.
 *
 * State: u8 OPERATION, u8 ON_OFF_CONFIG, u8 WRITE_PROTECT, u8 PAGE, u8 by status, then from byte 16
 * on u16 VOUT_COMMAND, u16 by limit, and from byte 48 on f64 volts in, volts out, amperes, °C.
 *
 * Source: PMBus Power System Management Protocol Specification 1.2, parts I and II; System
 * Management Bus Specification 3.1, section 6.4.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties, Settings } from "../../../simulation/property.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";
import { clamp } from "../word_registers.ts";

const OPERATION = 0;
const ON_OFF_CONFIG = 1;
const WRITE_PROTECT = 2;
const PAGE = 3;
const STATUS = 4;
const COMMANDED = 16;
const LIMITS = 18;
const VOLTS_IN = 48;
const VOLTS_OUT = 56;
const AMPERES = 64;
const CELSIUS = 72;
const STATE_SIZE = 80;

const ON = 0x80;
const CONFIG_AT_FIRST = 0x16;
/** Packet error codes, 400 kHz, SMBALERT#. */
const CAPABILITY = 0xb0;
/** The linear format, with an exponent of -9. */
const VOUT_MODE = 0x17;
const VOUT_EXPONENT = -9;
const REVISION = 0x22;

// By number: what statuses are about.
const STATUS_VOUT = 0;
const STATUS_IOUT = 1;
const STATUS_INPUT = 2;
const STATUS_TEMPERATURE = 3;
const STATUS_CML = 4;
const STATUSES = 5;
const INVALID_COMMAND = 0x80;
const INVALID_DATA = 0x40;
const WRONG_CODE = 0x20;

interface Limit {
  readonly command: number;
  readonly status: number;
  readonly bit: number;
  /** Where the value is that it limits. */
  readonly value: number;
  readonly isUpper: boolean;
  /** When the power comes on. */
  readonly atFirst: number;
}

const upper = (command: number, status: number, bit: number, value: number, atFirst: number) => (
  { command, status, bit, value, isUpper: true, atFirst }
);
const lower = (command: number, status: number, bit: number, value: number, atFirst: number) => (
  { command, status, bit, value, isUpper: false, atFirst }
);
const ALL_LIMITS: readonly Limit[] = [
  upper(0x40, STATUS_VOUT, 0x80, VOLTS_OUT, 15),
  upper(0x42, STATUS_VOUT, 0x40, VOLTS_OUT, 14),
  lower(0x43, STATUS_VOUT, 0x20, VOLTS_OUT, 10),
  lower(0x44, STATUS_VOUT, 0x10, VOLTS_OUT, 9),
  upper(0x46, STATUS_IOUT, 0x80, AMPERES, 25),
  upper(0x4a, STATUS_IOUT, 0x20, AMPERES, 20),
  upper(0x4f, STATUS_TEMPERATURE, 0x80, CELSIUS, 110),
  upper(0x51, STATUS_TEMPERATURE, 0x40, CELSIUS, 90),
  upper(0x55, STATUS_INPUT, 0x80, VOLTS_IN, 60),
  upper(0x57, STATUS_INPUT, 0x40, VOLTS_IN, 56),
  lower(0x58, STATUS_INPUT, 0x20, VOLTS_IN, 40),
  lower(0x59, STATUS_INPUT, 0x10, VOLTS_IN, 36),
];

const properties = {
  "input-voltage": {
    type: "number",
    set: "both",
    what: "a voltage",
    from: 0,
    to: 100,
    unit: "V",
    default: 48,
    help: "the voltage that it is fed with",
  },
  "output-voltage": {
    type: "number",
    set: "both",
    what: "a voltage",
    from: 0,
    to: 100,
    unit: "V",
    default: 12,
    help: "the voltage of the output while it is on; the guest sets it as well",
  },
  "output-current": {
    type: "number",
    set: "both",
    what: "a current",
    from: 0,
    to: 500,
    unit: "A",
    default: 1,
    help: "the current that is drawn while the output is on",
  },
  temperature: {
    type: "number",
    set: "both",
    what: "a temperature",
    from: -40,
    to: 200,
    unit: "°C",
    default: 35,
    help: "how warm it is",
  },
  manufacturer: { type: "text", set: "start", default: "SIMULATED", help: "what MFR_ID says" },
  model: { type: "text", set: "start", default: "SUPPLY", help: "what MFR_MODEL says" },
  on: { type: "boolean", set: "never", help: "whether the guest has the output on" },
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether SMBALERT# calls: a status has something to say",
  },
} as const satisfies Properties;

type SupplySettings = Settings<typeof properties>;

/** A value in the format of 11 bits: a mantissa with a sign, of 11 bits, times a power of 2. */
function toLinear(value: number): number {
  let exponent = -16;
  while (Math.abs(Math.round(value / 2 ** exponent)) > 1023) exponent++;
  return (exponent & 0x1f) << 11 | Math.round(value / 2 ** exponent) & 0x7ff;
}

function fromLinear(word: number): number {
  return (word << 21 >> 21) * 2 ** (word << 16 >> 27);
}

/** Likewise of a voltage of the output. */
function toVolts(value: number): number {
  return clamp(Math.round(value / 2 ** VOUT_EXPONENT), 0, 0xffff);
}

function fromVolts(word: number): number {
  return word * 2 ** VOUT_EXPONENT;
}

function isOn(state: DataView): boolean {
  return (state.getUint8(OPERATION) & ON) !== 0;
}

/** What is measured; nothing at the output while that is off. */
function valueAt(state: DataView, at: number): number {
  const isOutput = at === VOLTS_OUT || at === AMPERES;
  return isOutput && !isOn(state) ? 0 : state.getFloat64(at);
}

function limitAt(state: DataView, index: number): number {
  const word = state.getUint16(LIMITS + 2 * index);
  return ALL_LIMITS[index].value === VOLTS_OUT ? fromVolts(word) : fromLinear(word);
}

function raise(state: DataView, status: number, bit: number): void {
  state.setUint8(STATUS + status, state.getUint8(STATUS + status) | bit);
}

/** Looks at all limits. An output that is off is not too low. */
function compare(state: DataView): void {
  for (let index = 0; index < ALL_LIMITS.length; index++) {
    const { status, bit, value: at, isUpper } = ALL_LIMITS[index];
    if (status === STATUS_VOUT && !isUpper && !isOn(state)) continue;
    const value = valueAt(state, at);
    const limit = limitAt(state, index);
    if (isUpper ? value > limit : value < limit) raise(state, status, bit);
  }
}

function anyStatus(state: DataView): boolean {
  for (let status = 0; status < STATUSES; status++) {
    if (state.getUint8(STATUS + status) !== 0) return true;
  }
  return false;
}

/** The summary in STATUS_WORD, whose low byte is STATUS_BYTE. */
function statusWord(state: DataView): number {
  const status = (number: number) => state.getUint8(STATUS + number);
  const bit = (number: number, set: boolean) => set ? 1 << number : 0;
  return bit(15, status(STATUS_VOUT) !== 0) | bit(14, status(STATUS_IOUT) !== 0) |
    bit(13, status(STATUS_INPUT) !== 0) | bit(11, !isOn(state)) | bit(6, !isOn(state)) |
    bit(5, (status(STATUS_VOUT) & 0x80) !== 0) | bit(4, (status(STATUS_IOUT) & 0x80) !== 0) |
    bit(3, (status(STATUS_INPUT) & 0x10) !== 0) | bit(2, status(STATUS_TEMPERATURE) !== 0) |
    bit(1, status(STATUS_CML) !== 0);
}

/** A command as it is read and written: of so many bytes. */
interface Command {
  readonly size: 0 | 1 | 2;
  read?(state: DataView): number;
  /** @returns false if the data makes no sense */
  write?(state: DataView, value: number): boolean;
  readonly text?: (settings: SupplySettings) => string;
}

function keep(at: number): Command {
  return {
    size: 1,
    read: (state) => state.getUint8(at),
    write(state, value) {
      state.setUint8(at, value);
      compare(state);
      return true;
    },
  };
}

function measure(at: number): Command {
  return { size: 2, read: (state) => toLinear(valueAt(state, at)) };
}

/** Writing a status clears the bits that are 1. */
function status(number: number): Command {
  return {
    size: 1,
    read: (state) => state.getUint8(STATUS + number),
    write(state, value) {
      state.setUint8(STATUS + number, state.getUint8(STATUS + number) & ~value);
      compare(state);
      return true;
    },
  };
}

const constant = (value: number): Command => ({ size: 1, read: () => value });

const COMMANDS: ReadonlyMap<number, Command> = new Map<number, Command>([
  [0x00, {
    size: 1,
    read: (state) => state.getUint8(PAGE),
    write(state, value) {
      // All pages are page 0.
      if (value !== 0 && value !== 0xff) return false;
      state.setUint8(PAGE, value);
      return true;
    },
  }],
  [0x01, keep(OPERATION)],
  [0x02, keep(ON_OFF_CONFIG)],
  [0x03, {
    size: 0,
    write(state) {
      for (let number = 0; number < STATUSES; number++) state.setUint8(STATUS + number, 0);
      compare(state);
      return true;
    },
  }],
  [0x10, keep(WRITE_PROTECT)],
  [0x19, constant(CAPABILITY)],
  [0x20, constant(VOUT_MODE)],
  [0x21, {
    size: 2,
    read: (state) => state.getUint16(COMMANDED),
    write(state, value) {
      state.setUint16(COMMANDED, value);
      state.setFloat64(VOLTS_OUT, Math.min(fromVolts(value), properties["output-voltage"].to));
      compare(state);
      return true;
    },
  }],
  ...ALL_LIMITS.map(({ command }, index): [number, Command] => [command, {
    size: 2,
    read: (state) => state.getUint16(LIMITS + 2 * index),
    write(state, value) {
      state.setUint16(LIMITS + 2 * index, value);
      compare(state);
      return true;
    },
  }]),
  [0x78, { size: 1, read: (state) => statusWord(state) & 0xff }],
  [0x79, { size: 2, read: statusWord }],
  [0x7a, status(STATUS_VOUT)],
  [0x7b, status(STATUS_IOUT)],
  [0x7c, status(STATUS_INPUT)],
  [0x7d, status(STATUS_TEMPERATURE)],
  [0x7e, status(STATUS_CML)],
  [0x88, measure(VOLTS_IN)],
  [0x8b, { size: 2, read: (state) => toVolts(valueAt(state, VOLTS_OUT)) }],
  [0x8c, measure(AMPERES)],
  [0x8d, measure(CELSIUS)],
  [0x96, {
    size: 2,
    read: (state) => toLinear(valueAt(state, VOLTS_OUT) * valueAt(state, AMPERES)),
  }],
  [0x98, constant(REVISION)],
  [0x99, { size: 0, text: ({ manufacturer }) => manufacturer }],
  [0x9a, { size: 0, text: ({ model }) => model }],
  [0x9b, { size: 0, text: () => "1" }],
]);

/** Commands that are heeded while all else is protected. */
const NEVER_PROTECTED = [0x00, 0x03, 0x10];
const OPERATION_COMMAND = 0x01;
/** Of WRITE_PROTECT: nothing else, OPERATION and PAGE, and those with ON_OFF_CONFIG and VOUT_COMMAND. */
const PROTECTIONS = new Map<number, readonly number[]>([
  [0x80, []],
  [0x40, [OPERATION_COMMAND]],
  [0x20, [OPERATION_COMMAND, 0x02, 0x21]],
]);

/** The packet error code of a message so far and a further byte: CRC-8 of the polynomial 0x07. */
function codeAfter(code: number, byte: number): number {
  let next = (code ^ byte) & 0xff;
  for (let bit = 0; bit < 8; bit++) next = (next << 1 ^ ((next & 0x80) !== 0 ? 0x07 : 0)) & 0xff;
  return next;
}

function settable(at: number) {
  return {
    get: (state: DataView) => state.getFloat64(at),
    set(state: DataView, value: number) {
      state.setFloat64(at, value);
      compare(state);
    },
  };
}

const NO_COMMAND = -1;
/** The most bytes that follow a command: a text with its length. */
const MAX_TEXT = 32;

class Supply implements I2cPart {
  readonly #state: DataView;
  readonly #settings: SupplySettings;
  readonly #watch: PartContext<typeof properties>["watch"];
  readonly #address: number;
  #number = NO_COMMAND;
  #command: Command | undefined;
  #code = 0;
  /** How many bytes of data there have been. */
  #count = 0;
  #value = 0;
  readonly #answer = new Uint8Array(1 + MAX_TEXT);
  #answerLength = 0;

  constructor({ state, settings, watch }: PartContext<typeof properties>, address: number) {
    this.#state = state;
    this.#settings = settings;
    this.#watch = watch;
    this.#address = address;
  }

  start(read: boolean): boolean {
    this.#watch.begin();
    if (!read) this.#end();
    this.#count = 0;
    this.#code = codeAfter(this.#code, this.#address << 1 | Number(read));
    if (read) this.#prepare();
    return true;
  }

  write(byte: number): boolean {
    if (this.#number === NO_COMMAND) return this.#begin(byte);
    const size = this.#command?.size ?? 0;
    const count = this.#count++;
    if (count < size) {
      this.#value |= byte << 8 * count;
      this.#code = codeAfter(this.#code, byte);
      return true;
    }
    const isRight = count === size && byte === this.#code;
    if (isRight) return true;
    this.#refuse(count === size ? WRONG_CODE : INVALID_DATA);
    return false;
  }

  read(): number {
    const count = this.#count++;
    if (count > this.#answerLength) return 0xff;
    if (count === this.#answerLength) return this.#code;
    const byte = this.#answer[count];
    this.#code = codeAfter(this.#code, byte);
    return byte;
  }

  stop(): void {
    this.#end();
    this.#watch.end();
  }

  #end(): void {
    this.#carryOut();
    this.#number = NO_COMMAND;
    this.#code = 0;
  }

  #begin(byte: number): boolean {
    this.#number = byte;
    this.#command = COMMANDS.get(byte);
    this.#value = 0;
    this.#code = codeAfter(this.#code, byte);
    if (this.#command !== undefined) return true;
    this.#refuse(INVALID_COMMAND);
    return false;
  }

  /** What was written is wrong, and comes to nothing. */
  #refuse(why: number): void {
    raise(this.#state, STATUS_CML, why);
    this.#command = undefined;
  }

  /** The message with a command is over; what it has written is carried out. */
  #carryOut(): void {
    const command = this.#command;
    this.#command = undefined;
    // Of a command that is only to be read for, there is nothing to carry out.
    if (command === undefined || command.text !== undefined || this.#count < command.size) return;
    if (command.write === undefined) return raise(this.#state, STATUS_CML, INVALID_DATA);
    if (this.#isProtected) return;
    if (!command.write(this.#state, this.#value)) raise(this.#state, STATUS_CML, INVALID_DATA);
  }

  get #isProtected(): boolean {
    const allowed = PROTECTIONS.get(this.#state.getUint8(WRITE_PROTECT));
    if (allowed === undefined || NEVER_PROTECTED.includes(this.#number)) return false;
    return !allowed.includes(this.#number);
  }

  /** What is read for the command. */
  #prepare(): void {
    const command = this.#command;
    // A command that is read for is not written.
    this.#command = undefined;
    this.#answerLength = 0;
    if (command?.text !== undefined) {
      const text = new TextEncoder().encode(command.text(this.#settings)).subarray(0, MAX_TEXT);
      this.#answer[0] = text.length;
      this.#answer.set(text, 1);
      this.#answerLength = 1 + text.length;
    } else if (command?.read !== undefined) {
      const value = command.read(this.#state);
      this.#answer[0] = value & 0xff;
      this.#answer[1] = value >> 8;
      this.#answerLength = command.size;
    }
  }
}

/** `pmbus` */
export const pmbus: I2cPartModel<typeof properties> = {
  name: "pmbus",
  help: "power supply that speaks PMBus, with packet error codes",
  properties,
  stateSize: () => STATE_SIZE,

  initialize(settings, state) {
    state.setUint8(OPERATION, ON);
    state.setUint8(ON_OFF_CONFIG, CONFIG_AT_FIRST);
    state.setUint16(COMMANDED, toVolts(settings["output-voltage"]));
    state.setFloat64(VOLTS_IN, settings["input-voltage"]);
    state.setFloat64(VOLTS_OUT, settings["output-voltage"]);
    state.setFloat64(AMPERES, settings["output-current"]);
    state.setFloat64(CELSIUS, settings.temperature);
    ALL_LIMITS.forEach(({ value, atFirst }, index) => {
      const word = value === VOLTS_OUT ? toVolts(atFirst) : toLinear(atFirst);
      state.setUint16(LIMITS + 2 * index, word);
    });
    compare(state);
  },

  live: {
    "input-voltage": settable(VOLTS_IN),
    "output-voltage": settable(VOLTS_OUT),
    "output-current": settable(AMPERES),
    temperature: settable(CELSIUS),
    on: { get: isOn },
    interrupt: { get: anyStatus },
  },

  create: (context, address) => new Supply(context, address),
};
