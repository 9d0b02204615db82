/**
 * Messages of a front-end as bytes, written anew from the protocol's description rather than with
 * the back-end's own code: an error in one does not hide in the other.
 *
 * @module
 */

/** Numbers of the requests. */
export const REQUEST = {
  GET_FEATURES: 1,
  SET_FEATURES: 2,
  SET_OWNER: 3,
  RESET_OWNER: 4,
  SET_MEM_TABLE: 5,
  SET_LOG_BASE: 6,
  SET_VRING_NUM: 8,
  SET_VRING_ADDR: 9,
  SET_VRING_BASE: 10,
  GET_VRING_BASE: 11,
  SET_VRING_KICK: 12,
  SET_VRING_CALL: 13,
  SET_VRING_ERR: 14,
  GET_PROTOCOL_FEATURES: 15,
  SET_PROTOCOL_FEATURES: 16,
  GET_QUEUE_NUM: 17,
  SET_VRING_ENABLE: 18,
  SET_BACKEND_REQ_FD: 21,
  GET_CONFIG: 24,
  SET_CONFIG: 25,
  GET_INFLIGHT_FD: 31,
  RESET_DEVICE: 34,
  GET_MAX_MEM_SLOTS: 36,
  ADD_MEM_REG: 37,
  REM_MEM_REG: 38,
  SET_STATUS: 39,
  GET_STATUS: 40,
} as const;

/** Header flags. */
export const FLAGS_VERSION_1 = 0x1;
export const FLAG_REPLY = 0x4;
export const FLAG_NEED_REPLY = 0x8;
/** In `SET_VRING_KICK`, `SET_VRING_CALL` and `SET_VRING_ERR`: no descriptor comes along. */
export const NO_FD = 0x100;

/** Feature bits. */
export const VIRTIO_F_NOTIFY_ON_EMPTY = 1n << 24n;
export const VIRTIO_F_INDIRECT_DESC = 1n << 28n;
export const VIRTIO_F_EVENT_IDX = 1n << 29n;
export const VHOST_USER_F_PROTOCOL_FEATURES = 1n << 30n;
export const VIRTIO_F_VERSION_1 = 1n << 32n;

/** Protocol feature bits. */
export const PROTOCOL_MQ = 1n << 0n;
export const PROTOCOL_REPLY_ACK = 1n << 3n;
export const PROTOCOL_BACKEND_REQ = 1n << 5n;
export const PROTOCOL_CONFIG = 1n << 9n;
export const PROTOCOL_RESET_DEVICE = 1n << 13n;
export const PROTOCOL_INBAND_NOTIFICATIONS = 1n << 14n;
export const PROTOCOL_CONFIGURE_MEM_SLOTS = 1n << 15n;
export const PROTOCOL_STATUS = 1n << 16n;
export const PROTOCOL_XEN_MMAP = 1n << 17n;

/** "xen mmap flags" of a region. */
export const XEN = { FOREIGN: 0x1, GRANT: 0x2, NO_ADVANCE_MAP: 0x100, NO_ADVANCE_MAP_TOO: 0x8 };

/** A message with its header. */
export function message(
  request: number,
  payload: ArrayLike<number> = [],
  flags = FLAGS_VERSION_1,
  size = payload.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + payload.length);
  bytes.set(u32(request, flags, size));
  bytes.set(payload, 12);
  return bytes;
}

/** 32-bit numbers as bytes. */
export function u32(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** 64-bit numbers as bytes. */
export function u64(...values: (number | bigint)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);
}

/** One after the other. */
export function concatenate(...parts: ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A region as messages describe it. */
export interface WireRegion {
  readonly guestAddress: number | bigint;
  readonly size: number | bigint;
  readonly userAddress: number | bigint;
  readonly fileOffset: number | bigint;
  /** Where the device finds it, if that is not the guest address. */
  readonly busAddress?: bigint;
  /** The two fields that there are with XEN_MMAP. */
  readonly xen?: { readonly flags: number; readonly domain: number };
}

/** The description of a region. */
export function region(description: WireRegion) {
  const { guestAddress, size, userAddress, fileOffset, busAddress, xen } = description;
  return concatenate(
    u64(busAddress ?? guestAddress, size, userAddress, fileOffset),
    xen === undefined ? [] : u32(xen.flags, xen.domain),
  );
}

/** The payload of `SET_MEM_TABLE`. */
export function memoryTable(regions: readonly WireRegion[], count = regions.length) {
  return concatenate(u32(count, 0), ...regions.map(region));
}
