/**
 * What a virtio device is to the transport, and what the transport is to a device.
 *
 * A device answers descriptor chains. It knows nothing of sockets, rings or worker threads; the
 * transport knows nothing of GPIO, I2C or SPI. Everything here runs on one thread, synchronously.
 *
 * @module
 */

import type { DescriptorChain } from "./descriptor_chain.ts";

/** Returned by {@linkcode VirtioDevice.process} for a chain that the device keeps for later. */
export const HELD = -1;

/** Something that is told of events on a file descriptor. */
export interface EventHandler {
  /**
   * Called when the descriptor is ready. Must not block.
   *
   * @param events the `EPOLL…` bits that are set
   */
  onEvents(events: number): void;
}

/** Watches file descriptors for a device: the worker's event loop. */
export interface Poller {
  /**
   * Calls `handler` whenever one of `events` (`EPOLL…` bits) is set on `fd`.
   *
   * @throws {SystemError} if the descriptor cannot be polled
   */
  watch(fd: number, events: number, handler: EventHandler): void;
  /** Ends that; must come before `fd` is closed. No event comes through afterwards. */
  unwatch(fd: number): void;
}

/** The transport, as one device sees it. */
export interface DeviceHost extends Poller {
  /**
   * True if the driver was at work before this side knew of it, as one is whose front-end has
   * reconnected by itself: it relies on what it has set up, of which nothing is known here.
   */
  readonly goesOn: boolean;
  /**
   * Returns a held chain to the driver and notifies it where it wants to be. The chain belongs to
   * the transport again.
   *
   * @param written the bytes written to the chain's device-writable part
   */
  complete(queue: number, chain: DescriptorChain, written: number): void;
  /**
   * Makes a held chain available again, as if it had never been taken: while its queue stops, for a
   * request that was not begun. The chain belongs to the transport again. The last one taken goes
   * first.
   *
   * @returns false if one that was taken later has been returned already; it is still held then
   */
  putBack(queue: number, chain: DescriptorChain): boolean;
  /**
   * Processes now what the driver has made available on another queue. For a device that has to
   * look at one queue before it answers on another.
   */
  drain(queue: number): void;
  /**
   * False once nobody waits for what a stopping queue still finishes: the front-end has hung up, or
   * the daemon ends. For a device to ask every now and then while it does so; takes two system calls.
   */
  isAwaited(): boolean;
}

/** A virtio device for one guest. */
export interface VirtioDevice {
  /** The virtio device id, for example 41 for GPIO. */
  readonly id: number;
  /** The number of virtqueues. */
  readonly queueCount: number;
  /** The device's own feature bits (0 to 23, and 50 up), as a mask. */
  readonly features: bigint;
  /** Those of {@linkcode features} that a driver must take; without them there is no service. */
  readonly requiredFeatures: bigint;
  /** What {@linkcode features} are called, for people. */
  readonly featureNames: ReadonlyMap<bigint, string>;
  /** An image of the configuration space; the transport serves any part of it. */
  readonly config: Uint8Array;
  /**
   * What {@linkcode reset} and {@linkcode close} do that must not be left out when the daemon ends,
   * for people, as `X` in "X was not done"; `undefined` where they only give back what was taken.
   */
  readonly duty?: string | undefined;

  /** Called once, before anything else. */
  attach(host: DeviceHost): void;
  /** Called with the feature bits that the driver took, before the first request. */
  setFeatures(features: bigint): void;
  /**
   * Answers one request. Never throws for anything that a guest can send.
   *
   * @param chain read-only and write-only parts; belongs to the device until it is returned
   * @returns the number of bytes written to the chain, or {@linkcode HELD} where the device keeps
   * the chain and hands it to {@linkcode DeviceHost.complete} later
   */
  process(queue: number, chain: DescriptorChain): number;
  /**
   * The queue stops: complete every chain held from it now, or put it back. What takes longer than
   * a moment ends when it is no longer {@linkcode DeviceHost.isAwaited awaited}. The transport passes
   * them on to the driver where the ring is still there. Where chains are
   * {@linkcode DescriptorChain.isSuspended suspended}, it only takes them back, in order: nobody
   * waits for what becomes of them, or they come again.
   */
  queueStopping(queue: number): void;
  /**
   * Back to the initial state, as after a virtio device reset or when the front-end has gone. All
   * queues have stopped before.
   */
  reset(): void;
  /** Releases everything that the device holds of the host. */
  close(): void;
}
