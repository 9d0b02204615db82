/**
 * What goes over the queues of a virtio GPIO device, and its configuration space.
 *
 * Source: virtio specification, "GPIO Device".
 *
 * @module
 */

/** The virtio device id. */
export const GPIO_DEVICE_ID = 41;
/** Buffers in which the device reports interrupts. */
export const EVENT_QUEUE = 1;
/** Interrupts are supported. */
export const F_IRQ = 1n << 0n;
/** Line numbers are 16 bits wide. */
export const MAX_LINES = 65535;

/** le16 type, le16 gpio, le32 value. */
export const REQUEST_SIZE = 8;
/** u8 status, u8 value. */
export const RESPONSE_SIZE = 2;
/** le16 gpio. */
export const EVENT_REQUEST_SIZE = 2;
/** u8 status. */
export const EVENT_RESPONSE_SIZE = 1;

/** Request types. */
export const GET_LINE_NAMES = 1;
export const GET_DIRECTION = 2;
export const SET_DIRECTION = 3;
export const GET_VALUE = 4;
export const SET_VALUE = 5;
export const SET_IRQ_TYPE = 6;

/** Response status. */
export const STATUS_OK = 0;
export const STATUS_ERR = 1;

/** Line directions. */
export const DIRECTION_NONE = 0;
export const DIRECTION_OUT = 1;
export const DIRECTION_IN = 2;

/** Interrupt types. The edge types are bit masks of rising and falling. */
export const IRQ_NONE = 0;
export const IRQ_EDGE_RISING = 1;
export const IRQ_EDGE_FALLING = 2;
export const IRQ_EDGE_BOTH = 3;
export const IRQ_LEVEL_HIGH = 4;
export const IRQ_LEVEL_LOW = 8;

/** Status of an event buffer that is returned. */
export const EVENT_INVALID = 0;
export const EVENT_VALID = 1;

/** A line's direction, for people. */
export function directionName(direction: number): string {
  return direction === DIRECTION_OUT ? "output" : direction === DIRECTION_IN ? "input" : "none";
}

/**
 * The configuration space: le16 ngpio, 2 bytes of padding, le32 gpio_names_size.
 *
 * @param namesSize of the block that {@linkcode encodeNames} makes
 */
export function encodeConfig(lineCount: number, namesSize: number): Uint8Array {
  const config = new DataView(new ArrayBuffer(8));
  config.setUint16(0, lineCount, true);
  config.setUint32(4, namesSize, true);
  return new Uint8Array(config.buffer);
}

/** True for what can be a line's name: 7-bit ASCII that can be printed. */
export function isLineName(name: string): boolean {
  return /^[\x20-\x7e]+$/.test(name);
}

/**
 * The block of line names: each terminated by a zero byte, in line order; no bytes at all where no
 * line has a name.
 *
 * @param names empty where a line has none; otherwise unique and 7-bit ASCII
 */
export function encodeNames(names: readonly string[]): Uint8Array<ArrayBuffer> {
  if (names.every((name) => name === "")) return new Uint8Array(0);
  return new TextEncoder().encode(names.map((name) => `${name}\0`).join(""));
}
