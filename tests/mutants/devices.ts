/**
 * Changes of the three devices and of their protocols.
 *
 * @module
 */

import type { MutatedFile } from "./mutation.ts";

const GPIO = "tests/integration/gpio_test.ts";
const GPIO_RECONNECTION = "tests/unit/gpio/reconnection_test.ts";
const I2C = "tests/unit/i2c/device_test.ts";
const I2C_PROTOCOL = "tests/unit/i2c/protocol_test.ts";
const SMBUS = "tests/unit/i2c/smbus_test.ts";
const I2C_BUS = "tests/unit/i2c/simulated_test.ts";
const I2C_CLOCKS = "tests/unit/i2c/clocks_test.ts";
const I2C_DISPLAY = "tests/unit/i2c/display_test.ts";
const I2C_EXPANDERS = "tests/unit/i2c/expanders_test.ts";
const I2C_OPTIONS = "tests/unit/i2c/options_test.ts";
const I2C_SENSORS = "tests/unit/i2c/sensors_test.ts";
const I2C_SUPPLY = "tests/unit/i2c/pmbus_test.ts";
const THING = "tests/unit/simulation/thing_test.ts";
const SPI = "tests/unit/spi/device_test.ts";
const WIRED_LINE = "tests/unit/control/wired_line_test.ts";
const INTERRUPT_PINS = "tests/unit/simulation/interrupt_pins_test.ts";
const REMOTE_PART = "tests/integration/remote_part_test.ts";
const SPI_MEMORIES = "tests/unit/spi/memories_test.ts";
const SPI_ACCELEROMETER = "tests/unit/spi/accelerometer_test.ts";

export const deviceFiles: readonly MutatedFile[] = [
  {
    path: "lib/gpio/device.ts",
    tests: [GPIO],
    mutations: [
      { find: "line >= backend.lineCount", replace: "line > backend.lineCount", only: "G4" },
      { find: "if (value > 1) return false;", replace: "", only: "G4" },
      {
        find: "direction !== DIRECTION_OUT || this.#irqType[line] !== IRQ_NONE",
        replace: "direction !== DIRECTION_OUT",
        only: "G5 an interrupt's type",
      },
      {
        find: "if (!this.#return(line, EVENT_VALID)) this.#latched[line] = 1;",
        replace: "this.#return(line, EVENT_VALID);",
        only: "G6",
      },
      {
        find: "chain.writableLength !== 1 + size",
        replace: "chain.writableLength < 1 + size",
        only: "G2",
      },
      { find: "&& this.#waiting[line] === undefined) {", replace: ") {", only: "G7 a second" },
      { find: "if (!this.#interrupts) return false;", replace: "", only: "G5 without" },
      {
        find: "return type === IRQ_LEVEL_LOW && this.#backend.value(line) === 0;",
        replace: "return type === IRQ_LEVEL_LOW;",
        only: "G5 G6",
      },
      {
        find: "this.#host?.drain(EVENT_QUEUE);\n    this.#irqType[line] = IRQ_NONE;",
        replace: "this.#irqType[line] = IRQ_NONE;",
        only: "G7 a buffer that was",
      },
      { find: "this.#backend.release();", replace: "", only: "a guest that comes anew" },
      {
        find: "this.#remembered.fill(NOTHING_REMEMBERED);\n    this.#irqType",
        replace: "this.#irqType",
        only: "a guest that comes anew",
      },
      { find: "this.#irqType.fill(IRQ_NONE);", replace: "", only: "a guest that comes anew" },
      { find: "this.#latched[line] = 0;\n        status", replace: "status", only: "G6" },
      {
        find: "edges !== 0 && this.#irqType[line] === IRQ_NONE &&",
        replace: "edges !== 0 &&",
        only: "G5 an interrupt's type",
      },
      {
        find: "return this.#refused[line] !== 0;",
        replace: "return false;",
        only: "G7 a buffer for a line whose",
      },
      {
        find: "if (this.#host?.goesOn) this.#refused[line] = 1;",
        replace: "",
        tests: [GPIO_RECONNECTION],
      },
      { find: "if (this.#host?.goesOn) ", replace: "", only: "G7 a buffer for an interrupt that" },
      {
        find: "this.#disable(line);\n      this.#remembered",
        replace: "this.#remembered",
        only: "G7",
      },
      { find: "if (room < RESPONSE_SIZE) {", replace: "if (false) {", only: "G1" },
      {
        find: "chain.readableLength >= REQUEST_SIZE",
        replace: "chain.readableLength >= 2",
        only: "G1",
      },
    ],
  },
  {
    path: "lib/gpio/protocol.ts",
    tests: [GPIO],
    mutations: [
      {
        find: "config.setUint32(4, namesSize, true);",
        replace: "config.setUint16(2, namesSize, true);",
        only: "G1",
      },
      {
        find: 'if (names.every((name) => name === "")) return new Uint8Array(0);',
        replace: "",
        only: "G2 a chip",
      },
      { find: "${name}\\0", replace: "${name}", only: "G2 names" },
      { find: "IRQ_EDGE_RISING = 1", replace: "IRQ_EDGE_RISING = 3", only: "G5" },
    ],
  },
  {
    path: "lib/i2c/device.ts",
    tests: [I2C],
    mutations: [
      { find: "length > maxLength || ", replace: "" },
      { find: "length > MAX_LENGTH || ", replace: "" },
      { find: "this.#count === MAX_MESSAGES", replace: "this.#count === MAX_MESSAGES - 1" },
      { find: "this.#overlong = more;", replace: "this.#overlong = false;" },
      { find: "address < 0x78 || address > 0x7b", replace: "address < 0x78 || address > 0x7a" },
      { find: "index < done ?", replace: "index <= done ?" },
      { find: "if (this.#done < end) break;", replace: "" },
      {
        find: "while (end < count && this.#routes[addresses[end]] === adapter) end++;",
        replace: "",
      },
      { find: "(toRead ? sent : room) !== 0", replace: "false" },
      { find: " || (length === 0 && !zeroLength)", replace: "" },
      { find: "room < 0 || ", replace: "" },
      {
        find: "const room = chain.writableLength - 1;",
        replace: "const room = chain.writableLength;",
      },
      {
        find: "chain.readableLength >= HEADER_SIZE",
        replace: "chain.readableLength >= HEADER_SIZE - 1",
      },
      { find: "chain.read(HEADER_SIZE, messages.data", replace: "chain.read(0, messages.data" },
    ],
  },
  {
    path: "lib/i2c/protocol.ts",
    tests: [I2C_PROTOCOL],
    mutations: [
      { find: "if (field & 1) return -1;", replace: "" },
      { find: "(field & 6) << 7", replace: "(field & 6) << 6" },
      { find: "(field & 0xf8) !== 0xf0", replace: "(field & 0xf0) !== 0xf0" },
      { find: "field <= 0xff", replace: "field < 0xf0" },
      { find: "address <= 2 ||", replace: "address < 2 ||" },
      { find: "address > 0x77", replace: "address > 0x78" },
    ],
  },
  {
    path: "lib/i2c/claims.ts",
    tests: [I2C_OPTIONS],
    mutations: [
      { find: "?? this.#behind.get(address)", replace: "" },
      { find: "owner ??= before.#owners.get(address);", replace: "" },
      { find: "before === undefined ? new Set() : before.names", replace: "new Set()" },
    ],
  },
  {
    path: "lib/i2c/simulated/routes.ts",
    tests: [I2C_BUS],
    mutations: [
      {
        find: "if (this.#isReached(parts[index])) return parts[index];",
        replace: "return parts[0];",
      },
      { find: "gate = this.#gates[gate.multiplexer];", replace: "gate = undefined;" },
    ],
  },
  {
    path: "lib/i2c/simulated/clock.ts",
    tests: [I2C_CLOCKS],
    mutations: [
      {
        find: "restarts ? 0 : this.time % 1000",
        replace: "0",
        survives: "it is less than a second",
      },
      { find: "time - Date.now());\n  }\n\n  get", replace: "time);\n  }\n\n  get" },
      { find: "this.#state.setFloat64(STOPPED_AT, stops ? time : 0);", replace: "" },
      { find: "+ 7 - weekdayOf(this.#state, this.time)", replace: "+ 7" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/ds1307.ts",
    tests: [I2C_CLOCKS],
    mutations: [
      { find: "this.clock.stop((byte & STOPS) !== 0);", replace: "" },
      { find: "(hours + 11) % 12 + 1", replace: "hours % 12" },
      { find: "% 12 + half", replace: "+ half" },
      { find: "byte & CONTROL_BITS", replace: "byte" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/pcf8563.ts",
    tests: [I2C_CLOCKS],
    mutations: [
      { find: "this.state.setUint8(VOLTAGE_LOW, Number((byte & LOW) !== 0));", replace: "" },
      { find: "byte & 0x1f & (before | ~flags)", replace: "byte & 0x1f" },
      { find: "state.setFloat64(COMPARED, now);", replace: "" },
      { find: "if (!hasAlarm(state)) return;", replace: "" },
      { find: "minute < last && !isAlarm", replace: "!isAlarm" },
      { find: "this.state.setUint8(CENTURY, byte & CENTURY_BIT);", replace: "" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/pca9535.ts",
    tests: [I2C_EXPANDERS],
    mutations: [
      { find: "setUint8(NUMBER, register ^ 1)", replace: "setUint8(NUMBER, register)" },
      { find: "(changed & state.getUint8(CONFIGURATION + port)) !== 0", replace: "changed !== 0" },
      { find: "now ^ this.#state.getUint8(POLARITY + register)", replace: "now" },
      { find: "this.#state.setUint8(SEEN + register, now);", replace: "" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/pcf8574.ts",
    tests: [I2C_EXPANDERS],
    mutations: [
      {
        find: "setUint8(LATCH, byte);\n    this.#state.setUint8(SEEN, levels(this.#state));",
        replace: "setUint8(LATCH, byte);",
      },
      { find: "getUint8(LATCH) & state.getUint8(OUTSIDE)", replace: "getUint8(OUTSIDE)" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/tmp102.ts",
    tests: [I2C_SENSORS],
    mutations: [
      { find: "has(state, EXTENDED) ? 4096 : 2048", replace: "4096" },
      { find: "reading >= limit(state, HIGH)", replace: "reading > limit(state, HIGH)" },
      { find: "reading < limit(state, LOW)", replace: "reading < limit(state, HIGH)" },
      { find: "if (!has(state, SHUTDOWN)) measure(state);", replace: "measure(state);" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/sht3x.ts",
    tests: [I2C_SENSORS],
    mutations: [
      { find: "if (!fails) state.setUint16", replace: "state.setUint16" },
      { find: "if (number === state.getFloat64(READ_PERIOD)) return false;", replace: "" },
      {
        find: "state.setUint8(HAS_RESULT, 0);\n    return this.#answerWith",
        replace: "return this.#answerWith",
      },
      { find: "return !isOver &&", replace: "return" },
      { find: "command >> 8 !== STRETCHES && ", replace: "" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/ina2xx.ts",
    tests: [I2C_SENSORS],
    mutations: [
      { find: "latches && (flags & STRUCK) !== 0", replace: "false" },
      { find: "Math.abs(currentOf(kind, state))", replace: "currentOf(kind, state)" },
      { find: "4000 << (configuration >> 11 & 3)", replace: "32000" },
      { find: "if ((configuration & MEASURES_BUS) !== 0) {", replace: "{" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/ads1015.ts",
    tests: [I2C_SENSORS],
    mutations: [
      { find: "before && !isBelow", replace: "false" },
      { find: "(configuration & LATCHES) !== 0 && before", replace: "false" },
      {
        find: "if ((state.getUint16(CONFIGURATION) & SINGLE_SHOT) === 0) convert",
        replace: "convert",
      },
      { find: "clamp(value, -range, range - 1)", replace: "value" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/pmbus.ts",
    tests: [I2C_SUPPLY],
    mutations: [
      { find: "count === size && byte === this.#code", replace: "count === size" },
      { find: "if (this.#isProtected) return;", replace: "" },
      { find: "if (status === STATUS_VOUT && !isUpper && !isOn(state)) continue;", replace: "" },
      { find: "this.#address << 1 | Number(read)", replace: "Number(read)" },
      { find: "isOutput && !isOn(state) ? 0 :", replace: "" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/ssd1306.ts",
    tests: [I2C_DISPLAY, THING],
    mutations: [
      { find: "row > last || y < 0", replace: "y < 0" },
      { find: "row > last || y < 0", replace: "row > last" },
      { find: "if (mode === HORIZONTAL || endsColumn) {", replace: "{" },
      { find: "last + offset - row", replace: "last - row" },
      { find: "if (after === before) return;", replace: "" },
      { find: "(byte >> bit & 1) !== inverted", replace: "(byte >> bit & 1) !== 0" },
    ],
  },
  {
    path: "lib/i2c/simulated/parts/tca9548.ts",
    tests: [I2C_BUS],
    mutations: [
      {
        find: "    this.#written = byte;",
        replace: "    this.#state.setUint8(SELECTED, byte);",
      },
    ],
  },
  {
    path: "lib/simulation/property_watch.ts",
    tests: [THING],
    mutations: [
      { find: "name === except || now", replace: "now" },
      {
        find: "if (this.#begun || !this.#changes.isHeard) return;",
        replace: "if (!this.#changes.isHeard) return;",
      },
      { find: 'property.type === "time" ||', replace: "" },
    ],
  },
  {
    path: "lib/i2c/smbus.ts",
    tests: [SMBUS],
    mutations: [
      { find: "if (data[0] < length) return false;", replace: "" },
      { find: "data[0] < length", replace: "data[0] <= length" },
      { find: "count !== 2 || addresses[first] !== addresses[second]", replace: "count !== 2" },
      { find: "count >= 1 && count <= SMBUS_BLOCK_MAX &&", replace: "" },
      {
        find: "length >= 2 && length <= 1 + SMBUS_BLOCK_MAX;\n  return fits",
        replace: "length >= 2 && length <= SMBUS_BLOCK_MAX;\n  return fits",
      },
      { find: "index < received ? data[index] : 0xff", replace: "data[index]" },
      { find: "reads[first] || !reads[second] || ", replace: "reads[first] || " },
    ],
  },
  {
    path: "lib/spi/device.ts",
    tests: [SPI],
    mutations: [
      { find: "chain.writableLength < RESULT_SIZE", replace: "false" },
      { find: "length > MAX_TRANSFER", replace: "length > MAX_TRANSFER + 1" },
      { find: "if (length > MAX_TRANSFER)", replace: "if (false)" },
      { find: "this.#turn.end();\n      return writeFailure", replace: "return writeFailure" },
      { find: "if (held[0]?.isSuspended) {", replace: "if (false) {" },
      {
        find: "reset(): void {\n    this.#turn.end();",
        replace: "reset(): void {",
        survives: "before a reset the queue was stopped, which has ended the turn",
      },
      { find: "milliseconds > this.#maxTransferTime", replace: "false" },
      { find: "held.reverse()", replace: "held" },
      { find: "if (length > this.#sent.bytes.length) this.#makeRoom(length);", replace: "" },
      { find: "chain.writeU8(rxLength, TRANS_OK);", replace: "chain.writeU8(0, TRANS_OK);" },
      { find: "this.#refusals.add(kind);", replace: "" },
      {
        find: "if (this.#held.length === 0) {\n      const written",
        replace: "{\n      const written",
      },
    ],
  },
  {
    path: "lib/spi/protocol.ts",
    tests: [SPI],
    mutations: [
      {
        find: "transfer.chipSelect >= limits.chipSelects",
        replace: "transfer.chipSelect > limits.chipSelects",
      },
      { find: 'if (bitsPerWord === 0) return "bits_per_word";', replace: "" },
      { find: "transfer.csChange > 1", replace: "transfer.csChange > 2" },
      { find: "transfer.reserved !== 0", replace: "false" },
      { find: "transfer.wordDelay > limits.maxWordDelay", replace: "false" },
      {
        find: "transfer.wordDelay > limits.maxWordDelay",
        replace: "transfer.wordDelay >= limits.maxWordDelay",
      },
      { find: "transfer.setup > limits.maxSetup", replace: "false" },
      { find: "transfer.hold > limits.maxHold", replace: "false" },
      { find: "transfer.inactive > limits.maxInactive", replace: "false" },
      { find: "txLength > 0 && rxLength > 0 && txLength !== rxLength", replace: "false" },
      { find: "transfer.length % wordBytes(bitsPerWord) !== 0", replace: "false" },
      { find: "maximum !== 0 && transfer.frequency > maximum", replace: "false" },
      { find: "transfer.frequency > maximum", replace: "transfer.frequency >= maximum" },
      { find: "this.rxNbits = lines & 0xff;", replace: "this.rxNbits = lines & 0x7;" },
      { find: "chain.readableLength < HEAD_SIZE", replace: "false" },
      { find: "(mode & ~MODE_ALL) !== 0", replace: "false" },
      { find: "bits <= 16 ? 2", replace: "bits < 16 ? 2" },
      { find: "(mask >>> (bitsPerWord - 1)) & 1", replace: "(mask >>> bitsPerWord) & 1" },
    ],
  },
  {
    path: "lib/control/wired_line.ts",
    tests: [WIRED_LINE],
    mutations: [
      { find: "calling.length > 0 ? calling : pins.slice(0, 1)", replace: "pins" },
      { find: "level === 0) ? 0 : 1", replace: "level === 1) ? 1 : 0" },
      { find: "if (this.#isWaiting) return undefined;", replace: "" },
      { find: "wasOther(pins) : level", replace: "false : level" },
      { find: ": level === this.#told;", replace: ": false;" },
      { find: "if (!accepted) this.#told = undefined;", replace: "" },
      { find: "this.#pulsed = false;\n    this.#told = level;", replace: "this.#told = level;" },
    ],
  },
  {
    path: "lib/simulation/remote/mailbox.ts",
    tests: [REMOTE_PART],
    mutations: [
      { find: "ASKED, LATE) === ASKED", replace: "ASKED, IDLE) === ASKED", only: "stands still" },
      {
        find: "else Atomics.compareExchange(words, STATE, LATE, IDLE);",
        replace: "",
        only: "still",
      },
      {
        find: "this.#data.fill(0xff, data.length, words[LENGTH]);",
        replace: "",
        only: "chip select",
      },
      { find: "this.interrupt = false;", replace: "", only: "go and come back" },
    ],
  },
  {
    path: "lib/simulation/interrupt_pins.ts",
    tests: [INTERRUPT_PINS],
    mutations: [
      { find: "live.active?.(state, settings) ?? active", replace: "active" },
      { find: "if (isSooner) this.#wake();", replace: "" },
      { find: "(changed | changed >>> HIGH)", replace: "changed" },
      { find: "Atomics.exchange(this.#words, CHANGED, 0)", replace: "this.#words[CHANGED]" },
    ],
  },
  {
    path: "lib/spi/simulated/parts/eeprom.ts",
    tests: [SPI_MEMORIES],
    mutations: [
      { find: "const locked = (command", replace: "const locked = false && (command" },
      { find: "((status & BUSY) !== 0 && command !== READ_STATUS)", replace: "false" },
      { find: "start + (from + index) % page", replace: "start + from + index" },
      { find: "Math.max(0, count - page)", replace: "0", survives: "later bytes win all the same" },
      { find: "size - (size >>> (3 - level))", replace: "size - (size >>> (4 - level))" },
      {
        find: "else if (command === WRITE) {\n      after &= ~WRITE_ENABLED;",
        replace: "else if (command === WRITE) {",
      },
      { find: "ninth && code & NINTH_BIT ? 1 : 0", replace: "0" },
      { find: "size <= 65536 ? 2 : 3", replace: "2" },
      { find: "(this.#count === this.#prefix && this.#hasData)", replace: "false" },
    ],
  },
  {
    path: "lib/spi/simulated/adxl345/taps.ts",
    tests: [SPI_ACCELEROMETER],
    mutations: [
      { find: "now - since <= duration", replace: "now - since < duration" },
      { find: "isSecond ? NaN : now", replace: "now" },
      { find: "pause >= 0 && pause <=", replace: "pause <=" },
      { find: "return axes & state.getUint8(TAP_AXES);", replace: "return axes;" },
      { find: "if (isEarly && state", replace: "if (state" },
    ],
  },
  {
    path: "lib/spi/simulated/adxl345/sampling.ts",
    tests: [SPI_ACCELEROMETER],
    mutations: [
      { find: "if (mode === FIFO) return;", replace: "" },
      { find: "Math.min(count, FIFO_SIZE + 1)", replace: "1" },
      { find: "held >= mark", replace: "held > mark" },
      { find: "if (state.getUint8(FRESH) || count > 1)", replace: "if (false)" },
      { find: "(state.getUint8(IS_ACTIVE) === 1) === (interrupt === INACTIVITY)", replace: "true" },
      {
        find: "if (interrupt === INACTIVITY) setReference(state);\n      continue",
        replace: "continue",
      },
      { find: "state.setFloat64(SAMPLED, last);", replace: "state.setFloat64(SAMPLED, now);" },
      { find: "return Math.max(1, Math.ceil(rest / step));", replace: "return 1;" },
    ],
  },
  {
    path: "lib/spi/bus_turn.ts",
    tests: [SPI],
    mutations: [
      { find: "if (!this.#backend.selected) return true;", replace: "" },
      { find: "this.#deselect();\n    if (!bus.isWanted)", replace: "if (!bus.isWanted)" },
      { find: "if (!bus.isWanted) return true;", replace: "return true;" },
      { find: "if (bus.isMine && this.#backend.selected) this.#deselect();", replace: "" },
      { find: "if (patient && !bus.isWanted)", replace: "if (false)" },
      { find: "if (patient && !bus.isWanted)", replace: "if (patient)" },
    ],
  },
];
