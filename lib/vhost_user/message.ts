/**
 * The vhost-user messages between front-end and back-end, as bytes and as values.
 *
 * All numbers are in the machine's byte order, which is little-endian on every machine that Deno
 * runs on. 64-bit addresses become Numbers: those from 2^53 on come out inexact and are refused
 * wherever they are used; feature masks stay BigInt.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Message Specification", "Front-end message types").
 *
 * @module
 */

import type { RegionDescription } from "../virtio/memory_region.ts";

/** u32 request, u32 flags, u32 payload size. */
export const HEADER_SIZE = 12;
/** The version in the two low bits of the flags. */
export const VERSION = 1;
/** Parts of the flags: which version, is this a reply, is one wanted. */
export const FLAG_VERSION_MASK = 0x3;
export const FLAG_REPLY = 0x4;
export const FLAG_NEED_REPLY = 0x8;
/** Size of one memory region description: guest address, size, user address, file offset. */
const REGION_SIZE = 32;
/** The same where `XEN_MMAP` was agreed on: flags and domain follow. */
const XEN_REGION_SIZE = 40;
/** The sizes that the description of a single region can have in a message. */
export const SINGLE_REGION_SIZES = [8 + REGION_SIZE, 8 + XEN_REGION_SIZE] as const;
/** As many regions as one message can carry descriptors. */
export const MAX_TABLE_REGIONS = 253;
/** The most configuration space that one message may ask for. */
export const MAX_CONFIG_SIZE = 256;
/** Longer than any known message; an unknown one of more is taken for nonsense. */
export const MAX_PAYLOAD = 8 + MAX_TABLE_REGIONS * XEN_REGION_SIZE;
/** In place of a ring's descriptor: none is sent, the ring is polled. */
const NO_FD = 0x100;

/** The three numbers of a header. */
export interface HeaderFields {
  readonly request: number;
  readonly flags: number;
  /** Of the payload, in bytes. */
  readonly size: number;
}

/** u32 request, u32 flags, u32 payload size. */
export function decodeHeaderFields(view: DataView): HeaderFields {
  return {
    request: view.getUint32(0, true),
    flags: view.getUint32(4, true),
    size: view.getUint32(8, true),
  };
}

/** Writes the header of a reply with `size` bytes of payload. */
export function encodeReplyHeader(view: DataView, request: number, size: number): void {
  view.setUint32(0, request, true);
  view.setUint32(4, VERSION | FLAG_REPLY, true);
  view.setUint32(8, size, true);
}

/** The 64-bit number at `offset`; inexact from 2^53 on. */
function decodeAddress(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

/** A ring and a number: `SET_VRING_NUM`, `SET_VRING_BASE`, `SET_VRING_ENABLE`, `GET_VRING_BASE`. */
export interface VringState {
  readonly index: number;
  readonly value: number;
}

/** u32 index, u32 number. */
export function decodeVringState(payload: DataView): VringState {
  return { index: payload.getUint32(0, true), value: payload.getUint32(4, true) };
}

/** `SET_VRING_KICK`, `SET_VRING_CALL`, `SET_VRING_ERR`. */
export interface VringFd {
  readonly index: number;
  /** True if no descriptor comes along on purpose. */
  readonly noFd: boolean;
}

/** u64: the ring's index in bits 0 to 7, bit 8 for "no descriptor". */
export function decodeVringFd(payload: DataView): VringFd {
  const value = payload.getUint32(0, true);
  return { index: value & 0xff, noFd: (value & NO_FD) !== 0 };
}

/** `SET_VRING_ADDR`: where a ring's parts are, in front-end addresses. */
export interface VringAddresses {
  readonly index: number;
  readonly flags: number;
  readonly descriptors: number;
  readonly used: number;
  readonly available: number;
  readonly log: number;
}

/** u32 index, u32 flags, u64 descriptors, u64 used, u64 available, u64 log. */
export function decodeVringAddresses(payload: DataView): VringAddresses {
  return {
    index: payload.getUint32(0, true),
    flags: payload.getUint32(4, true),
    descriptors: decodeAddress(payload, 8),
    used: decodeAddress(payload, 16),
    available: decodeAddress(payload, 24),
    log: decodeAddress(payload, 32),
  };
}

/**
 * Reads guest addresses of a front-end with which `XEN_MMAP` was agreed on, whose regions have two
 * fields more; `undefined` for one without.
 */
export type XenDecoder = ((view: DataView, offset: number) => number) | undefined;

/**
 * u64 guest address, u64 size, u64 user address, u64 file offset; with `XEN_MMAP` also u32 flags and
 * u32 domain.
 */
function decodeRegion(payload: DataView, offset: number, xen: XenDecoder): RegionDescription {
  const region = {
    guestAddress: (xen ?? decodeAddress)(payload, offset),
    size: decodeAddress(payload, offset + 8),
    userAddress: decodeAddress(payload, offset + 16),
    fileOffset: decodeAddress(payload, offset + 24),
  };
  if (xen === undefined) return region;
  const flags = payload.getUint32(offset + 32, true);
  return { ...region, xen: { flags, domain: payload.getUint32(offset + 36, true) } };
}

/**
 * `SET_MEM_TABLE`: u32 number of regions, u32 padding, then the regions.
 *
 * @returns `undefined` where the number does not fit the payload
 */
export function decodeMemoryTable(
  payload: DataView,
  xen?: XenDecoder,
): RegionDescription[] | undefined {
  const count = payload.getUint32(0, true);
  const size = xen === undefined ? REGION_SIZE : XEN_REGION_SIZE;
  if (8 + count * size > payload.byteLength) return undefined;
  return Array.from({ length: count }, (_, i) => decodeRegion(payload, 8 + i * size, xen));
}

/**
 * `ADD_MEM_REG` and `REM_MEM_REG`: u64 padding, then one region.
 *
 * @returns `undefined` where that is not the payload's size
 */
export function decodeSingleRegion(
  payload: DataView,
  xen?: XenDecoder,
): RegionDescription | undefined {
  const size = SINGLE_REGION_SIZES[xen === undefined ? 0 : 1];
  return payload.byteLength === size ? decodeRegion(payload, 8, xen) : undefined;
}

/** `GET_CONFIG` and `SET_CONFIG`: which part of the configuration space is meant. */
export interface ConfigRange {
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

/** u32 offset, u32 size, u32 flags, then the bytes. */
export function decodeConfigRange(payload: DataView): ConfigRange {
  return {
    offset: payload.getUint32(0, true),
    size: payload.getUint32(4, true),
    flags: payload.getUint32(8, true),
  };
}
