/**
 * A pretended guest with its driver bound: memory, virtqueues and a front-end that has told the
 * back-end of them.
 *
 * @module
 */

import { DriverQueue, type QueueOptions, type Segment, type Used } from "./driver_queue.ts";
import type { FrontEnd } from "./front_end.ts";
import { GuestRam, type RamRegion } from "./guest_ram.ts";
import {
  PROTOCOL_CONFIG,
  PROTOCOL_MQ,
  PROTOCOL_REPLY_ACK,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from "./wire.ts";

/** What {@linkcode Guest} takes besides the options of its queues. */
export interface GuestOptions extends QueueOptions {
  readonly queues?: number;
  /** Which queues are started, and in what order; all of them unless this says otherwise. */
  readonly order?: readonly number[];
  /** Feature bits of the device to take in addition. */
  readonly features?: bigint;
  readonly protocolFeatures?: bigint;
  readonly ram?: GuestRam;
  /** The region that the buffers of requests are taken from; that of the rings by default. */
  readonly buffers?: RamRegion;
  /** Asks for an acknowledgement of every message. */
  readonly acknowledged?: boolean;
}

/** A guest at work. */
export class Guest implements Disposable {
  readonly ram: GuestRam;
  readonly queues: DriverQueue[];
  readonly features: bigint;
  #frontEnd: FrontEnd;
  readonly #protocolFeatures: bigint;
  readonly #ownsRam: boolean;
  readonly #order: readonly number[];
  readonly #buffers = new Map<string, number>();

  constructor(frontEnd: FrontEnd, options: GuestOptions = {}) {
    this.#frontEnd = frontEnd;
    this.#protocolFeatures = options.protocolFeatures ??
      (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG);
    this.ram = options.ram ?? new GuestRam();
    this.#ownsRam = options.ram === undefined;
    this.features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VHOST_USER_F_PROTOCOL_FEATURES |
      (options.eventIndex ? VIRTIO_F_EVENT_IDX : 0n) | (options.features ?? 0n);
    this.queues = Array.from(
      { length: options.queues ?? 2 },
      (_, index) => new DriverQueue(index, this.ram, options),
    );
    // Rings first, requests where that is another region.
    if (options.buffers !== undefined) this.ram.allocateFrom(options.buffers);
    this.#order = options.order ?? this.queues.map(({ index }) => index);
    this.#introduce();
    frontEnd.acknowledged = options.acknowledged ?? false;
    this.bind();
  }

  get frontEnd(): FrontEnd {
    return this.#frontEnd;
  }

  #introduce(): void {
    const { frontEnd } = this;
    frontEnd.setOwner();
    frontEnd.getFeatures();
    frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & this.#protocolFeatures);
  }

  /**
   * Goes on over another connection, as front-ends do that reconnect by themselves: the driver
   * notices nothing, and what was not used yet is available again.
   */
  reconnect(connect: () => FrontEnd): void {
    const { acknowledged } = this.frontEnd;
    this.frontEnd.close();
    this.#frontEnd = connect();
    this.#introduce();
    this.frontEnd.acknowledged = acknowledged;
    this.bind((queue) => queue.usedIndexOfDevice);
  }

  /** Tells the back-end of features, memory and rings, and enables the rings. */
  bind(base = (queue: DriverQueue) => queue.base): void {
    this.frontEnd.setFeatures(this.features);
    this.frontEnd.setMemoryTable(this.ram);
    for (const index of this.#order) this.start(this.queues[index], base(this.queues[index]));
    for (const index of this.#order) this.frontEnd.setVringEnable(index, true);
    this.frontEnd.barrier();
  }

  /** Starts one ring. */
  start(queue: DriverQueue, base = queue.base): void {
    const { frontEnd } = this;
    frontEnd.setVringSize(queue.index, queue.size);
    frontEnd.setVringBase(queue.index, base);
    frontEnd.setVringAddresses(queue.index, queue.addresses);
    frontEnd.setVringCall(queue.index, queue.callFd);
    frontEnd.setVringError(queue.index, queue.errorFd);
    frontEnd.setVringKick(queue.index, queue.kickFd);
  }

  /** A buffer of the guest that is made once for each name and length. */
  buffer(name: string, length: number): number {
    const key = `${name} ${length}`;
    const known = this.#buffers.get(key);
    if (known !== undefined) return known;
    const address = this.ram.allocate(length);
    this.#buffers.set(key, address);
    return address;
  }

  /** The segments of a request with these bytes and this much room for the response. */
  segments(request: ArrayLike<number>, room: number): Segment[] {
    const segments: Segment[] = [];
    if (request.length > 0) {
      const address = this.buffer("request", request.length);
      this.ram.write(address, request);
      segments.push({ address, length: request.length });
    }
    if (room > 0) {
      const address = this.buffer("response", room);
      this.ram.write(address, new Uint8Array(room).fill(0xee));
      segments.push({ address, length: room, writable: true });
    }
    return segments;
  }

  /** Sends a request, waits for it to be used, and returns the response buffer and used length. */
  request(
    request: ArrayLike<number>,
    room: number,
    queue = 0,
    indirect = false,
  ): Used & { response: Uint8Array<ArrayBuffer> } {
    const segments = this.segments(request, room);
    const head = this.queues[queue].submit(segments, indirect);
    const used = this.queues[queue].waitUsed(this.frontEnd);
    if (used.head !== head) throw new Error(`chain ${used.head} was used, not ${head}`);
    const response = this.ram.read(this.buffer("response", room), room);
    return { ...used, response };
  }

  [Symbol.dispose](): void {
    this.frontEnd.close();
    for (const queue of this.queues) queue[Symbol.dispose]();
    if (this.#ownsRam) this.ram[Symbol.dispose]();
  }
}
