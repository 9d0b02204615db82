/**
 * Controllers and their limits in words.
 *
 * @module
 */

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
import { spiParts } from "./simulated/parts.ts";
import type { SimulatedSettings } from "./simulated/simulated_controller.ts";

/** A frequency with its unit, for example `10 MHz`. */
export function describeFrequency(hertz: number): string {
  if (hertz >= 1e6) return `${hertz / 1e6} MHz`;
  return hertz >= 1000 ? `${hertz / 1000} kHz` : `${hertz} Hz`;
}

/** Numbers with runs put together, for example `4-8, 16`. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let start = 0; start < numbers.length;) {
    let end = start;
    while (numbers[end + 1] === numbers[end] + 1) end++;
    parts.push(start === end ? `${numbers[start]}` : `${numbers[start]}-${numbers[end]}`);
    start = end + 1;
  }
  return parts.join(", ");
}

function modes({ modeFunctions: functions, clockModes = 0xf }: Limits): string {
  const found: number[] = [];
  for (let mode = 0; mode < 4; mode++) {
    const phase = mode & 1 ? FUNC_CPHA_1 : FUNC_CPHA_0;
    const polarity = mode & 2 ? FUNC_CPOL_1 : FUNC_CPOL_0;
    if (functions & phase && functions & polarity && (clockModes >>> mode) & 1) found.push(mode);
  }
  const more = [
    functions & FUNC_CS_HIGH ? "cs-high" : "",
    functions & FUNC_LSB_FIRST ? "lsb-first" : "",
    functions & FUNC_LOOP ? "loop" : "",
  ].filter((word) => word !== "");
  return [`modes ${ranges(found)}`, ...more].join(", ");
}

function words(mask: number): string {
  if (mask === 0) return "words of any size";
  const sizes = Array.from({ length: 32 }, (_, bit) => bit + 1);
  return `words of ${ranges(sizes.filter((bits) => (mask >>> (bits - 1)) & 1))} bits`;
}

function lines(tx: number, rx: number): string {
  const most = (nbits: number) =>
    nbits & NBITS_OCTAL ? 8 : nbits & NBITS_QUAD ? 4 : nbits & NBITS_DUAL ? 2 : 1;
  return tx === 0 && rx === 0 ? "" : `, up to ${most(tx)} lines out and ${most(rx)} in`;
}

function speed(hertz: number): string {
  return hertz === 0 ? "any frequency" : `up to ${describeFrequency(hertz)}`;
}

/** What a node can do. */
export function describeLimits(limits: Limits): string {
  return `${speed(limits.maxFrequency)}, ${modes(limits)}, ` +
    words(limits.bitsPerWordMask) + lines(limits.txNbits, limits.rxNbits);
}

/** What a node is set to, given what it can do as it is. */
export function describeSettings(limits: Limits): string {
  return `${speed(limits.maxFrequency)}, set to ${modes(limits).replace("modes", "mode")}, ${
    words(limits.bitsPerWordMask)
  }`;
}

/** A controller of nodes. */
export function describeNodes(paths: readonly string[], limits: Limits): string {
  return `${paths.join(", ")} (${describeLimits(limits)})`;
}

/** A simulated controller. */
export function describeParts({ parts, limits }: SimulatedSettings): string {
  const names = new Map<string, number>();
  for (const { part, settings } of parts) {
    const name = spiParts.get(part).title?.(settings) ?? part;
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  const list = [...names].map(([name, count]) => count === 1 ? name : `${count} x ${name}`);
  return `${limits.chipSelects} simulated chip ${
    limits.chipSelects === 1 ? "select" : "selects"
  }: ` +
    list.join(", ");
}
