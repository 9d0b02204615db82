/**
 * The messages of the control socket: JSON-RPC 2.0, one message a line.
 *
 * Source: JSON-RPC 2.0 specification (jsonrpc.org).
 *
 * @module
 */

/** The version of what the methods mean; told by `describe`. */
export const PROTOCOL_VERSION = 1;
/** The longest line in bytes. */
export const MAX_LINE = 1 << 20;
/** The most bytes that one `read` or `write` may move. */
export const MAX_RANGE = 1 << 18;

/** Errors by their numbers. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
/** What was asked for cannot be, as things are: the message says why. */
export const REFUSED = -32000;

/** By which a reply finds its request. */
export type RequestId = string | number | null;

/** Parameters by name. */
export type Params = Readonly<Record<string, unknown>>;

/** A request. Without an id nobody waits for a reply. */
export interface ControlRequest {
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: Params;
}

/** Why a request was not carried out. */
export class ControlError extends Error {
  override readonly name = "ControlError";

  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** True for what JSON calls an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a line.
 *
 * @throws {ControlError} if it is no request; its reply goes to the id `null`
 */
export function parseRequest(line: string): ControlRequest {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch (error) {
    throw new ControlError(PARSE_ERROR, `not JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(message)) {
    throw new ControlError(INVALID_REQUEST, "batches are not served; send a line for each request");
  }
  if (!isObject(message)) throw new ControlError(INVALID_REQUEST, "expected an object");
  const { jsonrpc, id, method, params } = message;
  if (jsonrpc !== "2.0") {
    throw new ControlError(INVALID_REQUEST, `expected "jsonrpc": "2.0"`);
  }
  if (typeof method !== "string") {
    throw new ControlError(INVALID_REQUEST, "'method' is missing: what is to be done");
  }
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number") {
    throw new ControlError(INVALID_REQUEST, "'id' is neither a number nor a text");
  }
  if (params !== undefined && !isObject(params)) {
    throw new ControlError(INVALID_PARAMS, "'params' is no object: parameters go by their names");
  }
  return { id, method, params: params ?? {} };
}

/** The line of a reply. */
export function resultLine(id: RequestId, result: unknown): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`;
}

/** The line of an error. */
export function errorLine(id: RequestId, { code, message }: ControlError): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })}\n`;
}

/** The line of a request to a client; without an id, of a notification. */
export function requestLine(id: RequestId | undefined, method: string, params: object): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
}

/** The line of an event. */
export function eventLine(event: ControlEvent): string {
  return `${JSON.stringify({ jsonrpc: "2.0", method: "event", params: event })}\n`;
}

/** What all events have. */
interface EventHead {
  /** Counts the events of a subscription from 0 on, those that were missed included. */
  readonly sequence: number;
  /** In seconds since 1970. */
  readonly time: number;
}

/** A property has changed. */
export interface PropertyEvent extends EventHead {
  readonly kind: "property";
  /** As `get` takes it. */
  readonly name: string;
  /** What it is now; absent for bytes. */
  readonly value?: unknown;
  /** Of bytes, which have changed: from where on, how many, and the first in hexadecimal. */
  readonly at?: number;
  readonly length?: number;
  readonly data?: string;
}

/** A guest has come, is at work, or has gone. */
export interface GuestEvent extends EventHead {
  readonly kind: "guest";
  readonly guest: number;
  readonly state: GuestState;
}

/** What a guest is at: without a front-end, with one, or with a driver that is served. */
export type GuestState = "waiting" | "connected" | "ready";

/** Something went over a bus. */
export interface TransactionEvent extends EventHead {
  readonly kind: "transaction";
  readonly guest: number;
  /** Where on the bus: an address or a chip select. */
  readonly place: string;
  /** What the guest wrote and read, in order. */
  readonly messages: readonly TransactionMessage[];
  /** False if it has failed, at its last message. */
  readonly ok: boolean;
}

/** Bytes in one direction, in hexadecimal; of long ones the beginning. */
export interface TransactionMessage {
  readonly write?: string;
  readonly read?: string;
  /** How many bytes there were, where that is more than are told. */
  readonly length?: number;
}

/** Events were left out, for the client did not read them fast enough. */
export interface MissedEvent extends EventHead {
  readonly kind: "missed";
  readonly count: number;
}

/** An event. */
export type ControlEvent = PropertyEvent | GuestEvent | TransactionEvent | MissedEvent;

// What parameters may be. Each throws a ControlError that names the parameter.

function invalid(name: string, expected: string, value: unknown): never {
  const found = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
  throw new ControlError(INVALID_PARAMS, `'${name}': expected ${expected}, found ${found}`);
}

/** A text. */
export function textParam(params: Params, name: string): string {
  const value = params[name];
  return typeof value === "string" ? value : invalid(name, "a text", value);
}

/** A whole number in a range, or what it is if it is left out. */
export function integerParam(
  params: Params,
  name: string,
  minimum: number,
  maximum: number,
  usual?: number,
): number {
  const value = params[name] ?? usual;
  const fits = typeof value === "number" && Number.isInteger(value) && value >= minimum &&
    value <= maximum;
  return fits ? value : invalid(name, `a whole number from ${minimum} to ${maximum}`, value);
}

/** A list of texts; `undefined` if it is left out. */
export function textsParam(params: Params, name: string): string[] | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  const fits = Array.isArray(value) && value.every((item) => typeof item === "string");
  return fits ? value as string[] : invalid(name, "a list of texts", value);
}

/** `true` or `false`; `false` if it is left out. */
export function booleanParam(params: Params, name: string): boolean {
  const value = params[name] ?? false;
  return typeof value === "boolean" ? value : invalid(name, "true or false", value);
}

/** Values by name. */
export function valuesParam(params: Params, name: string): [string, unknown][] {
  const value = params[name];
  return isObject(value) ? Object.entries(value) : invalid(name, "an object of values", value);
}

/** Bytes in hexadecimal. */
export function bytesParam(params: Params, name: string): Uint8Array<ArrayBuffer> {
  const value = params[name];
  return isHexadecimal(value)
    ? fromHexadecimal(value)
    : invalid(name, "bytes in hexadecimal", value);
}

/** True for what stands for bytes. */
export function isHexadecimal(value: unknown): value is string {
  return typeof value === "string" && /^([0-9a-fA-F]{2})*$/.test(value);
}

/** Bytes as {@linkcode hexadecimal} writes them. */
export function fromHexadecimal(value: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(value.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = parseInt(value.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The same the other way round. */
export function hexadecimal(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}
