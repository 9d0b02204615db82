/**
 * What a front-end sets up: features, memory, rings and, behind them, the device.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Front-end message types", "Ring states").
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { close } from "../../ffi/fd.ts";
import { XenNodes } from "../../ffi/xen.ts";
import type { DescriptorChain } from "../virtio/descriptor_chain.ts";
import type { DeviceHost, EventHandler, VirtioDevice } from "../virtio/device.ts";
import {
  F_EVENT_IDX,
  F_INDIRECT_DESC,
  F_NOTIFY_ON_EMPTY,
  F_VERSION_1,
  QUEUE_FEATURES,
} from "../virtio/features.ts";
import { GuestMemory, type GuestMemoryOptions, MAX_REGIONS } from "../virtio/guest_memory.ts";
import type { RegionDescription } from "../virtio/memory_region.ts";
import { isQueueSize } from "../virtio/split_queue.ts";
import type { ConfigRange, VringAddresses } from "./message.ts";
import {
  F_PROTOCOL_FEATURES,
  PROTOCOL_F_CONFIG,
  PROTOCOL_F_REPLY_ACK,
  PROTOCOL_F_XEN_MMAP,
  PROTOCOL_FEATURES,
} from "./protocol_features.ts";
import { Refusal, type RequestTarget } from "./requests.ts";
import type { Scheduler } from "./scheduler.ts";
import { type RingSet, Vring } from "./vring.ts";

const STATUS_FEATURES_OK = 8n;

const ringFeatureNames: readonly (readonly [bigint, string])[] = [
  [F_VERSION_1, "VERSION_1"],
  [F_INDIRECT_DESC, "INDIRECT_DESC"],
  [F_EVENT_IDX, "EVENT_IDX"],
  [F_NOTIFY_ON_EMPTY, "NOTIFY_ON_EMPTY"],
];

/** One device and its rings, for one front-end after another. */
export class BackEnd implements RequestTarget, RingSet, DeviceHost {
  /** As {@linkcode DeviceHost.isAwaited}. */
  isAwaited: () => boolean = () => true;
  /** Is called once a driver is served. */
  onReady: () => void = () => {};
  readonly #device: VirtioDevice;
  readonly #scheduler: Scheduler;
  readonly #log: Logger;
  readonly #memory: GuestMemory;
  readonly #vrings: readonly Vring[];
  readonly #xen: XenNodes;
  #features = 0n;
  #protocolFeatures = 0n;
  #status = 0n;
  #backendRequests = -1;
  #refused = false;
  #announced = false;

  /**
   * @param device is attached for good
   * @param memory how much memory guests can have, and how often it may change
   * @param xen through what memory of other domains is mapped, where there is Xen
   */
  constructor(
    device: VirtioDevice,
    scheduler: Scheduler,
    log: Logger,
    memory: Pick<GuestMemoryOptions, "limit" | "unmappings"> = {},
    xen = new XenNodes(),
  ) {
    this.#xen = xen;
    this.#device = device;
    this.#scheduler = scheduler;
    this.#log = log;
    this.#memory = new GuestMemory({
      ...memory,
      onStuck: ({ message }) =>
        log.error(
          `memory of the front-end stays mapped for now, which is an error of ours: ${message}`,
        ),
      onRemark: (text) => log.warn(text),
    });
    this.#vrings = Array.from(
      { length: device.queueCount },
      (_, index) => new Vring(index, device, this.#memory, scheduler, this, log),
    );
    device.attach(this);
  }

  /** How many requests of the driver have been served. */
  get served(): number {
    return this.#vrings.reduce((sum, vring) => sum + vring.requests, 0);
  }

  get goesOn(): boolean {
    for (const vring of this.#vrings) if (vring.goesOn) return true;
    return false;
  }

  /** True if `need_reply` is answered. */
  get acknowledges(): boolean {
    return (this.#protocolFeatures & PROTOCOL_F_REPLY_ACK) !== 0n;
  }

  /** Puts everything back to where it was before a front-end came. */
  reset(): void {
    try {
      for (const vring of this.#vrings) vring.reset();
      this.#device.reset();
    } finally {
      // Even a device that fails must not keep this front-end or the next one waiting.
      this.#memory.clear();
      this.#memory.xen = undefined;
      close(this.#backendRequests);
      this.#backendRequests = -1;
      this.#features = this.#protocolFeatures = this.#status = 0n;
      this.#refused = this.#announced = false;
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

  putBack(queue: number, chain: DescriptorChain): boolean {
    return this.#vrings[queue].putBack(chain);
  }

  drain(queue: number): void {
    this.#vrings[queue].drain();
  }

  // Features and the device

  get offeredFeatures(): bigint {
    return QUEUE_FEATURES | F_PROTOCOL_FEATURES | this.#device.features;
  }

  get offeredProtocolFeatures(): bigint {
    const xen = this.#xen.areThere ? PROTOCOL_F_XEN_MMAP : 0n;
    return xen |
      (this.#device.config.length > 0 ? PROTOCOL_FEATURES : PROTOCOL_FEATURES & ~PROTOCOL_F_CONFIG);
  }

  setFeatures(features: bigint): void {
    const excess = features & ~this.offeredFeatures;
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

  setProtocolFeatures(features: bigint): void {
    const excess = features & ~this.offeredProtocolFeatures;
    if (excess !== 0n) {
      throw new Refusal(`protocol feature bits 0x${excess.toString(16)} were not offered`);
    }
    this.#setXen((features & PROTOCOL_F_XEN_MMAP) !== 0n);
    this.#protocolFeatures = features;
  }

  #setXen(wanted: boolean): void {
    if (wanted === this.describesXen) return;
    if (this.#memory.regionCount > 0 || this.#vrings.some(({ started }) => started)) {
      throw new Refusal("XEN_MMAP is agreed on before memory regions and rings, or not at all");
    }
    this.#memory.xen = wanted ? this.#xen : undefined;
  }

  get describesXen(): boolean {
    return this.#memory.xen !== undefined;
  }

  get status(): bigint {
    return this.#status;
  }

  setStatus(status: bigint): void {
    this.#status = status & 0xffn;
    if (this.#refused) this.#status &= ~STATUS_FEATURES_OK;
  }

  readConfig({ offset, size }: ConfigRange, target: DataView): boolean {
    const { config } = this.#device;
    if (size === 0 || offset + size > config.length) {
      this.#log.warn(
        `GET_CONFIG of ${size} bytes at ${offset} is refused: the space has ${config.length}`,
      );
      return false;
    }
    for (let index = 0; index < size; index++) target.setUint8(index, config[offset + index]);
    return true;
  }

  resetOwner(): void {
    // Deprecated; "either ignore this message, or use it to disable all rings".
    for (const vring of this.#vrings) vring.setEnabled(false);
  }

  resetDevice(): void {
    for (const vring of this.#vrings) {
      vring.discard();
      vring.setEnabled(!(this.#features & F_PROTOCOL_FEATURES));
    }
    this.#device.reset();
    this.#status = 0n;
    this.#announced = false;
  }

  setBackendRequests(fd: number): void {
    close(this.#backendRequests);
    this.#backendRequests = fd;
  }

  // Memory

  /** True once the front-end has taken memory away that it had shared. */
  get hasLostMemory(): boolean {
    return this.#memory.isLost;
  }

  get memorySlots(): number {
    return MAX_REGIONS;
  }

  setMemoryTable(regions: readonly RegionDescription[], fds: readonly number[]): void {
    if (regions.length !== fds.length) {
      throw new Refusal(`${regions.length} regions came with ${fds.length} file descriptors`);
    }
    this.#memory.setTable(regions, fds);
    this.#remap();
  }

  addRegion(region: RegionDescription, fd: number | undefined): void {
    this.#memory.addRegion(region, fd);
    // A changed region is removed and added anew, and rings may lie in it.
    this.#remap();
  }

  removeRegion(region: RegionDescription): void {
    this.#memory.removeRegion(region);
    this.#remap();
  }

  /** Finds running rings again after a change of the memory table. */
  #remap(): void {
    for (const vring of this.#vrings) {
      const problem = vring.remap();
      if (problem === undefined) continue;
      this.#log.error(
        `queue ${vring.index} is not served until the memory table has it: ${problem}`,
      );
    }
  }

  // Rings

  get queueCount(): number {
    return this.#vrings.length;
  }

  /** @param fd is closed if there is no such ring */
  #vring(index: number, fd = -1): Vring {
    const vring = this.#vrings[index];
    if (vring !== undefined) return vring;
    close(fd);
    throw new Refusal(`queue ${index} is not one of this device's ${this.#vrings.length}`);
  }

  setVringSize(index: number, size: number): void {
    const vring = this.#vring(index);
    if (!isQueueSize(size)) {
      throw new Refusal(`${size} is no queue size (a power of two up to 32768)`);
    }
    vring.setSize(size);
  }

  setVringAddresses(index: number, addresses: VringAddresses): void {
    const vring = this.#vring(index);
    const problem = vring.setAddresses(addresses);
    if (problem !== undefined) throw new Refusal(problem);
  }

  setVringBase(index: number, base: number): void {
    const vring = this.#vring(index);
    if (base > 0xffff) throw new Refusal(`${base} is no ring index`);
    vring.setBase(base);
  }

  getVringBase(index: number): number {
    // There is no reply that says no; an index of 0 is what a ring has that was never used.
    return this.#vrings[index]?.stop() ?? 0;
  }

  setVringKick(index: number, fd: number): void {
    const vring = this.#vring(index, fd);
    if (this.#refused) {
      close(fd);
      throw new Refusal("the driver's features were refused");
    }
    const problem = vring.start(fd, this.#features);
    if (problem !== undefined) throw new Refusal(problem);
    this.#announce();
  }

  setVringCall(index: number, fd: number): void {
    this.#vring(index, fd).setCall(fd);
  }

  setVringError(index: number, fd: number): void {
    this.#vring(index, fd).setError(fd);
  }

  setVringEnable(index: number, enable: number): void {
    const vring = this.#vring(index);
    if (enable > 1) throw new Refusal(`${enable} is neither 0 nor 1`);
    vring.setEnabled(enable === 1);
    this.#announce();
  }

  driverBeginsAnew(ring: Vring): void {
    this.#log.debug(`queue ${ring.index} shows that a driver begins anew: the device is reset`);
    // The new driver may have started other rings already, and they go on.
    const going = this.#vrings.filter((other) => other.startedAgain);
    for (const other of this.#vrings) {
      if (other !== ring && !other.startedAgain) other.discard();
    }
    const recalled = going.map((other) => other.recall());
    this.#device.reset();
    this.#device.setFeatures(this.#features);
    this.#announced = false;
    going.forEach((other, index) => other.giveAgain(recalled[index]));
  }

  /** Logs, once per start of a driver, that requests are being served. */
  #announce(): void {
    const first = this.#vrings[0];
    if (this.#announced || !first.started || !first.enabled) return;
    this.#announced = true;
    this.onReady();
    const mebibytes = Math.round(this.#memory.size / 2 ** 20);
    const before = first.goesOn ? "; the driver was at work before, the device begins anew" : "";
    this.#log.info(`ready: ${mebibytes} MiB of guest memory, queue size ${first.size}${before}`, {
      memoryRegions: this.#memory.regionCount,
      queueSize: first.size,
    });
  }
}
