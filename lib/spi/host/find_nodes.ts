/**
 * The spidev nodes of this host: `/dev/spidevX.Y` is chip select Y of bus X.
 *
 * @module
 */

import { EACCES, ENODEV, ENOENT, ENOTTY, ENXIO, EPERM, SystemError } from "../../../ffi/errno.ts";
import { close, lockExclusively, O_RDWR, open } from "../../../ffi/fd.ts";
import { listFolder, readLink, realPath } from "../../../ffi/file.ts";
import { readMode } from "../../../ffi/spidev.ts";
import { readAttribute } from "../../../ffi/sysfs.ts";
import { RuntimeError } from "../../errors.ts";

const DEVICES = "/sys/bus/spi/devices";
const BUFSIZ = "/sys/module/spidev/parameters/bufsiz";
/** What spidev's buffers hold unless its parameter says otherwise. */
const USUAL_BUFSIZ = 4096;
/** The strictest alignment that spidev gives transfers in its buffers (`ARCH_DMA_MINALIGN`). */
const BUFFER_ALIGNMENT = 128;

/** A node's place. */
export interface NodeName {
  readonly bus: number;
  readonly chipSelect: number;
}

/** What a path says of a node, also by way of links; `undefined` if it says nothing. */
export function parseNodePath(path: string): NodeName | undefined {
  // Where there is nothing, the path itself is as good for a message.
  const match = /\/spidev(\d+)\.(\d+)$/.exec(realPath(path) ?? path);
  return match === null ? undefined : { bus: Number(match[1]), chipSelect: Number(match[2]) };
}

/** The paths of all nodes, in the order of buses and chip selects. */
export function findNodes(): string[] {
  const found: (NodeName & { path: string })[] = [];
  for (const name of listFolder("/dev")) {
    const match = /^spidev(\d+)\.(\d+)$/.exec(name);
    if (match === null) continue;
    found.push({ bus: Number(match[1]), chipSelect: Number(match[2]), path: `/dev/${name}` });
  }
  found.sort((a, b) => a.bus - b.bus || a.chipSelect - b.chipSelect);
  return found.map(({ path }) => path);
}

/** How many bytes one message of a spidev may have in each direction. */
export function bufferSize(): number {
  const size = Number(readAttribute(BUFSIZ));
  return Number.isInteger(size) && size > 0 ? size : USUAL_BUFSIZ;
}

/**
 * The longest transfer that fits a message, whatever the kernel's alignment: spidev rounds each
 * transfer's length up before it compares the sum with its parameter.
 *
 * @param bufsiz the parameter
 */
export function pieceSize(bufsiz: number): number {
  for (let alignment = BUFFER_ALIGNMENT; alignment > 1; alignment /= 2) {
    if (bufsiz >= alignment) return bufsiz - bufsiz % alignment;
  }
  return bufsiz;
}

/**
 * Opens a node, whoever has it.
 *
 * @throws {RuntimeError} that says why it cannot be had, and what to do
 */
export function openShared(path: string): number {
  let fd = -1;
  try {
    fd = open(path, O_RDWR);
    readMode(fd);
    return fd;
  } catch (error) {
    close(fd);
    throw error instanceof SystemError ? notUsable(path, error) : error;
  }
}

/**
 * Opens a node for this process alone.
 *
 * @throws {RuntimeError} that says why it cannot be had, and what to do
 */
export function openNode(path: string): number {
  const fd = openShared(path);
  if (lockExclusively(fd)) return fd;
  close(fd);
  throw new RuntimeError(
    `SPI device '${path}' is in use by another process; stop that one or choose another device`,
  );
}

function notUsable(path: string, error: SystemError): RuntimeError {
  switch (error.errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return missing(path);
    case EACCES:
    case EPERM:
      return new RuntimeError(
        `no permission for SPI device '${path}'; make it readable and writable for user ` +
          `${Deno.uid()}, for example with a udev rule or membership in its group`,
      );
    case ENOTTY:
      return new RuntimeError(
        `'${path}' is not a spidev node, expected one such as /dev/spidev0.0; see --list`,
      );
    default:
      if (error.call === "ioctl") {
        return new RuntimeError(
          `'${path}' is not a spidev node (${error.message}), expected one such as ` +
            "/dev/spidev0.0; see --list",
        );
      }
      return new RuntimeError(`SPI device '${path}' cannot be opened: ${error.message}`);
  }
}

/** Explains why a node is not there: no such chip, or one that spidev is not bound to. */
function missing(path: string): RuntimeError {
  const name = parseNodePath(path);
  if (name === undefined) {
    return new RuntimeError(
      `SPI device '${path}' does not exist, expected a node such as /dev/spidev0.0; see --list`,
    );
  }
  const chip = `spi${name.bus}.${name.chipSelect}`;
  const start = `SPI device '${path}' does not exist`;
  const there = listFolder(DEVICES).includes(chip);
  if (!there) {
    const bus = listFolder(DEVICES).some((entry) => entry.startsWith(`spi${name.bus}.`)) ||
      listFolder("/sys/class/spi_master").includes(`spi${name.bus}`);
    return new RuntimeError(
      bus
        ? `${start}: bus ${name.bus} has no chip at chip select ${name.chipSelect}; describe ` +
          "one in the devicetree, or see --list"
        : `${start}: this host has no SPI bus ${name.bus}; see --list`,
    );
  }
  const loaded = listFolder("/sys/bus/spi/drivers").includes("spidev");
  const bind =
    `${loaded ? "" : "modprobe spidev && "}echo spidev > ${DEVICES}/${chip}/driver_override && ` +
    `echo ${chip} > /sys/bus/spi/drivers/spidev/bind`;
  const driver = readLink(`${DEVICES}/${chip}/driver`)?.split("/").at(-1);
  if (driver === "spidev") {
    return new RuntimeError(`${start}, though spidev is bound to ${chip}; is udev running?`);
  }
  if (driver !== undefined) {
    return new RuntimeError(
      `${start}: ${chip} belongs to the driver '${driver}'; hand it to spidev with: ` +
        `echo ${chip} > ${DEVICES}/${chip}/driver/unbind && ${bind}`,
    );
  }
  return new RuntimeError(`${start}: spidev is not bound to ${chip}; bind it with: ${bind}`);
}
