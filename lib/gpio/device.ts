/**
 * The virtio GPIO device: requests in, responses and interrupts out.
 *
 * Source: virtio specification, "GPIO Device".
 *
 * @module
 */

import { type DescriptorChain, HostBuffer } from "../virtio/descriptor_chain.ts";
import { type DeviceHost, HELD, type VirtioDevice } from "../virtio/device.ts";
import type { EdgeListener, GpioBackend } from "./backend.ts";
import type { GpioEvents } from "./events.ts";
import {
  DIRECTION_IN,
  DIRECTION_NONE,
  DIRECTION_OUT,
  encodeConfig,
  encodeNames,
  EVENT_INVALID,
  EVENT_QUEUE,
  EVENT_REQUEST_SIZE,
  EVENT_RESPONSE_SIZE,
  EVENT_VALID,
  F_IRQ,
  GET_DIRECTION,
  GET_LINE_NAMES,
  GET_VALUE,
  GPIO_DEVICE_ID,
  IRQ_EDGE_BOTH,
  IRQ_EDGE_FALLING,
  IRQ_EDGE_RISING,
  IRQ_LEVEL_HIGH,
  IRQ_LEVEL_LOW,
  IRQ_NONE,
  REQUEST_SIZE,
  RESPONSE_SIZE,
  SET_DIRECTION,
  SET_IRQ_TYPE,
  SET_VALUE,
  STATUS_ERR,
  STATUS_OK,
} from "./protocol.ts";

/** No value was set before the line becomes an output. */
const NOTHING_REMEMBERED = -1;
/** Stands for the interrupt type while a line's interrupt is being disabled. */
const DISABLING = 255;

/** The result of a request: its value, or this. */
const FAILED = -1;

/** One guest's GPIO chip. */
export class GpioDevice implements VirtioDevice, EdgeListener {
  readonly id = GPIO_DEVICE_ID;
  readonly queueCount = 2;
  readonly features = F_IRQ;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map([[F_IRQ, "GPIO_F_IRQ"]]);
  readonly config: Uint8Array;

  readonly #backend: GpioBackend;
  readonly #names: HostBuffer;
  /** What an output is to drive, by line. */
  readonly #remembered: Int8Array;
  readonly #irqType: Uint8Array;
  /** An edge that came while the interrupt was masked. */
  readonly #latched: Uint8Array;
  /** The interrupt was refused, or lost since: which Linux does not notice. */
  readonly #refused: Uint8Array;
  /** The line became an input only for its interrupt. */
  readonly #implied: Uint8Array;
  /** Event buffers that wait for an interrupt, by line. */
  readonly #waiting: (DescriptorChain | undefined)[];
  readonly #events: GpioEvents | undefined;
  #host: DeviceHost | undefined;
  #interrupts = false;

  constructor(backend: GpioBackend, events?: GpioEvents) {
    const { lineCount, names } = backend;
    const encoded = encodeNames(names);
    this.#backend = backend;
    this.#events = events;
    this.#names = new HostBuffer(encoded.length);
    this.#names.bytes.set(encoded);
    this.config = encodeConfig(lineCount, encoded.length);
    this.#remembered = new Int8Array(lineCount).fill(NOTHING_REMEMBERED);
    this.#irqType = new Uint8Array(lineCount);
    this.#latched = new Uint8Array(lineCount);
    this.#refused = new Uint8Array(lineCount);
    this.#implied = new Uint8Array(lineCount);
    this.#waiting = new Array(lineCount).fill(undefined);
  }

  get duty(): string | undefined {
    return this.#backend.duty;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#backend.attach(host, this);
  }

  setFeatures(features: bigint): void {
    this.#interrupts = (features & F_IRQ) !== 0n;
  }

  process(queue: number, chain: DescriptorChain): number {
    return queue === EVENT_QUEUE ? this.#unmask(chain) : this.#request(chain);
  }

  queueStopping(queue: number): void {
    if (queue !== EVENT_QUEUE) return;
    for (let line = 0; line < this.#waiting.length; line++) this.#return(line, EVENT_INVALID);
  }

  reset(): void {
    this.#remembered.fill(NOTHING_REMEMBERED);
    this.#irqType.fill(IRQ_NONE);
    this.#latched.fill(0);
    this.#refused.fill(0);
    this.#implied.fill(0);
    this.#waiting.fill(undefined);
    this.#backend.release();
  }

  close(): void {
    this.#backend.close();
  }

  onEdge(line: number, rising: boolean): void {
    const type = this.#irqType[line];
    if (type === (rising ? IRQ_LEVEL_HIGH : IRQ_LEVEL_LOW)) {
      // By now the level may be another one again.
      if (this.#isActive(line)) this.#return(line, EVENT_VALID);
    } else if (type <= IRQ_EDGE_BOTH && (type & (rising ? IRQ_EDGE_RISING : IRQ_EDGE_FALLING))) {
      // The driver may have unmasked the interrupt already: only one edge can be kept for it.
      if (this.#waiting[line] === undefined) this.#host?.drain(EVENT_QUEUE);
      if (!this.#return(line, EVENT_VALID)) this.#latched[line] = 1;
    }
  }

  onInterruption(line: number, watched: boolean): void {
    if (watched) {
      if (this.#isActive(line)) this.#return(line, EVENT_VALID);
      return;
    }
    this.#irqType[line] = IRQ_NONE;
    this.#latched[line] = 0;
    this.#refused[line] = 1;
    this.#return(line, EVENT_INVALID);
  }

  #request(chain: DescriptorChain): number {
    const room = chain.writableLength;
    if (room === 0) return 0;
    const complete = chain.readableLength >= REQUEST_SIZE;
    // le16 type, le16 gpio
    const what = complete ? chain.readU32(0) : 0;
    const type = what & 0xffff;
    if (type === GET_LINE_NAMES) return this.#lineNames(chain);
    if (room < RESPONSE_SIZE) {
      chain.writeU8(0, STATUS_ERR);
      return 1;
    }
    const value = complete ? this.#execute(type, what >>> 16, chain.readU32(4)) : FAILED;
    // u8 status, u8 value
    chain.writeU16(0, value === FAILED ? STATUS_ERR : STATUS_OK | (value << 8));
    return RESPONSE_SIZE;
  }

  #lineNames(chain: DescriptorChain): number {
    const size = this.#names.bytes.length;
    if (size === 0 || chain.writableLength !== 1 + size) {
      chain.writeU8(0, STATUS_ERR);
      return 1;
    }
    chain.writeU8(0, STATUS_OK);
    return 1 + chain.write(1, this.#names, 0, size);
  }

  /** @returns the value of the response, or FAILED */
  #execute(type: number, line: number, value: number): number {
    const backend = this.#backend;
    if (line >= backend.lineCount) return FAILED;
    switch (type) {
      case GET_DIRECTION:
        return backend.direction(line);
      case SET_DIRECTION:
        return this.#setDirection(line, value) ? 0 : FAILED;
      case GET_VALUE:
        return backend.value(line);
      case SET_VALUE:
        return this.#setValue(line, value) ? 0 : FAILED;
      case SET_IRQ_TYPE:
        return this.#setIrqType(line, value) ? 0 : FAILED;
      default:
        return FAILED;
    }
  }

  #setDirection(line: number, direction: number): boolean {
    const backend = this.#backend;
    if (direction === DIRECTION_NONE) {
      this.#disable(line);
      this.#remembered[line] = NOTHING_REMEMBERED;
      return backend.setDirection(line, DIRECTION_NONE, 0);
    }
    this.#implied[line] = 0;
    // An interrupt belongs to an input; it has to be disabled before the line is anything else.
    if (direction === DIRECTION_IN) return backend.setDirection(line, DIRECTION_IN, 0);
    if (direction !== DIRECTION_OUT || this.#irqType[line] !== IRQ_NONE) return false;
    const remembered = this.#remembered[line];
    const value = remembered === NOTHING_REMEMBERED ? 0 : remembered;
    if (!backend.setDirection(line, DIRECTION_OUT, value)) return false;
    this.#remembered[line] = value;
    return true;
  }

  #setValue(line: number, value: number): boolean {
    if (value > 1) return false;
    const backend = this.#backend;
    const direction = backend.direction(line);
    if (direction < 0) return false;
    if (direction === DIRECTION_OUT && !backend.setValue(line, value)) return false;
    this.#remembered[line] = value;
    return true;
  }

  #setIrqType(line: number, type: number): boolean {
    if (!this.#interrupts) return false;
    if (type === IRQ_NONE) {
      this.#disable(line);
      return true;
    }
    const edges = type === IRQ_LEVEL_HIGH
      ? IRQ_EDGE_RISING
      : type === IRQ_LEVEL_LOW
      ? IRQ_EDGE_FALLING
      : type <= IRQ_EDGE_BOTH
      ? type
      : 0;
    const accepted = edges !== 0 && this.#irqType[line] === IRQ_NONE && this.#becomesInput(line) &&
      this.#backend.setEdges(line, edges);
    if (!accepted) {
      this.#refused[line] = 1;
      return false;
    }
    this.#refused[line] = 0;
    this.#latched[line] = 0;
    this.#irqType[line] = type;
    if (this.#isActive(line)) this.#return(line, EVENT_VALID);
    return true;
  }

  /**
   * True if a line is an input or can be made one. Linux enables the interrupt of a line that is
   * used for nothing else without ever setting its direction.
   */
  #becomesInput(line: number): boolean {
    const direction = this.#backend.direction(line);
    if (direction !== DIRECTION_NONE) return direction === DIRECTION_IN;
    if (!this.#backend.setDirection(line, DIRECTION_IN, 0)) return false;
    this.#implied[line] = 1;
    return true;
  }

  /**
   * Disables a line's interrupt and returns its buffer. A buffer that the driver has queued before
   * it asked for this is looked for first: Linux warns if it comes back later than the answer.
   */
  #disable(line: number): void {
    const enabled = this.#irqType[line] !== IRQ_NONE;
    if (!enabled && !this.#refused[line]) return;
    this.#latched[line] = 0;
    this.#irqType[line] = DISABLING;
    this.#host?.drain(EVENT_QUEUE);
    this.#irqType[line] = IRQ_NONE;
    this.#refused[line] = 0;
    if (enabled) this.#backend.setEdges(line, 0);
    if (this.#implied[line]) {
      this.#implied[line] = 0;
      this.#backend.setDirection(line, DIRECTION_NONE, 0);
    }
    this.#return(line, EVENT_INVALID);
  }

  /** A buffer on the event queue: the driver unmasks a line's interrupt. */
  #unmask(chain: DescriptorChain): number {
    if (chain.writableLength < EVENT_RESPONSE_SIZE) return 0;
    const line = chain.readableLength >= EVENT_REQUEST_SIZE
      ? chain.readU16(0)
      : this.#waiting.length;
    let status = EVENT_INVALID;
    if (line < this.#waiting.length && this.#waiting[line] === undefined) {
      this.#events?.interrupt(line, false);
      if (this.#latched[line] || this.#isActive(line)) {
        this.#latched[line] = 0;
        status = EVENT_VALID;
        this.#events?.interrupt(line, true);
      } else if (this.#isExpected(line)) {
        this.#waiting[line] = chain;
        return HELD;
      }
    }
    chain.writeU8(0, status);
    return EVENT_RESPONSE_SIZE;
  }

  /**
   * True if the driver takes a line's interrupt for enabled. After a refusal Linux queues a buffer
   * all the same, and again whenever one comes back; so it does where it had enabled the interrupt
   * before this device was there.
   */
  #isExpected(line: number): boolean {
    if (this.#irqType[line] !== IRQ_NONE) return true;
    if (this.#host?.goesOn) this.#refused[line] = 1;
    return this.#refused[line] !== 0;
  }

  /** True if a line's level interrupt is enabled and its level is the one asked for. */
  #isActive(line: number): boolean {
    const type = this.#irqType[line];
    if (type === IRQ_LEVEL_HIGH) return this.#backend.value(line) === 1;
    return type === IRQ_LEVEL_LOW && this.#backend.value(line) === 0;
  }

  /** Returns a line's waiting buffer. False if there is none. */
  #return(line: number, status: number): boolean {
    const chain = this.#waiting[line];
    if (chain === undefined) return false;
    this.#waiting[line] = undefined;
    if (status === EVENT_VALID) this.#events?.interrupt(line, true);
    chain.writeU8(0, status);
    this.#host?.complete(EVENT_QUEUE, chain, EVENT_RESPONSE_SIZE);
    return true;
  }
}
