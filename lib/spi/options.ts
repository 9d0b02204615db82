/**
 * The SPI daemon's part of the command line and of the configuration file.
 *
 * The file, beside the keys that all daemons share:
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets; a single entry
 *                              # serves all guests, as --device does
 *   - device: /dev/spidev0.0,/dev/spidev0.1   # as --device; also sN
 *     flash: [0]               # chip selects with a NOR flash: messages end where commands do
 *   - simulated:
 *       chips:                 # one per chip select
 *         - loopback           # what is sent comes back
 *         - flash:             # a NOR flash of the 25 series
 *             size-kib: 4096   # 256 (default), 512, 1024, 2048, 4096, 8192 or 16384
 *             id: 0xef4016     # JEDEC id; default: a Winbond part of that size
 *             file: flash.bin  # keeps the contents; made if missing
 *         - registers:         # 128 registers of a byte: first byte the number, bit 7 to read
 *             values:          # at the start; 0 where none is given
 *               0x0f: 0x33
 *             read-only: [0x0f]
 *             failing: [0x7f]  # transfers that touch one of these fail
 *       max-frequency: 10000000  # in Hz; default 0, no limit
 *       bits-per-word: [8, 16]   # default 1 to 32; 8, 16 and 32 with other chips than loopbacks
 *       modes: [0, 3]            # default all four
 *       cs-high: false           # default true, as for the two that follow
 *       lsb-first: false
 *       loop: false
 *       tx-lines: 1              # most data lines: 1 (default), 2, 4 or 8
 *       rx-lines: 4
 *   - share: 1                 # the controller of an earlier entry, counted from 0
 * chip-select-hold-us: 10000   # how long a chip waits for the rest of a message; 0: not at all
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../daemon/config_file.ts";
import type { OptionSpec } from "../daemon/options.ts";
import { readInteger } from "../daemon/options.ts";
import { UsageError } from "../daemon/usage_error.ts";
import { FLASH_SIZES, type FlashSettings } from "./chips/flash.ts";
import { REGISTER_COUNT, type RegistersSettings } from "./chips/registers.ts";
import { parseNodePath } from "./nodes.ts";
import {
  FUNC_CPHA_0,
  FUNC_CPHA_1,
  FUNC_CPOL_0,
  FUNC_CPOL_1,
  FUNC_CS_HIGH,
  FUNC_LOOP,
  FUNC_LSB_FIRST,
  type Limits,
  NBITS_DUAL,
  NBITS_OCTAL,
  NBITS_QUAD,
} from "./protocol.ts";
import type { ChipSettings, SimulatedSettings } from "./simulated.ts";

/** The most chip selects of a controller: the protocol counts them in a byte. */
export const MAX_CHIP_SELECTS = 255;
/** How long a chip stays selected for the rest of a message unless said otherwise. */
export const USUAL_HOLD_MICROSECONDS = 10_000;
const MAX_HOLD_MICROSECONDS = 1_000_000;

/** A controller of nodes of this host. */
export interface NodesSettings {
  readonly kind: "nodes";
  readonly paths: readonly string[];
  /** Chip selects with a NOR flash. */
  readonly flash: readonly number[];
}

/** A controller; guests that share one refer to the same object. */
export type ControllerSettings = NodesSettings | SimulatedSettings;

const DEVICE_FORM =
  "/dev/spidevX.Y, several of one bus with commas between, or sN for N simulated " +
  "loopbacks";

export const spiOptions: readonly OptionSpec[] = [
  {
    name: "device",
    short: "l",
    value: "D[,D]...",
    help: "nodes of one bus such as /dev/spidev0.0, one per chip select; sN for N loopbacks",
    details:
      "All guests get the same controller and take turns. Nodes become chip selects 0, 1, … " +
      "in the order in which they are given.",
  },
];

const SIMULATED_DELAY = 1_000_000_000;
const SIMULATED_WORD_DELAY = 1_000_000;
/** Words whose bytes can be put in wire order: of 8, 16 and 32 bits. */
const BYTE_WORDS = 0x80008080;

const anyMode = FUNC_CPHA_0 | FUNC_CPHA_1 | FUNC_CPOL_0 | FUNC_CPOL_1 | FUNC_CS_HIGH |
  FUNC_LSB_FIRST | FUNC_LOOP;

function simulatedLimits(chips: readonly ChipSettings[]): Limits {
  return {
    chipSelects: chips.length,
    txNbits: 0,
    rxNbits: 0,
    bitsPerWordMask: chips.every(({ type }) => type === "loopback") ? 0xffffffff : BYTE_WORDS,
    modeFunctions: anyMode,
    maxFrequency: 0,
    maxWordDelay: SIMULATED_WORD_DELAY,
    maxSetup: SIMULATED_DELAY,
    maxHold: SIMULATED_DELAY,
    maxInactive: SIMULATED_DELAY,
  };
}

function loopbacks(count: number): SimulatedSettings {
  const chips = Array.from({ length: count }, () => ({ type: "loopback" } as const));
  return { kind: "simulated", chips, limits: simulatedLimits(chips) };
}

/**
 * Reads a device, for example `/dev/spidev0.0,/dev/spidev0.1` or `s2`.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readDevice(text: string): ControllerSettings {
  const refuse = (why: string) => new UsageError(`device '${text}': ${why}`);
  const simulated = /^s(\d.*)?$/.exec(text);
  if (simulated !== null) {
    const count = readInteger(simulated[1] ?? "");
    if (count === undefined) throw refuse(`no number of chip selects, expected ${DEVICE_FORM}`);
    if (count < 1 || count > MAX_CHIP_SELECTS) {
      throw refuse(`${count} chip selects, a controller has 1 to ${MAX_CHIP_SELECTS}`);
    }
    return loopbacks(count);
  }
  const paths = text.split(",");
  const seen = new Map<string, string>();
  let bus: number | undefined;
  for (const path of paths) {
    if (path === "") throw refuse(`an entry is empty, expected ${DEVICE_FORM}`);
    if (!path.includes("/")) {
      const hint = /^spidev\d+\.\d+$/.test(path)
        ? `did you mean '/dev/${path}'?`
        : `expected ${DEVICE_FORM}`;
      throw refuse(`'${path}' is no path; ${hint}`);
    }
    const name = parseNodePath(path);
    const key = name === undefined ? path : `${name.bus}.${name.chipSelect}`;
    const other = seen.get(key);
    if (other !== undefined) {
      throw refuse(
        other === path
          ? `'${path}' is given twice; give each node once`
          : `'${path}' and '${other}' are the same node; give each node once`,
      );
    }
    seen.set(key, path);
    if (name === undefined) continue;
    if (bus !== undefined && bus !== name.bus) {
      throw refuse(
        `'${path}' is on bus ${name.bus}, the nodes before it on bus ${bus}; ` +
          "a controller has nodes of one bus, start a daemon for each bus",
      );
    }
    bus = name.bus;
  }
  if (paths.length > MAX_CHIP_SELECTS) {
    throw refuse(`${paths.length} nodes, a controller has 1 to ${MAX_CHIP_SELECTS}`);
  }
  return { kind: "nodes", paths, flash: [] };
}

function readFlash(node: ConfigNode): FlashSettings {
  const { "size-kib": sizeNode, id, file } = node.mapping(["size-kib", "id", "file"]);
  const kib = sizeNode?.integer(1, 16384, "a size in KiB") ?? 256;
  const size = kib * 1024;
  const usual = FLASH_SIZES.get(size);
  if (usual === undefined) {
    const sizes = [...FLASH_SIZES.keys()].map((bytes) => bytes / 1024).join(", ");
    return sizeNode!.fail(`${kib} is no size of a flash, expected one of ${sizes}`);
  }
  return {
    type: "flash",
    size,
    id: id?.integer(0, 0xffffff, "a JEDEC id of three bytes") ?? usual,
    file: file?.string("a path"),
  };
}

function registerList(node: ConfigNode | undefined): number[] {
  return (node?.list("registers") ?? []).map((register) =>
    register.integer(0, REGISTER_COUNT - 1, "a register")
  );
}

function readRegisters(node: ConfigNode): RegistersSettings {
  const keys = node.mapping(["values", "read-only", "failing"]);
  const numbers = Array.from({ length: REGISTER_COUNT }, (_, register) => register);
  // Keys may be written in any base; YAML makes numbers of them.
  const values = keys.values?.mapping(numbers.map(String)) ?? {};
  return {
    type: "registers",
    values: Object.entries(values).map(([register, value]) =>
      [Number(register), value!.integer(0, 255, "a byte")] as const
    ),
    readOnly: registerList(keys["read-only"]),
    failing: registerList(keys.failing),
  };
}

function readChip(node: ConfigNode): ChipSettings {
  if (!node.isMapping) return { type: node.choice(["loopback"]) };
  const { flash, registers } = node.mapping(["flash", "registers"]);
  if ((flash === undefined) === (registers === undefined)) {
    return node.fail("expected one chip: loopback, flash or registers");
  }
  return flash !== undefined ? readFlash(flash) : readRegisters(registers!);
}

const SPI_MODES = [
  FUNC_CPHA_0 | FUNC_CPOL_0,
  FUNC_CPHA_1 | FUNC_CPOL_0,
  FUNC_CPHA_0 | FUNC_CPOL_1,
  FUNC_CPHA_1 | FUNC_CPOL_1,
];

function readModes(node: ConfigNode | undefined): number {
  if (node === undefined) return FUNC_CPHA_0 | FUNC_CPHA_1 | FUNC_CPOL_0 | FUNC_CPOL_1;
  const modes = node.list("modes").map((mode) => mode.integer(0, 3, "a mode"));
  if (modes.length === 0) node.fail("the list is empty, expected modes from 0 to 3");
  return modes.reduce((functions, mode) => functions | SPI_MODES[mode], 0);
}

function readBitsPerWord(node: ConfigNode, chips: readonly ChipSettings[]): number {
  const anything = simulatedLimits(chips).bitsPerWordMask;
  let mask = 0;
  for (const entry of node.list("word sizes in bits")) {
    const bits = entry.integer(1, 32, "a word size in bits");
    if (!((anything >>> (bits - 1)) & 1)) {
      entry.fail(`words of ${bits} bits go with loopbacks only; other chips take 8, 16 and 32`);
    }
    mask |= 1 << (bits - 1);
  }
  if (mask === 0) node.fail("the list is empty, expected word sizes from 1 to 32 bits");
  return mask >>> 0;
}

function readLines(node: ConfigNode | undefined): number {
  if (node === undefined) return 0;
  switch (node.integer(1, 8, "a number of data lines")) {
    case 1:
      return 0;
    case 2:
      return NBITS_DUAL;
    case 4:
      return NBITS_DUAL | NBITS_QUAD;
    case 8:
      return NBITS_DUAL | NBITS_QUAD | NBITS_OCTAL;
    default:
      return node.fail(`expected 1, 2, 4 or 8 data lines, found ${node.source}`);
  }
}

const SIMULATED_KEYS = [
  "chips",
  "max-frequency",
  "bits-per-word",
  "modes",
  "cs-high",
  "lsb-first",
  "loop",
  "tx-lines",
  "rx-lines",
] as const;

function readSimulated(node: ConfigNode): SimulatedSettings {
  if (!node.isMapping) {
    return loopbacks(node.integer(1, MAX_CHIP_SELECTS, "a number of loopbacks"));
  }
  const keys = node.mapping(SIMULATED_KEYS);
  if (keys.chips === undefined) return node.fail("'chips' is missing: a list of chips");
  const chips = keys.chips.list("chips").map(readChip);
  if (chips.length < 1 || chips.length > MAX_CHIP_SELECTS) {
    return keys.chips.fail(`${chips.length} chips, a controller has 1 to ${MAX_CHIP_SELECTS}`);
  }
  const usual = simulatedLimits(chips);
  const feature = (key: "cs-high" | "lsb-first" | "loop", bit: number) =>
    keys[key]?.boolean() ?? true ? bit : 0;
  const bits = keys["bits-per-word"];
  return {
    kind: "simulated",
    chips,
    limits: {
      ...usual,
      modeFunctions: readModes(keys.modes) | feature("cs-high", FUNC_CS_HIGH) |
        feature("lsb-first", FUNC_LSB_FIRST) | feature("loop", FUNC_LOOP),
      maxFrequency: keys["max-frequency"]?.integer(0, 0xffffffff, "a frequency in Hz") ?? 0,
      bitsPerWordMask: bits === undefined ? usual.bitsPerWordMask : readBitsPerWord(bits, chips),
      txNbits: readLines(keys["tx-lines"]),
      rxNbits: readLines(keys["rx-lines"]),
    },
  };
}

function readNodes(device: ConfigNode, flash: ConfigNode | undefined): ControllerSettings {
  const text = device.string("a device");
  let settings: ControllerSettings;
  try {
    settings = readDevice(text);
  } catch (error) {
    return device.fail((error as Error).message);
  }
  if (flash === undefined) return settings;
  if (settings.kind !== "nodes") return flash.fail("'flash' goes with nodes of 'device' only");
  const last = settings.paths.length - 1;
  const list = flash.list("chip selects").map((one) => one.integer(0, last, "a chip select"));
  return { ...settings, flash: list };
}

function readGuest(node: ConfigNode, earlier: readonly ControllerSettings[]): ControllerSettings {
  const keys = node.mapping(["device", "flash", "simulated", "share"]);
  const { device, flash, simulated, share } = keys;
  const given = [device, simulated, share].filter((one) => one !== undefined);
  if (given.length !== 1) return node.fail("expected one of 'device', 'simulated' and 'share'");
  if (device !== undefined) return readNodes(device, flash);
  if (flash !== undefined) flash.fail("'flash' goes with nodes of 'device' only");
  if (simulated !== undefined) return readSimulated(simulated);
  if (earlier.length === 0) return share!.fail("there is no earlier entry to share with");
  return earlier[share!.integer(0, earlier.length - 1, "the number of an earlier entry")];
}

/** What no two controllers can have: nodes and flash files. */
function resources(settings: ControllerSettings): string[] {
  if (settings.kind === "simulated") {
    return settings.chips.flatMap((chip) => chip.type === "flash" ? chip.file ?? [] : []);
  }
  return settings.paths.map((path) => {
    const name = parseNodePath(path);
    return name === undefined ? path : `/dev/spidev${name.bus}.${name.chipSelect}`;
  });
}

/**
 * Reads the list of guests of the configuration file.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readGuests(node: ConfigNode): ControllerSettings[] {
  const controllers: ControllerSettings[] = [];
  const owners = new Map<string, number>();
  for (const guest of node.list("guests, each with 'device', 'simulated' or 'share'")) {
    const settings = readGuest(guest, controllers);
    const isNew = !controllers.includes(settings);
    for (const resource of isNew ? resources(settings) : []) {
      const owner = owners.get(resource);
      if (owner !== undefined) {
        guest.fail(
          `'${resource}' is taken by entry ${owner}; write 'share: ${owner}' for the same controller`,
        );
      }
      owners.set(resource, controllers.length);
    }
    controllers.push(settings);
  }
  if (controllers.length === 0) node.fail("the list is empty, expected one entry per guest");
  return controllers;
}

/** Reads how long a chip waits for the rest of a message, in milliseconds. */
export function readHold(node: ConfigNode | undefined): number {
  const microseconds = node?.integer(0, MAX_HOLD_MICROSECONDS, "a time in microseconds");
  return (microseconds ?? USUAL_HOLD_MICROSECONDS) / 1000;
}
