/**
 * What a guest may do with a line of the host, as its user has said.
 *
 * @module
 */

import type { LineInfo } from "../../../ffi/libgpiod.ts";

/** What can be said of a line. */
export const ACCESSES = ["read-write", "input", "output", "read-only"] as const;
export type Access = (typeof ACCESSES)[number];

/** True if a guest may never drive a line with this access. */
export function neverDrives(access: Access): boolean {
  return access === "input" || access === "read-only";
}

/** What a guest can want of a line: a direction, an interrupt, or to know its level. */
export type Use = "input" | "output" | "interrupt" | "level";

/**
 * What speaks against a use of a line that the guest has not made an output.
 *
 * A line that is only to be looked at is requested for its level alone, and only as an input that
 * nobody has: some chips make any line an input when a request of it ends, and some take a pin
 * from another function of theirs.
 *
 * @param lineInfo asks the kernel what the line is, without taking it
 * @returns the end of a sentence that begins with the line, or undefined where nothing does
 */
export function objection(
  access: Access,
  use: Use,
  lineInfo: () => LineInfo | undefined,
): string | undefined {
  if (use === "output") {
    return neverDrives(access) ? `may not be an output by its 'access: ${access}'` : undefined;
  }
  if (access === "output") {
    if (use === "input") return "may not be an input by its 'access: output'";
    if (use === "interrupt") return "may not have an interrupt: that is for inputs";
    return lineInfo()?.direction === "output"
      ? undefined
      : "may not be read: it is an input, and 'access: output'";
  }
  if (access !== "read-only" || lineInfo()?.direction !== "output") return undefined;
  switch (use) {
    case "input":
      return "may not be an input: it is an output, and 'access: read-only'";
    case "interrupt":
      return "may not have an interrupt: it is an output, and 'access: read-only'";
    case "level":
      return "may not be read: it is an output, which giving it back might change, and " +
        "'access: read-only'";
  }
}
