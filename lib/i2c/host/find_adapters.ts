/**
 * The I2C adapters of this host: which there are, what they can do, and why one cannot be had.
 *
 * @module
 */

import { EACCES, ENODEV, ENOENT, ENXIO, EPERM, SystemError } from "../../../ffi/errno.ts";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import { exists, listFolder, pathStatus, readBeginning, readLink } from "../../../ffi/file.ts";
import { functionality } from "../../../ffi/i2c_dev.ts";
import { readAttribute } from "../../../ffi/sysfs.ts";
import * as uapi from "../../../ffi/i2c_uapi.ts";
import { RuntimeError } from "../../errors.ts";
import { addressBits, isTenBit } from "../protocol.ts";

/** An adapter as the kernel names it. */
export interface HostAdapterName {
  /** The N of `/dev/i2c-N`. */
  readonly number: number;
  /** The content of `/sys/bus/i2c/devices/i2c-N/name`. */
  readonly name: string;
}

/** How an adapter is chosen: by number or by name. */
export type AdapterChoice = number | string;

const DEVICES = "/sys/bus/i2c/devices";

/** The path of an adapter's device node. */
export function devicePath(number: number): string {
  return `/dev/i2c-${number}`;
}

/** The name of an adapter, empty where the kernel does not tell. */
export function adapterName(number: number, root = ""): string {
  return readAttribute(`${root}${DEVICES}/i2c-${number}/name`) ?? "";
}

/**
 * The clock of an adapter in Hz, where the devicetree tells: a big-endian word.
 *
 * @param root of the file system, for tests
 */
export function clockFrequency(number: number, root = ""): number | undefined {
  try {
    const path = `${root}${DEVICES}/i2c-${number}/of_node/clock-frequency`;
    const frequency = new DataView(readBeginning(path, 4).buffer).getUint32(0);
    return frequency === 0 ? undefined : frequency;
  } catch {
    return undefined;
  }
}

/**
 * All adapters, by number.
 *
 * @param root of the file system, for tests
 */
export function hostAdapters(root = ""): HostAdapterName[] {
  // Beside the adapters there are the chips on them, called 0-0050 and the like.
  return listFolder(root + DEVICES)
    .map((name) => /^i2c-(\d+)$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map((digits) => ({
      number: Number(digits),
      name: adapterName(Number(digits), root),
    }))
    .sort((a, b) => a.number - b.number);
}

function inventory(adapters: readonly HostAdapterName[]): string {
  return adapters.length === 0
    ? "this host has no I2C adapters"
    : `this host has ${adapters.map(({ number, name }) => `${number} "${name}"`).join(", ")}`;
}

/**
 * Finds an adapter.
 *
 * @returns its number
 * @throws {RuntimeError} if there is none, or more than one of the name
 */
export function findAdapter(choice: AdapterChoice, root = ""): number {
  const adapters = hostAdapters(root);
  if (typeof choice === "number") {
    const known = adapters.some(({ number }) => number === choice);
    if (known || exists(root + devicePath(choice))) return choice;
    throw new RuntimeError(`there is no I2C adapter ${choice}; ${inventory(adapters)}`);
  }
  const found = adapters.filter(({ name }) => name === choice);
  if (found.length === 1) return found[0].number;
  if (found.length === 0) {
    throw new RuntimeError(`no I2C adapter is called '${choice}'; ${inventory(adapters)}`);
  }
  const numbers = found.map(({ number }) => number).join(", ");
  throw new RuntimeError(
    `${found.length} I2C adapters are called '${choice}'; choose one of them by number: ${numbers}`,
  );
}

/** The group that may use a device node, for people. */
function groupHint(path: string): string {
  const usual = "usually that is group 'i2c'";
  try {
    const { group: gid, mode } = pathStatus(path);
    const line = Deno.readTextFileSync("/etc/group").split("\n").find((line) =>
      line.split(":")[2] === String(gid)
    );
    const readWrite = 0o060;
    if (gid === 0 || (mode & readWrite) !== readWrite || line === undefined) {
      return `let a group have it that this user is in (${usual})`;
    }
    const [group] = line.split(":");
    return `join its group: usermod -aG ${group} USER`;
  } catch {
    return usual;
  }
}

/** What keeps an adapter from being opened, and what to do about it. */
function openProblem(number: number, error: SystemError, root = ""): RuntimeError {
  const path = devicePath(number);
  const known = exists(`${root}${DEVICES}/i2c-${number}`);
  if (error.errno === EACCES || error.errno === EPERM) {
    return new RuntimeError(`no permission to open ${path}; ${groupHint(path)}`);
  }
  if (known && [ENOENT, ENXIO, ENODEV].includes(error.errno)) {
    return new RuntimeError(
      `${path} is missing although there is an I2C adapter ${number}: i2c-dev is not loaded; ` +
        "run: modprobe i2c-dev",
    );
  }
  return new RuntimeError(`${path} cannot be opened: ${error.message}`);
}

/**
 * Opens an adapter.
 *
 * @returns a file descriptor
 * @throws {RuntimeError} if that cannot be
 */
export function openAdapter(number: number, root = ""): number {
  try {
    return open(root + devicePath(number), O_RDWR);
  } catch (error) {
    if (error instanceof SystemError) throw openProblem(number, error, root);
    throw error;
  }
}

/**
 * What an adapter can do.
 *
 * @returns a mask of `FUNC_…`
 * @throws {RuntimeError} if it cannot be opened, or is none
 */
export function probeAdapter(number: number): number {
  const fd = openAdapter(number);
  try {
    return functionality(fd);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new RuntimeError(`${devicePath(number)} is no I2C adapter: ${error.message}`);
  } finally {
    close(fd);
  }
}

/** How the kernel calls a chip, for example `1-0050`. */
export function chipName(number: number, address: number): string {
  const bits = addressBits(address) + (isTenBit(address) ? 0xa000 : 0);
  return `${number}-${bits.toString(16).padStart(4, "0")}`;
}

/** The driver of the kernel that has an address, or `undefined`. */
export function holderOf(number: number, address: number, root = ""): string | undefined {
  return readLink(`${root}${DEVICES}/${chipName(number, address)}/driver`)?.split("/").at(-1);
}

const ABILITIES: readonly (readonly [number, string])[] = [
  [uapi.FUNC_I2C, "I2C messages"],
  [uapi.FUNC_10BIT_ADDR, "10-bit addresses"],
  [uapi.FUNC_SMBUS_QUICK, "quick"],
  [uapi.FUNC_SMBUS_READ_BYTE | uapi.FUNC_SMBUS_WRITE_BYTE, "byte"],
  [uapi.FUNC_SMBUS_READ_BYTE_DATA | uapi.FUNC_SMBUS_WRITE_BYTE_DATA, "byte data"],
  [uapi.FUNC_SMBUS_READ_WORD_DATA | uapi.FUNC_SMBUS_WRITE_WORD_DATA, "word data"],
  [uapi.FUNC_SMBUS_PROC_CALL, "process call"],
  [uapi.FUNC_SMBUS_READ_BLOCK_DATA | uapi.FUNC_SMBUS_WRITE_BLOCK_DATA, "block data"],
  [uapi.FUNC_SMBUS_BLOCK_PROC_CALL, "block process call"],
  [uapi.FUNC_SMBUS_READ_I2C_BLOCK | uapi.FUNC_SMBUS_WRITE_I2C_BLOCK, "I2C block"],
];

/** What an adapter can do, for people. */
export function abilitiesText(functions: number): string {
  if (functions & uapi.FUNC_I2C) {
    // Every SMBus transaction can be made of messages; only the empty one takes more.
    const beside = uapi.FUNC_10BIT_ADDR | uapi.FUNC_SMBUS_QUICK;
    functions &= uapi.FUNC_I2C | beside;
  }
  const can = ABILITIES.filter(([bits]) => functions & bits).map(([bits, name]) =>
    (functions & bits) === bits ? name : `${name} (one way)`
  );
  const prefix = functions & uapi.FUNC_I2C ? "" : "SMBus only: ";
  return prefix + (can.length === 0 ? "nothing" : can.join(", "));
}
