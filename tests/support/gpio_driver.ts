/**
 * The driver's side of a virtio GPIO device, as Linux does it.
 *
 * @module
 */

import type { DriverQueue, Used } from "./driver_queue.ts";
import type { FrontEnd } from "./front_end.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { concatenate, u32 } from "./wire.ts";

export const F_IRQ = 1n;
export const OK = 0;
export const ERR = 1;
export const INVALID = 0;
export const VALID = 1;

/** Request types. */
export const GPIO = {
  GET_LINE_NAMES: 1,
  GET_DIRECTION: 2,
  SET_DIRECTION: 3,
  GET_VALUE: 4,
  SET_VALUE: 5,
  SET_IRQ_TYPE: 6,
} as const;

/** Directions. */
export const NONE = 0;
export const OUT = 1;
export const IN = 2;

/** Interrupt types. */
export const IRQ = { NONE: 0, RISING: 1, FALLING: 2, BOTH: 3, HIGH: 4, LOW: 8 } as const;

/** What the device says to a request. */
export interface Response {
  readonly status: number;
  readonly value: number;
  /** The used length. */
  readonly length: number;
}

/** A request as bytes: u16 type, u16 line, u32 value. */
export function gpioRequest(type: number, line = 0, value = 0): Uint8Array {
  return concatenate([type & 0xff, type >> 8, line & 0xff, line >> 8], u32(value));
}

/** A guest with a GPIO driver. */
export class GpioGuest extends Guest {
  readonly #events = new Map<number, { line: number; response: number }>();
  readonly #slots: { request: number; response: number }[] = [];

  constructor(frontEnd: FrontEnd, options: GuestOptions = {}) {
    super(frontEnd, { size: 64, features: F_IRQ, eventIndex: true, ...options });
  }

  get eventQueue(): DriverQueue {
    return this.queues[1];
  }

  /** Asks the device and returns its response. */
  ask(type: number, line = 0, value = 0): Response {
    const { response, length } = this.request(gpioRequest(type, line, value), 2);
    return { status: response[0], value: response[1], length };
  }

  /** Asks for something that must succeed, and returns the value. */
  get(type: number, line = 0, value = 0): number {
    const { status, value: result, length } = this.ask(type, line, value);
    if (status !== OK || length !== 2) {
      throw new Error(`request ${type} of line ${line}: status ${status}, ${length} bytes`);
    }
    return result;
  }

  /** Queues a line's event buffer: the driver unmasks its interrupt. */
  unmask(line: number, kick = true): void {
    const slot = this.#slots.pop() ??
      { request: this.ram.allocate(2, 2), response: this.ram.allocate(1, 1) };
    this.ram.write(slot.request, [line & 0xff, line >> 8]);
    this.ram.write(slot.response, [0xee]);
    const segments = [
      { address: slot.request, length: 2 },
      { address: slot.response, length: 1, writable: true },
    ];
    const queue = this.eventQueue;
    const head = kick ? queue.submit(segments) : queue.place(segments);
    if (!kick) queue.offer(head);
    this.#events.set(head, { line, ...slot });
  }

  /** Waits for the next event buffer to come back. */
  nextEvent(): { line: number; status: number; length: number } {
    return this.#event(this.eventQueue.waitUsed(this.frontEnd));
  }

  /** The next event buffer that has come back already. */
  takeEvent(): { line: number; status: number; length: number } | undefined {
    const used = this.eventQueue.takeUsed();
    return used === undefined ? undefined : this.#event(used);
  }

  #event({ head, length }: Used): { line: number; status: number; length: number } {
    const event = this.#events.get(head);
    if (event === undefined) throw new Error(`chain ${head} was never queued`);
    this.#events.delete(head);
    const [status] = this.ram.read(event.response, 1);
    return { line: event.line, status, length };
  }
}
