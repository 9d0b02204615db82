/**
 * Simulated controllers as the configuration file describes them; ../config.ts shows the whole.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { FLASH_SIZES, type FlashSettings } from "./parts/flash.ts";
import { REGISTER_COUNT, type RegistersSettings } from "./parts/registers.ts";
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
} from "../protocol.ts";
import type { ChipSettings, SimulatedSettings } from "./simulated_controller.ts";

/** The most chip selects of a controller: the protocol counts them in a byte. */
export const MAX_CHIP_SELECTS = 255;
/** The longest delays in nanoseconds. */
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

/** A controller with so many loopbacks. */
export function loopbacks(count: number): SimulatedSettings {
  const chips = Array.from({ length: count }, () => ({ type: "loopback" } as const));
  return { kind: "simulated", chips, limits: simulatedLimits(chips) };
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

/**
 * Reads a controller: a number of loopbacks, or a mapping.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readSimulated(node: ConfigNode): SimulatedSettings {
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
