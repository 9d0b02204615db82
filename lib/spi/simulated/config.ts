/**
 * Simulated controllers as the configuration file describes them; ../config.ts shows the whole.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
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
import { spiParts } from "./parts.ts";
import type { SimulatedSettings, SpiPartDescription } from "./simulated_controller.ts";

/** The most chip selects of a controller: the protocol counts them in a byte. */
export const MAX_CHIP_SELECTS = 255;
/** The longest delays in nanoseconds. */
const SIMULATED_DELAY = 1_000_000_000;
const SIMULATED_WORD_DELAY = 1_000_000;
/** Words whose bytes can be put in wire order: of 8, 16 and 32 bits. */
const BYTE_WORDS = 0x80008080;

const anyMode = FUNC_CPHA_0 | FUNC_CPHA_1 | FUNC_CPOL_0 | FUNC_CPOL_1 | FUNC_CS_HIGH |
  FUNC_LSB_FIRST | FUNC_LOOP;

function takeAnyWords(parts: readonly SpiPartDescription[]): boolean {
  return parts.every(({ part }) => spiParts.get(part).anyWords === true);
}

function simulatedLimits(parts: readonly SpiPartDescription[]): Limits {
  return {
    chipSelects: 1 + Math.max(...parts.map(({ chipSelect }) => chipSelect)),
    txNbits: 0,
    rxNbits: 0,
    bitsPerWordMask: takeAnyWords(parts) ? 0xffffffff : BYTE_WORDS,
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
  const usual = spiParts.usual("loopback");
  const parts = Array.from({ length: count }, (_, chipSelect) => ({ ...usual, chipSelect }));
  return { kind: "simulated", parts, limits: simulatedLimits(parts) };
}

function readParts(node: ConfigNode, names: Set<string>): SpiPartDescription[] {
  const list = node.list("parts");
  if (list.length < 1 || list.length > MAX_CHIP_SELECTS) {
    return node.fail(`${list.length} parts, a controller has 1 to ${MAX_CHIP_SELECTS}`);
  }
  const taken = new Set<number>();
  let next = 0;
  return list.map((entry) => {
    const { own, ...described } = spiParts.read(entry, ["chip-select"], names);
    const where = own["chip-select"];
    const chipSelect = where?.integer(0, MAX_CHIP_SELECTS - 1, "a chip select") ?? next;
    if (chipSelect >= MAX_CHIP_SELECTS) {
      entry.fail(`there is no chip select ${chipSelect}, the last one is ${MAX_CHIP_SELECTS - 1}`);
    }
    if (taken.has(chipSelect)) {
      (where ?? entry).fail(`chip select ${chipSelect} has another part; give each its own`);
    }
    taken.add(chipSelect);
    next = chipSelect + 1;
    return { ...described, chipSelect };
  });
}

const SPI_MODES = [
  FUNC_CPHA_0 | FUNC_CPOL_0,
  FUNC_CPHA_1 | FUNC_CPOL_0,
  FUNC_CPHA_0 | FUNC_CPOL_1,
  FUNC_CPHA_1 | FUNC_CPOL_1,
];

function readModes(node: ConfigNode | undefined): { functions: number; clockModes: number } {
  const modes = node?.list("modes").map((mode) => mode.integer(0, 3, "a mode")) ?? [0, 1, 2, 3];
  if (modes.length === 0) node!.fail("the list is empty, expected modes from 0 to 3");
  return {
    functions: modes.reduce((functions, mode) => functions | SPI_MODES[mode], 0),
    clockModes: modes.reduce((mask, mode) => mask | (1 << mode), 0),
  };
}

function readBitsPerWord(node: ConfigNode, parts: readonly SpiPartDescription[]): number {
  const anything = simulatedLimits(parts).bitsPerWordMask;
  let mask = 0;
  for (const entry of node.list("word sizes in bits")) {
    const bits = entry.integer(1, 32, "a word size in bits");
    if (!((anything >>> (bits - 1)) & 1)) {
      entry.fail(`words of ${bits} bits go with loopbacks only; other parts take 8, 16 and 32`);
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
  "parts",
  "max-frequency",
  "bits-per-word",
  "modes",
  "cs-high",
  "lsb-first",
  "loop",
  "tx-lines",
  "rx-lines",
] as const;

const FORMER_KEYS = { chips: "'parts', a list such as [{ part: loopback }, { part: flash }]" };

/**
 * Reads a controller: a number of loopbacks, or a mapping.
 *
 * @param names of parts taken so far in the file
 * @throws {UsageError} if it makes no sense
 */
export function readSimulated(node: ConfigNode, names: Set<string>): SimulatedSettings {
  if (!node.isMapping) {
    return loopbacks(node.integer(1, MAX_CHIP_SELECTS, "a number of loopbacks"));
  }
  const keys = node.mapping(SIMULATED_KEYS, FORMER_KEYS);
  if (keys.parts === undefined) return node.fail("'parts' is missing: a list of parts");
  const parts = readParts(keys.parts, names);
  const usual = simulatedLimits(parts);
  const feature = (key: "cs-high" | "lsb-first" | "loop", bit: number) =>
    keys[key]?.boolean() ?? true ? bit : 0;
  const bits = keys["bits-per-word"];
  const { functions, clockModes } = readModes(keys.modes);
  return {
    kind: "simulated",
    parts,
    limits: {
      ...usual,
      clockModes,
      modeFunctions: functions | feature("cs-high", FUNC_CS_HIGH) |
        feature("lsb-first", FUNC_LSB_FIRST) | feature("loop", FUNC_LOOP),
      maxFrequency: keys["max-frequency"]?.integer(0, 0xffffffff, "a frequency in Hz") ?? 0,
      bitsPerWordMask: bits === undefined ? usual.bitsPerWordMask : readBitsPerWord(bits, parts),
      txNbits: readLines(keys["tx-lines"]),
      rxNbits: readLines(keys["rx-lines"]),
    },
  };
}
