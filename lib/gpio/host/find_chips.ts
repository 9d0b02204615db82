/**
 * The GPIO chips of this host: opened, found, and told of.
 *
 * @module
 */

import { EACCES, ENODEV, ENOENT, ENOTTY, EPERM, SystemError } from "../../../ffi/errno.ts";
import { listFolder } from "../../../ffi/file.ts";
import { GpioChip, LibraryMissing } from "../../../ffi/libgpiod.ts";
import { RuntimeError } from "../../errors.ts";
import type { ChipReference } from "./settings.ts";

const DEVICES = "/dev";

/** A chip as it was found. */
export interface FoundChip {
  readonly path: string;
  /** The kernel's name, for example `gpiochip0`, and its driver's. */
  readonly chip: string;
  readonly label: string;
  /** The host's names of the lines, in order; empty where a line has none. */
  readonly names: readonly string[];
}

/** For messages, for example `gpiochip0 "pinctrl-bcm2711"`. */
export function chipTitle({ chip, label }: Pick<FoundChip, "chip" | "label">): string {
  return `${chip} "${label}"`;
}

function libraryMessage(error: LibraryMissing): string {
  const missing = /No such file/.test(error.message);
  const found = error.found !== undefined
    ? `only version ${error.found} is installed`
    : missing
    ? "it is not installed"
    : `it cannot be loaded: ${error.message}`;
  return `the GPIO lines of this host need libgpiod version 2 (libgpiod.so.3), and ${found}; ` +
    "install the package libgpiod3 (Debian, Ubuntu) or libgpiod (Fedora, Alpine)";
}

/** The paths of all chips of this host, in the order of their numbers. */
function chipPaths(): string[] {
  return listFolder(DEVICES)
    .map((name) => /^gpiochip(\d+)$/.exec(name))
    .filter((match) => match !== null)
    .sort((a, b) => Number(a[1]) - Number(b[1]))
    .map(([name]) => `${DEVICES}/${name}`);
}

function explain(path: string, error: unknown): RuntimeError {
  if (error instanceof LibraryMissing) return new RuntimeError(libraryMessage(error));
  if (!(error instanceof SystemError)) throw error;
  switch (error.errno) {
    case EACCES:
    case EPERM:
      return new RuntimeError(
        `no permission to open ${path}; run as a user of its group, which is often 'gpio'`,
      );
    case ENOENT:
      return new RuntimeError(`there is no ${path}; ${chipsThere()}`);
    case ENODEV:
    case ENOTTY:
      return new RuntimeError(`${path} is no GPIO chip; ${chipsThere()}`);
    default:
      return new RuntimeError(`${path} cannot be opened: ${error.message}`);
  }
}

/** What there is, for somebody who has asked for something else. */
function chipsThere(): string {
  const names = chipPaths().map((path) => path.slice(DEVICES.length + 1));
  return names.length === 0
    ? "this host has no GPIO chips (sN stands for N simulated lines)"
    : `this host has ${names.join(", ")} (see --list)`;
}

/**
 * Opens a chip.
 *
 * @throws {RuntimeError} if that is impossible, with the remedy
 */
export function openChip(path: string): GpioChip {
  try {
    return new GpioChip(path);
  } catch (error) {
    throw explain(path, error);
  }
}

function inspect(path: string): FoundChip {
  const chip = openChip(path);
  try {
    const { name, label, lineCount } = chip.info();
    const names = Array.from({ length: lineCount }, (_, line) => chip.lineInfo(line).name);
    return { path, chip: name, label, names };
  } catch (error) {
    throw explain(path, error);
  } finally {
    chip.close();
  }
}

function findByLabel(label: string): FoundChip {
  const closed: string[] = [];
  const found: string[] = [];
  for (const path of chipPaths()) {
    try {
      const chip = new GpioChip(path);
      if (chip.info().label === label) found.push(path);
      chip.close();
    } catch (error) {
      if (!(error instanceof SystemError)) throw explain(path, error);
      closed.push(path);
    }
  }
  if (found.length === 1) return inspect(found[0]);
  if (found.length > 1) {
    throw new RuntimeError(`${found.join(" and ")} are both labelled '${label}'; give a path`);
  }
  const unseen = closed.length > 0 ? `, unless it is ${closed.join(" or ")}, not to be opened` : "";
  throw new RuntimeError(`there is no GPIO chip '${label}'${unseen}; ${chipsThere()}`);
}

/**
 * Finds the chip that a user means: by number, path, name (`gpiochip0`) or label, in this order.
 *
 * @throws {RuntimeError} if there is no such chip, or it cannot be opened
 */
export function findChip(reference: ChipReference): FoundChip {
  if (typeof reference === "number") return inspect(`${DEVICES}/gpiochip${reference}`);
  if (reference.includes("/")) return inspect(reference);
  const path = `${DEVICES}/${reference}`;
  if (chipPaths().includes(path)) return inspect(path);
  return findByLabel(reference);
}

/**
 * What `--list` shows: the chips of this host and their lines.
 *
 * @throws {RuntimeError} if there are chips, and no library to look at them
 */
export function listChips(): string[] {
  const paths = chipPaths();
  if (paths.length === 0) return ["This host has no GPIO chips. sN stands for N simulated lines."];
  return paths.flatMap((path) => {
    try {
      return describeChip(path, new GpioChip(path));
    } catch (error) {
      const reason = explain(path, error);
      if (error instanceof LibraryMissing) throw reason;
      return [`${path}: ${reason.message}`];
    }
  });
}

function describeChip(path: string, chip: GpioChip): string[] {
  try {
    const { label, lineCount } = chip.info();
    const lines = Array.from({ length: lineCount }, (_, line) => chip.lineInfo(line));
    const shown = lines.map(({ name }) => name === "" ? "unnamed" : `"${name}"`);
    const width = Math.max(...shown.map((name) => name.length));
    return [
      `${path} "${label}": ${lineCount} ${lineCount === 1 ? "line" : "lines"}`,
      ...lines.map(({ direction, used, consumer }, line) => {
        const start = `${String(line).padStart(7)}  ${shown[line].padEnd(width)}  ${direction}`;
        return used ? `${start.padEnd(width + 17)}  used by "${consumer || "the kernel"}"` : start;
      }),
    ];
  } finally {
    chip.close();
  }
}
