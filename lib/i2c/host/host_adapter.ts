/**
 * An I2C adapter of this host, driven through `/dev/i2c-N`.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import {
  EAGAIN,
  EBUSY,
  EIO,
  ENODEV,
  ENXIO,
  errno,
  errnoName,
  errnoText,
} from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import { exists } from "../../../ffi/file.ts";
import {
  forceAddress,
  RDWR_MAX_LENGTH,
  setAddress,
  setTenBit,
  SmbusTransfer,
  Transfer,
} from "../../../ffi/i2c_dev.ts";
import {
  FUNC_I2C,
  FUNC_SMBUS_QUICK,
  SMBUS_BLOCK_PROC_CALL,
  SMBUS_PROC_CALL,
} from "../../../ffi/i2c_uapi.ts";
import { RemovalWatch } from "../../../ffi/inotify.ts";
import { RuntimeError } from "../../errors.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import type { I2cAdapter } from "../backend.ts";
import {
  type AdapterChoice,
  adapterName,
  chipName,
  devicePath,
  findAdapter,
  holderOf,
  openAdapter,
} from "./find_adapters.ts";
import { type Messages, SLOT_SIZE } from "../messages.ts";
import { ADDRESS_COUNT, addressBits, addressText, isTenBit } from "../protocol.ts";
import { NOT_SMBUS, packSmbus, recoverSmbus, unpackSmbus } from "../smbus.ts";

/** How adapters report that nobody has acknowledged; ENXIO should be it, but often is not. */
const EREMOTEIO = 121;
const NOT_ACKNOWLEDGED = [ENXIO, EREMOTEIO, EIO, EAGAIN, ENODEV];

/** The driver that does nothing but keep others from an address. */
const RESERVING = "dummy";

/** How long an adapter that has gone is left alone before it is looked for again. */
const RETRY_INTERVAL = 1000;

/** An adapter of this host. */
export interface HostAdapterSettings {
  /** As the user has chosen it. */
  readonly choice: AdapterChoice;
  /** What it can do, a mask of `FUNC_…`. */
  readonly functions: number;
  /** Whom the guest may address; see `TEN_BIT` in the protocol. */
  readonly addresses: readonly number[];
}

/** Carries transactions out on a real bus: one ioctl(2) each. */
export class HostAdapter implements I2cAdapter, EventHandler {
  readonly maxLength = RDWR_MAX_LENGTH;
  readonly zeroLength: boolean;

  readonly #settings: HostAdapterSettings;
  readonly #log: Logger;
  readonly #debug: boolean;
  readonly #transfer: Transfer | undefined;
  readonly #smbus: SmbusTransfer | undefined;
  /** 1 for addresses that a driver of the kernel had when last looked at. */
  readonly #held = new Uint8Array(ADDRESS_COUNT);
  /** Errors that have been explained. */
  readonly #explained = new Set<number>();
  #number = -1;
  #name: string | undefined;
  /** -1 while the adapter is gone. */
  #fd = -1;
  #retryAt = 0;
  /** How the kernel has been told to take addresses. */
  #choosesTenBit = false;
  #poller: Poller | undefined;
  #removal: RemovalWatch | undefined;

  /**
   * @param messages that transactions will be made of
   * @throws {RuntimeError} if the adapter cannot be opened
   */
  constructor(settings: HostAdapterSettings, messages: Messages, log: Logger) {
    const { functions } = settings;
    this.#settings = settings;
    this.#log = log;
    this.#debug = log.isEnabledFor("debug");
    this.zeroLength = (functions & FUNC_SMBUS_QUICK) !== 0;
    if (functions & FUNC_I2C) this.#transfer = new Transfer(messages.data.bytes.buffer, SLOT_SIZE);
    else this.#smbus = new SmbusTransfer();
    this.#open();
  }

  attach(poller: Poller): void {
    this.#poller = poller;
    this.#watchRemoval();
  }

  /** The device node has changed, and may be gone. */
  onEvents(_events: number): void {
    this.#removal?.clear();
    if (!exists(this.#title)) this.#checkPresence();
  }

  transfer(messages: Messages, first: number, count: number): number {
    if (this.#fd < 0 && !this.#reopen()) return 0;
    const free = this.#freeOf(messages, first, count);
    if (free === 0) return 0;
    return this.#transfer !== undefined
      ? this.#runMessages(this.#transfer, messages, first, free)
      : this.#runSmbus(this.#smbus as SmbusTransfer, messages, first, free);
  }

  close(): void {
    close(this.#fd);
    this.#fd = -1;
    this.#removal?.close();
    this.#removal = undefined;
  }

  #runMessages(transfer: Transfer, messages: Messages, first: number, count: number): number {
    const { addresses, reads, lengths } = messages;
    for (let index = first; index < first + count; index++) {
      const address = addresses[index];
      const tenBit = isTenBit(address);
      transfer.set(index, addressBits(address), tenBit, reads[index] === 1, lengths[index]);
    }
    const done = transfer.run(this.#fd, first, count);
    if (done >= 0) return done;
    this.#failed(errno(), messages.addresses[first]);
    return 0;
  }

  #runSmbus(smbus: SmbusTransfer, messages: Messages, first: number, count: number): number {
    const kind = recoverSmbus(messages, first, count, this.#settings.functions);
    if (kind === NOT_SMBUS) {
      if (this.#debug) this.#log.debug(`${this.#title}: no SMBus transaction it can do`);
      return 0;
    }
    const last = first + count - 1;
    const { bytes } = messages.data;
    const command = messages.reads[first] || messages.lengths[first] === 0
      ? 0
      : bytes[first * SLOT_SIZE];
    const isCall = kind === SMBUS_PROC_CALL || kind === SMBUS_BLOCK_PROC_CALL;
    packSmbus(messages, first, last, kind, smbus.data);
    if (smbus.run(this.#fd, !isCall && messages.reads[last] === 1, command, kind) < 0) {
      this.#failed(errno(), messages.addresses[first]);
      return 0;
    }
    return unpackSmbus(messages, last, kind, smbus.data) ? count : 0;
  }

  /**
   * How many of the messages, from the first on, are for addresses that no driver of the kernel
   * has. The kernel looks at that when an address is chosen, never at messages, so it is asked
   * before each transaction: drivers come and go. What is left is the moment between the question
   * and the transaction.
   */
  #freeOf(messages: Messages, first: number, count: number): number {
    let last = -1;
    for (let index = 0; index < count; index++) {
      const address = messages.addresses[first + index];
      if (address === last) continue;
      if (!this.#choose(address)) return index;
      last = address;
    }
    return count;
  }

  /**
   * Tells the kernel whom the next SMBus transaction is with.
   *
   * @returns false if a driver of the kernel has the address
   */
  #choose(address: number): boolean {
    const bits = addressBits(address);
    const tenBit = isTenBit(address);
    if (tenBit !== this.#choosesTenBit) {
      if (setTenBit(this.#fd, tenBit) < 0) return this.#failed(errno(), address);
      this.#choosesTenBit = tenBit;
    }
    if (setAddress(this.#fd, bits) < 0) {
      if (errno() !== EBUSY) return this.#failed(errno(), address);
      if (this.#isHeld(address)) return false;
      if (forceAddress(this.#fd, bits) < 0) return this.#failed(errno(), address);
    }
    if (this.#held[address]) {
      this.#held[address] = 0;
      this.#log.info(`${this.#title}: address ${addressText(address)} is free now`);
    }
    return true;
  }

  /** Who has an address that the kernel says is busy? Explained when it becomes so. */
  #isHeld(address: number): boolean {
    const driver = holderOf(this.#number, address);
    // The kernel tells neither the 7-bit from the 10-bit address of a number, nor other segments
    // of a multiplexer from this one. A dummy reserves an address, and does nothing with it.
    if (driver === RESERVING || (driver === undefined && isTenBit(address))) return false;
    if (!this.#held[address]) this.#explainHeld(address, driver);
    this.#held[address] = 1;
    return true;
  }

  #explainHeld(address: number, driver: string | undefined): void {
    const chip = chipName(this.#number, address);
    const [who, how] = driver === undefined ? ["a driver of the kernel", ""] : [
      `the kernel's driver '${driver}'`,
      `; to unbind it: echo ${chip} >/sys/bus/i2c/drivers/${driver}/unbind`,
    ];
    this.#log.warn(
      `${this.#title}: address ${addressText(address)} is held by ${who}, ` +
        `requests to it fail until it lets go${how}`,
    );
  }

  #open(): void {
    const number = findAdapter(this.#settings.choice);
    const fd = openAdapter(number);
    // The number of an adapter that has gone may be another one's by now. One that is open stays.
    const name = adapterName(number);
    if (this.#name !== undefined && name !== this.#name) {
      close(fd);
      throw new RuntimeError(`${devicePath(number)} is another adapter now`);
    }
    this.#fd = fd;
    this.#number = number;
    this.#name = name;
    this.#choosesTenBit = false;
    for (const address of this.#settings.addresses) this.#choose(address);
    if (this.#poller !== undefined) this.#watchRemoval();
  }

  /** The kernel waits with a removal until everyone has closed the adapter: it must be noticed. */
  #watchRemoval(): void {
    try {
      this.#removal = new RemovalWatch(this.#title);
      this.#poller?.watch(this.#removal.fd, EPOLLIN, this);
    } catch (error) {
      // It will be noticed at the next transaction.
      this.#log.debug(`${this.#title}: its removal cannot be watched: ${(error as Error).message}`);
    }
  }

  get #title(): string {
    return devicePath(this.#number);
  }

  /** A transaction has failed as a whole. @returns false */
  #failed(number: number, address: number): boolean {
    if (this.#debug) {
      this.#log.debug(`${this.#title}: ${addressText(address)}: ${errnoText(number)}`);
    }
    if (number === ENODEV && performance.now() >= this.#retryAt) this.#checkPresence();
    if (NOT_ACKNOWLEDGED.includes(number) || this.#explained.has(number)) return false;
    this.#explained.add(number);
    this.#log.warn(
      `${this.#title}: a transaction with ${addressText(address)} failed: ${errnoText(number)} ` +
        `(${errnoName(number)}); others that fail alike are logged at level debug`,
    );
    return false;
  }

  /**
   * Some adapters report so that nobody has acknowledged, all of them that they are gone. One that
   * is gone stays half alive until everyone has closed it.
   */
  #checkPresence(): void {
    const title = this.#title;
    if (this.#removal !== undefined) this.#poller?.unwatch(this.#removal.fd);
    this.close();
    if (!this.#tryOpen()) {
      this.#log.warn(`${title}: the adapter is gone, requests to it fail until it is back`);
    }
  }

  #reopen(): boolean {
    if (performance.now() < this.#retryAt || !this.#tryOpen()) return false;
    this.#log.info(`${this.#title}: the adapter is back`);
    return true;
  }

  #tryOpen(): boolean {
    this.#retryAt = performance.now() + RETRY_INTERVAL;
    try {
      this.#open();
      return true;
    } catch {
      return false;
    }
  }
}
