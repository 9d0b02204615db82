/**
 * The requests of a front-end: one table of what each looks like and what it asks of the back-end.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Front-end message types").
 *
 * @module
 */

import type { RegionDescription } from "../virtio/memory_region.ts";
import { decodeXenAddress } from "../virtio/xen_address.ts";
import {
  type ConfigRange,
  decodeConfigRange,
  decodeHeaderFields,
  decodeMemoryTable,
  decodeSingleRegion,
  decodeVringAddresses,
  decodeVringFd,
  decodeVringState,
  FLAG_NEED_REPLY,
  FLAG_REPLY,
  FLAG_VERSION_MASK,
  MAX_CONFIG_SIZE,
  MAX_PAYLOAD,
  MAX_TABLE_REGIONS,
  SINGLE_REGION_SIZES,
  VERSION,
  type VringAddresses,
  type XenDecoder,
} from "./message.ts";

/** A request that is refused; the message says why. The connection may go on. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A request as it came. */
export interface RequestMessage {
  readonly payload: DataView;
  /** The descriptors that came along; they are closed unless taken. */
  readonly fds: readonly number[];
  /** Takes the first of them; -1 if there is none. */
  takeFd(): number;
}

/**
 * What requests are made to. Whatever is asked for in vain is refused with an exception: a
 * {@linkcode Refusal}, a RegionError or a SystemError. A descriptor that is passed on belongs to
 * the target, refused or not; -1 stands for none.
 */
export interface RequestTarget {
  /** The feature bits that are offered. */
  readonly offeredFeatures: bigint;
  /** The protocol feature bits that are offered. */
  readonly offeredProtocolFeatures: bigint;
  readonly queueCount: number;
  /** The most memory regions at a time. */
  readonly memorySlots: number;
  /** True if regions are described as of `XEN_MMAP`. */
  readonly describesXen: boolean;
  /** The virtio device status. */
  readonly status: bigint;
  setFeatures(features: bigint): void;
  setProtocolFeatures(features: bigint): void;
  setStatus(status: bigint): void;
  resetDevice(): void;
  resetOwner(): void;
  /** @param fds one per region; they stay the caller's */
  setMemoryTable(regions: readonly RegionDescription[], fds: readonly number[]): void;
  /** @param fd stays the caller's */
  addRegion(region: RegionDescription, fd: number | undefined): void;
  removeRegion(region: RegionDescription): void;
  setVringSize(index: number, size: number): void;
  setVringAddresses(index: number, addresses: VringAddresses): void;
  setVringBase(index: number, base: number): void;
  /** Stops a ring. @returns the index of its next available entry */
  getVringBase(index: number): number;
  setVringKick(index: number, fd: number): void;
  setVringCall(index: number, fd: number): void;
  setVringError(index: number, fd: number): void;
  setVringEnable(index: number, enable: number): void;
  setBackendRequests(fd: number): void;
  /** Writes a part of the configuration space to `target`. False if there is no such part. */
  readConfig(range: ConfigRange, target: DataView): boolean;
}

/** What a request's messages may look like. */
export interface MessageShape {
  readonly name: string;
  /** The least and the most payload in bytes. */
  readonly minimum: number;
  readonly maximum: number;
  /** The most file descriptors that may come along. */
  readonly fds: number;
}

/** A request with a reply of its own, so that `need_reply` asks for nothing more. */
export interface Query extends MessageShape {
  /** Writes the reply's payload. @returns its size in bytes */
  readonly answer: (target: RequestTarget, message: RequestMessage, reply: DataView) => number;
}

/** A request that has an effect, and no reply but the acknowledgement that is asked for. */
export interface Command extends MessageShape {
  readonly apply: (target: RequestTarget, message: RequestMessage) => void;
  /** True if a front-end that is not told of a refusal relies on nothing that is not there. */
  readonly optional?: boolean;
}

const u64 = (payload: DataView) => payload.getBigUint64(0, true);

function number64(value: (target: RequestTarget) => bigint): Query["answer"] {
  return (target, _message, reply) => {
    reply.setBigUint64(0, value(target), true);
    return 8;
  };
}

/** The ring that a message with an optional descriptor is about, and that descriptor. */
function vringFd(message: RequestMessage): [index: number, fd: number] {
  const { index, noFd } = decodeVringFd(message.payload);
  if (noFd && message.fds.length > 0) {
    throw new Refusal("a file descriptor comes along although none is announced");
  }
  if (!noFd && message.fds.length === 0) throw new Refusal("the file descriptor is missing");
  return [index, message.takeFd()];
}

function exactly(size: number, fds = 0) {
  return { minimum: size, maximum: size, fds };
}

const SINGLE_REGION = {
  minimum: Math.min(...SINGLE_REGION_SIZES),
  maximum: Math.max(...SINGLE_REGION_SIZES),
  fds: 1,
};

function xenDecoder(target: RequestTarget): XenDecoder {
  return target.describesXen ? decodeXenAddress : undefined;
}

function singleRegion(target: RequestTarget, payload: DataView): RegionDescription {
  const region = decodeSingleRegion(payload, xenDecoder(target));
  if (region !== undefined) return region;
  throw new Refusal(
    `a region is described in ${payload.byteLength} bytes, expected ` +
      SINGLE_REGION_SIZES[target.describesXen ? 1 : 0] +
      (target.describesXen ? " with XEN_MMAP" : " without XEN_MMAP"),
  );
}

const CONFIG = { minimum: 12, maximum: 12 + MAX_CONFIG_SIZE, fds: 0 };

const requests: Readonly<Record<number, Query | Command>> = {
  1: {
    name: "GET_FEATURES",
    ...exactly(0),
    answer: number64((target) => target.offeredFeatures),
  },
  2: {
    name: "SET_FEATURES",
    ...exactly(8),
    apply: (target, { payload }) => target.setFeatures(u64(payload)),
  },
  3: { name: "SET_OWNER", ...exactly(0), apply: () => {} },
  4: { name: "RESET_OWNER", ...exactly(0), apply: (target) => target.resetOwner() },
  5: {
    name: "SET_MEM_TABLE",
    minimum: 8,
    maximum: MAX_PAYLOAD,
    fds: MAX_TABLE_REGIONS,
    apply: (target, { payload, fds }) => {
      const regions = decodeMemoryTable(payload, xenDecoder(target));
      if (regions === undefined) throw new Refusal("the number of regions exceeds the message");
      target.setMemoryTable(regions, fds);
    },
  },
  8: {
    name: "SET_VRING_NUM",
    ...exactly(8),
    apply: (target, { payload }) => {
      const { index, value } = decodeVringState(payload);
      target.setVringSize(index, value);
    },
  },
  9: {
    name: "SET_VRING_ADDR",
    ...exactly(40),
    apply: (target, { payload }) => {
      const addresses = decodeVringAddresses(payload);
      target.setVringAddresses(addresses.index, addresses);
    },
  },
  10: {
    name: "SET_VRING_BASE",
    ...exactly(8),
    apply: (target, { payload }) => {
      const { index, value } = decodeVringState(payload);
      target.setVringBase(index, value);
    },
  },
  11: {
    name: "GET_VRING_BASE",
    ...exactly(8),
    answer: (target, { payload }, reply) => {
      const { index } = decodeVringState(payload);
      reply.setUint32(0, index, true);
      reply.setUint32(4, target.getVringBase(index), true);
      return 8;
    },
  },
  12: {
    name: "SET_VRING_KICK",
    ...exactly(8, 1),
    apply: (target, message) => target.setVringKick(...vringFd(message)),
  },
  13: {
    name: "SET_VRING_CALL",
    ...exactly(8, 1),
    apply: (target, message) => target.setVringCall(...vringFd(message)),
  },
  14: {
    name: "SET_VRING_ERR",
    ...exactly(8, 1),
    apply: (target, message) => target.setVringError(...vringFd(message)),
  },
  15: {
    name: "GET_PROTOCOL_FEATURES",
    ...exactly(0),
    answer: number64((target) => target.offeredProtocolFeatures),
  },
  16: {
    name: "SET_PROTOCOL_FEATURES",
    ...exactly(8),
    apply: (target, { payload }) => target.setProtocolFeatures(u64(payload)),
  },
  17: {
    name: "GET_QUEUE_NUM",
    ...exactly(0),
    answer: number64((target) => BigInt(target.queueCount)),
  },
  18: {
    name: "SET_VRING_ENABLE",
    ...exactly(8),
    apply: (target, { payload }) => {
      const { index, value } = decodeVringState(payload);
      target.setVringEnable(index, value);
    },
  },
  21: {
    name: "SET_BACKEND_REQ_FD",
    minimum: 0,
    maximum: 8,
    fds: 1,
    apply: (target, message) => target.setBackendRequests(message.takeFd()),
  },
  24: {
    name: "GET_CONFIG",
    ...CONFIG,
    answer: (target, { payload }, reply) => {
      const range = decodeConfigRange(payload);
      const part = new DataView(reply.buffer, reply.byteOffset + 12);
      // The reply that says no has no payload at all.
      if (!target.readConfig(range, part)) return 0;
      reply.setUint32(0, range.offset, true);
      reply.setUint32(4, range.size, true);
      reply.setUint32(8, range.flags, true);
      return 12 + range.size;
    },
  },
  25: {
    name: "SET_CONFIG",
    ...CONFIG,
    optional: true,
    apply: () => {
      throw new Refusal("this device's configuration space is read-only");
    },
  },
  34: { name: "RESET_DEVICE", ...exactly(0), apply: (target) => target.resetDevice() },
  36: {
    name: "GET_MAX_MEM_SLOTS",
    ...exactly(0),
    answer: number64((target) => BigInt(target.memorySlots)),
  },
  37: {
    name: "ADD_MEM_REG",
    ...SINGLE_REGION,
    apply: (target, { payload, fds }) => target.addRegion(singleRegion(target, payload), fds[0]),
  },
  38: {
    name: "REM_MEM_REG",
    ...SINGLE_REGION,
    apply: (target, { payload }) => target.removeRegion(singleRegion(target, payload)),
  },
  39: {
    name: "SET_STATUS",
    ...exactly(8),
    apply: (target, { payload }) => target.setStatus(u64(payload)),
  },
  40: { name: "GET_STATUS", ...exactly(0), answer: number64((target) => target.status) },
};

/** What is known of a request, or `undefined`. */
export function requestOf(number: number): Query | Command | undefined {
  return requests[number];
}

/** The shape of a request's messages, or `undefined` for one that is not known. */
export function messageShape(number: number): MessageShape | undefined {
  return requests[number];
}

/** The name of a request, for people. */
export function requestName(number: number): string {
  return requests[number]?.name ?? `request ${number}`;
}

/** A message's header. */
export interface Header {
  request: number;
  needReply: boolean;
  size: number;
}

/**
 * Reads a header of the front-end.
 *
 * @returns a sentence that says what is wrong with it, or `undefined` with `header` filled
 */
export function decodeHeader(view: DataView, header: Header): string | undefined {
  const { request, flags, size } = decodeHeaderFields(view);
  header.request = request;
  header.size = size;
  header.needReply = (flags & FLAG_NEED_REPLY) !== 0;
  const name = requestName(request);
  if ((flags & FLAG_VERSION_MASK) !== VERSION) {
    return `${name} has protocol version ${flags & FLAG_VERSION_MASK}, not ${VERSION}`;
  }
  if (flags & FLAG_REPLY) return `${name} is flagged as a reply, but nothing was asked`;
  const { minimum, maximum } = requests[request] ?? { minimum: 0, maximum: MAX_PAYLOAD };
  if (size < minimum || size > maximum) {
    const expected = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
    return `${name} announces ${size} bytes, expected ${expected}`;
  }
  return undefined;
}
