/**
 * The state machine of one front-end: what each request does to memory, rings and device.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Front-end message types", "Ring states").
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { close } from "../../ffi/fd.ts";
import type { DescriptorChain } from "../virtio/descriptor_chain.ts";
import type { DeviceHost, EventHandler, VirtioDevice } from "../virtio/device.ts";
import {
  F_EVENT_IDX,
  F_INDIRECT_DESC,
  F_NOTIFY_ON_EMPTY,
  F_VERSION_1,
  QUEUE_FEATURES,
} from "../virtio/features.ts";
import { GuestMemory, MAX_REGIONS } from "../virtio/guest_memory.ts";
import { isQueueSize } from "../virtio/split_queue.ts";
import { CLOSED, Connection, MESSAGE } from "./connection.ts";
import {
  decodeConfigRange,
  decodeMemoryTable,
  decodeSingleRegion,
  decodeVringAddresses,
  decodeVringFd,
  decodeVringState,
  messageShape,
  Request,
  requestName,
} from "./message.ts";
import {
  F_PROTOCOL_FEATURES,
  PROTOCOL_F_CONFIG,
  PROTOCOL_F_REPLY_ACK,
  PROTOCOL_FEATURES,
} from "./protocol_features.ts";
import type { Scheduler } from "./scheduler.ts";
import { Vring } from "./vring.ts";

/** How many messages are handled before rings and other descriptors get their turn. */
const BURST = 64;
const STATUS_FEATURES_OK = 8n;

const ringFeatureNames: readonly (readonly [bigint, string])[] = [
  [F_VERSION_1, "VERSION_1"],
  [F_INDIRECT_DESC, "INDIRECT_DESC"],
  [F_EVENT_IDX, "EVENT_IDX"],
  [F_NOTIFY_ON_EMPTY, "NOTIFY_ON_EMPTY"],
];

/** A request that is refused; the message says why. The connection may go on. */
class Refusal extends Error {}

/** Serves one device to one front-end, from its connection to its end. */
export class Session implements EventHandler, DeviceHost {
  readonly #device: VirtioDevice;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #memory = new GuestMemory();
  readonly #vrings: readonly Vring[];
  readonly #unknown = new Set<number>();
  #connection: Connection | undefined;
  #onEnd: (() => void) | undefined;
  #features = 0n;
  #protocolFeatures = 0n;
  #status = 0n;
  #backendRequests = -1;
  #refused = false;
  #announced = false;

  /** @param device is attached to the session for good; front-ends come and go */
  constructor(device: VirtioDevice, scheduler: Scheduler, log: Logger) {
    this.#device = device;
    this.#scheduler = scheduler;
    this.#log = log;
    this.#vrings = Array.from(
      { length: device.queueCount },
      (_, index) => new Vring(index, device, this.#memory, scheduler, log),
    );
    device.attach(this);
  }

  /**
   * Begins to serve a front-end.
   *
   * @param fd of the connection, which belongs to the session from now on
   * @param onEnd is called when the front-end has gone
   */
  begin(fd: number, onEnd: () => void): void {
    this.#connection = new Connection(fd);
    this.#onEnd = onEnd;
    this.#log.info("front-end connected");
    this.#scheduler.watch(fd, EPOLLIN, this);
  }

  /** Ends the connection, if there is one, and puts everything back to the start. */
  end(reason: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#scheduler.unwatch(connection.fd);
    const served = this.#vrings.reduce((sum, vring) => sum + vring.requests, 0);
    try {
      for (const vring of this.#vrings) vring.reset();
      this.#device.reset();
    } finally {
      // Even a device that fails must not keep this front-end or the next one waiting.
      this.#memory.clear();
      connection.close();
      close(this.#backendRequests);
      this.#backendRequests = -1;
      this.#features = this.#protocolFeatures = this.#status = 0n;
      this.#refused = this.#announced = false;
      this.#unknown.clear();
      const line = `front-end gone: ${reason}; ${served} requests were served`;
      this.#log.info(line, { reason, served });
      this.#onEnd?.();
    }
  }

  /** The connection is ready. */
  onEvents(_events: number): void {
    for (let count = 0; count < BURST; count++) {
      const connection = this.#connection;
      if (connection === undefined) return;
      const result = connection.receive();
      if (result === CLOSED) return this.end(connection.reason);
      if (result !== MESSAGE) return;
      if (!this.#handle(connection)) return this.end(connection.reason);
    }
  }

  // For the device

  watch(fd: number, events: number, handler: EventHandler): void {
    this.#scheduler.watch(fd, events, handler);
  }

  unwatch(fd: number): void {
    this.#scheduler.unwatch(fd);
  }

  complete(queue: number, chain: DescriptorChain, written: number): void {
    this.#vrings[queue].complete(chain, written);
  }

  drain(queue: number): void {
    this.#vrings[queue].drain();
  }

  // Requests of the front-end

  /** @returns false if the connection is to be closed, for the reason that it carries */
  #handle(connection: Connection): boolean {
    const { request, needReply } = connection.header;
    const name = requestName(request);
    this.#log.trace(`message ${name}, ${connection.header.size} bytes`);
    const known = messageShape(request);
    // Asked after the request has had its effect: the one that negotiates this may use it already.
    const acknowledge = () => needReply && (this.#protocolFeatures & PROTOCOL_F_REPLY_ACK) !== 0n;
    if (known === undefined) {
      if (!this.#unknown.has(request)) {
        this.#unknown.add(request);
        this.#log.warn(`unknown ${name} of the front-end is refused`);
      }
      return acknowledge() ? connection.replyU64(1n) : true;
    }
    try {
      if (known.replies) return this.#answer(request, connection);
      this.#apply(request, connection);
      return acknowledge() ? connection.replyU64(0n) : true;
    } catch (error) {
      if (known.replies) throw error;
      const reason = `${name} refused: ${(error as Error).message}`;
      this.#log.error(reason);
      if (acknowledge()) return connection.replyU64(1n);
      // Nobody would tell the front-end, and it relies on what it asked for.
      connection.reason = reason;
      return request === Request.SET_CONFIG;
    }
  }

  #answer(request: number, connection: Connection): boolean {
    switch (request) {
      case Request.GET_FEATURES:
        return connection.replyU64(this.#offered);
      case Request.GET_PROTOCOL_FEATURES:
        return connection.replyU64(this.#offeredProtocol);
      case Request.GET_QUEUE_NUM:
        return connection.replyU64(BigInt(this.#vrings.length));
      case Request.GET_MAX_MEM_SLOTS:
        return connection.replyU64(BigInt(MAX_REGIONS));
      case Request.GET_STATUS:
        return connection.replyU64(this.#status);
      case Request.GET_VRING_BASE:
        return this.#getVringBase(connection);
      default: // GET_CONFIG
        return this.#getConfig(connection);
    }
  }

  #apply(request: number, connection: Connection): void {
    const { payload } = connection;
    switch (request) {
      case Request.SET_OWNER:
        return;
      case Request.RESET_OWNER:
      case Request.RESET_DEVICE:
        return this.#resetDevice();
      case Request.SET_FEATURES:
        return this.#setFeatures(payload.getBigUint64(0, true));
      case Request.SET_PROTOCOL_FEATURES:
        return this.#setProtocolFeatures(payload.getBigUint64(0, true));
      case Request.SET_MEM_TABLE:
        return this.#setMemoryTable(payload, connection.fds);
      case Request.ADD_MEM_REG:
        return this.#addRegion(payload, connection.fds[0]);
      case Request.REM_MEM_REG:
        return this.#removeRegion(payload);
      case Request.SET_VRING_NUM:
        return this.#setVringSize(payload);
      case Request.SET_VRING_ADDR:
        return this.#setVringAddresses(payload);
      case Request.SET_VRING_BASE:
        return this.#setVringBase(payload);
      case Request.SET_VRING_KICK:
        return this.#startVring(connection);
      case Request.SET_VRING_CALL:
        return this.#vringFor(connection).setCall(connection.takeFd());
      case Request.SET_VRING_ERR:
        return this.#vringFor(connection).setError(connection.takeFd());
      case Request.SET_VRING_ENABLE:
        return this.#enableVring(payload);
      case Request.SET_BACKEND_REQ_FD:
        close(this.#backendRequests);
        this.#backendRequests = connection.takeFd();
        return;
      case Request.SET_STATUS:
        return this.#setStatus(payload.getBigUint64(0, true));
      default: // SET_CONFIG
        throw new Refusal("this device's configuration space is read-only");
    }
  }

  get #offered(): bigint {
    return QUEUE_FEATURES | F_PROTOCOL_FEATURES | this.#device.features;
  }

  get #offeredProtocol(): bigint {
    return this.#device.config.length > 0
      ? PROTOCOL_FEATURES
      : PROTOCOL_FEATURES & ~PROTOCOL_F_CONFIG;
  }

  #setFeatures(features: bigint): void {
    const excess = features & ~this.#offered;
    if (excess !== 0n) {
      throw new Refusal(`feature bits 0x${excess.toString(16)} were not offered`);
    }
    const { requiredFeatures, featureNames } = this.#device;
    const names = [...ringFeatureNames, ...featureNames]
      .filter(([bit]) => features & bit).map(([, name]) => name);
    this.#features = features;
    const missing = requiredFeatures & ~features;
    this.#refused = missing !== 0n;
    if (missing !== 0n) {
      const wanted = [...featureNames].filter(([bit]) => missing & bit).map(([, name]) => name);
      throw new Refusal(
        `the driver does not take ${wanted.join(", ")}, without which it cannot work`,
      );
    }
    this.#log.info(`driver took features ${names.join(", ")}`, { features: names });
    this.#device.setFeatures(features);
    this.#announced = false;
    // Without protocol features there is no SET_VRING_ENABLE: rings count as enabled.
    if (!(features & F_PROTOCOL_FEATURES)) {
      for (const vring of this.#vrings) vring.setEnabled(true);
    }
  }

  #setProtocolFeatures(features: bigint): void {
    const excess = features & ~this.#offeredProtocol;
    if (excess !== 0n) {
      throw new Refusal(`protocol feature bits 0x${excess.toString(16)} were not offered`);
    }
    this.#protocolFeatures = features;
  }

  #setStatus(status: bigint): void {
    this.#status = status & 0xffn;
    if (this.#refused) this.#status &= ~STATUS_FEATURES_OK;
  }

  #setMemoryTable(payload: DataView, fds: readonly number[]): void {
    const regions = decodeMemoryTable(payload);
    if (regions === undefined) throw new Refusal("the number of regions exceeds the message");
    if (regions.length !== fds.length) {
      throw new Refusal(`${regions.length} regions came with ${fds.length} file descriptors`);
    }
    this.#memory.setTable(regions, fds);
    this.#remap();
  }

  #addRegion(payload: DataView, fd: number | undefined): void {
    this.#memory.addRegion(decodeSingleRegion(payload), fd);
    // A changed region is removed and added anew, and rings may lie in it.
    this.#remap();
  }

  #removeRegion(payload: DataView): void {
    // Rings in the region must let go of it first; those elsewhere are found again.
    for (const vring of this.#vrings) vring.unmap();
    try {
      this.#memory.removeRegion(decodeSingleRegion(payload));
    } finally {
      this.#remap();
    }
  }

  /** Finds running rings again after a change of the memory table. */
  #remap(): void {
    for (const vring of this.#vrings) {
      const problem = vring.remap();
      if (problem === undefined) vring.look();
      else this.#log.error(`queue ${vring.index} is no longer served: ${problem}`);
    }
  }

  #vring(index: number): Vring {
    const vring = this.#vrings[index];
    if (vring !== undefined) return vring;
    throw new Refusal(`queue ${index} is not one of this device's ${this.#vrings.length}`);
  }

  /** The ring that a message with an optional descriptor is about. */
  #vringFor(connection: Connection): Vring {
    const { index, noFd } = decodeVringFd(connection.payload);
    const vring = this.#vring(index);
    if (noFd && connection.fds.length > 0) {
      throw new Refusal("a file descriptor comes along although none is announced");
    }
    if (!noFd && connection.fds.length === 0) throw new Refusal("the file descriptor is missing");
    return vring;
  }

  #setVringSize(payload: DataView): void {
    const { index, value } = decodeVringState(payload);
    const vring = this.#vring(index);
    if (!isQueueSize(value)) {
      throw new Refusal(`${value} is no queue size (a power of two up to 32768)`);
    }
    if (index === 0 && vring.started) this.#driverStartsAnew();
    vring.abandon();
    vring.size = value;
  }

  #setVringAddresses(payload: DataView): void {
    const addresses = decodeVringAddresses(payload);
    const vring = this.#vring(addresses.index);
    vring.addresses = addresses;
    const problem = vring.remap();
    if (problem !== undefined) throw new Refusal(problem);
    vring.look();
  }

  #setVringBase(payload: DataView): void {
    const { index, value } = decodeVringState(payload);
    const vring = this.#vring(index);
    if (value > 0xffff) throw new Refusal(`${value} is no ring index`);
    const fresh = vring.started || !this.#vrings.some((other) => other.started);
    if (index === 0 && value === 0 && fresh) this.#driverStartsAnew();
    vring.abandon();
    vring.base = value;
  }

  /**
   * A driver that sets up its first queue while that runs, or begins there with index 0, knows
   * nothing of what was before: some front-ends never tell of a device reset. One that goes on, as
   * after a pause of the guest, stops the queues and begins where `GET_VRING_BASE` left off.
   */
  #driverStartsAnew(): void {
    for (const vring of this.#vrings) vring.abandon();
    this.#device.reset();
    this.#device.setFeatures(this.#features);
    this.#announced = false;
  }

  #startVring(connection: Connection): void {
    const vring = this.#vringFor(connection);
    if (this.#refused) throw new Refusal("the driver's features were refused");
    const problem = vring.start(connection.takeFd(), this.#features);
    if (problem !== undefined) throw new Refusal(problem);
    this.#announce();
  }

  #enableVring(payload: DataView): void {
    const { index, value } = decodeVringState(payload);
    const vring = this.#vring(index);
    if (value > 1) throw new Refusal(`${value} is neither 0 nor 1`);
    vring.setEnabled(value === 1);
    this.#announce();
  }

  /** Logs, once per start of a driver, that requests are being served. */
  #announce(): void {
    const first = this.#vrings[0];
    if (this.#announced || !first.started || !first.enabled) return;
    this.#announced = true;
    const mebibytes = Math.round(this.#memory.size / 2 ** 20);
    this.#log.info(`ready: ${mebibytes} MiB of guest memory, queue size ${first.size}`, {
      memoryRegions: this.#memory.regionCount,
      queueSize: first.size,
    });
  }

  #getVringBase(connection: Connection): boolean {
    const { index } = decodeVringState(connection.payload);
    const vring = this.#vrings[index];
    // There is no reply that says no; an index of 0 is what a ring has that was never used.
    const base = vring === undefined ? 0 : vring.stop();
    connection.replyPayload.setUint32(0, index, true);
    connection.replyPayload.setUint32(4, base, true);
    return connection.reply(8);
  }

  #getConfig(connection: Connection): boolean {
    const { offset, size, flags } = decodeConfigRange(connection.payload);
    const { config } = this.#device;
    const reply = connection.replyPayload;
    if (size === 0 || offset + size > config.length) {
      this.#log.warn(
        `GET_CONFIG of ${size} bytes at ${offset} is refused: the space has ${config.length}`,
      );
      return connection.reply(0);
    }
    reply.setUint32(0, offset, true);
    reply.setUint32(4, size, true);
    reply.setUint32(8, flags, true);
    for (let index = 0; index < size; index++) reply.setUint8(12 + index, config[offset + index]);
    return connection.reply(12 + size);
  }

  #resetDevice(): void {
    for (const vring of this.#vrings) {
      vring.abandon();
      vring.enabled = !(this.#features & F_PROTOCOL_FEATURES);
    }
    this.#device.reset();
    this.#announced = false;
  }
}
