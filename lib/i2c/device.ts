/**
 * The virtio I2C adapter: requests of the guest become transactions on buses of the host.
 *
 * Source: virtio specification, "I2C Adapter Device".
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { monotonicTime } from "../../ffi/clock.ts";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { Timer } from "../../ffi/timerfd.ts";
import type { DescriptorChain } from "../virtio/descriptor_chain.ts";
import { type DeviceHost, type EventHandler, HELD, type VirtioDevice } from "../virtio/device.ts";
import { writeFailure } from "../virtio/trailing_status.ts";
import { type I2cAdapter, type TransactionOwner, UNFINISHED } from "./backend.ts";
import type { I2cEvents } from "./events.ts";
import { MAX_LENGTH, MAX_MESSAGES, type Messages, SLOT_SIZE } from "./messages.ts";
import {
  ADDRESS_COUNT,
  decodeAddress,
  F_ZERO_LENGTH_REQUEST,
  FLAG_FAIL_NEXT,
  FLAG_READ,
  HEADER_SIZE,
  I2C_DEVICE_ID,
  STATUS_ERR,
  STATUS_OK,
  TEN_BIT,
} from "./protocol.ts";

const NOWHERE = -1;
/**
 * How long a transaction may stay unfinished, in milliseconds. Linux begins those that are too long
 * for its ring, sends as many requests as fit, and waits.
 */
const UNFINISHED_LIMIT = 1000;
/** After so long with requests that had to wait, other descriptors get their turn; likewise. */
const CATCH_UP_LIMIT = 1;

/** An adapter and whom of those on it the guest may address. */
export interface ServedAdapter {
  readonly adapter: I2cAdapter;
  /** As in the protocol; each is on one adapter only. */
  readonly addresses: readonly number[];
}

/** By the address of a request, the index of the adapter that it is on. */
function route(served: readonly ServedAdapter[]): Int16Array {
  const routes = new Int16Array(ADDRESS_COUNT).fill(NOWHERE);
  served.forEach(({ addresses }, index) => {
    for (const address of addresses) routes[address] = index;
  });
  return routes;
}

/**
 * One guest's I2C adapter: one bus to the guest, any number of them here.
 *
 * Requests that are chained by `FAIL_NEXT` are one transaction. Its chains are held until the last
 * one has come, and are returned in order when it is done. Where that takes its time, what comes
 * meanwhile is held behind them.
 */
export class I2cDevice implements VirtioDevice, EventHandler, TransactionOwner {
  readonly id = I2C_DEVICE_ID;
  readonly queueCount = 1;
  readonly features = F_ZERO_LENGTH_REQUEST;
  readonly requiredFeatures = F_ZERO_LENGTH_REQUEST;
  readonly featureNames = new Map([[F_ZERO_LENGTH_REQUEST, "I2C_F_ZERO_LENGTH_REQUEST"]]);
  readonly config = new Uint8Array(0);

  readonly #adapters: readonly I2cAdapter[];
  readonly #routes: Int16Array;
  readonly #messages: Messages;
  readonly #chains: (DescriptorChain | undefined)[] = new Array(MAX_MESSAGES).fill(undefined);
  /** How many messages of a transaction have come. */
  #count = 0;
  /** How many of them, from the first on, can be tried. */
  #possible = 0;
  /** How many of those have succeeded, of a transaction that is being carried out. */
  #done = 0;
  /** The adapter that has not finished with it, or NOWHERE. */
  #working = NOWHERE;
  /** How far that adapter's part of it goes. */
  #end = 0;
  /** Chains that have come since. */
  readonly #waiting: DescriptorChain[] = [];
  /** The rest of a transaction that is too long for any bus is failed as it comes. */
  #overlong = false;
  /** How many transactions there have been; tells one from the next. */
  #transactions = 0;
  readonly #timer = new Timer();
  /** The timer runs on when a transaction is over: most are long before it. */
  #timerRuns = false;
  /** The transaction that was unfinished when the timer was set. */
  #watched = 0;
  #warned = false;
  readonly #events: I2cEvents | undefined;
  readonly #log: Logger;
  #host: DeviceHost | undefined;

  /** @param messages that the adapters expect transactions to be made of */
  constructor(
    served: readonly ServedAdapter[],
    messages: Messages,
    log: Logger,
    events?: I2cEvents,
  ) {
    this.#log = log;
    this.#events = events;
    this.#messages = messages;
    this.#adapters = served.map(({ adapter }) => adapter);
    this.#routes = route(served);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    host.watch(this.#timer.fd, EPOLLIN, this);
    for (const adapter of this.#adapters) adapter.attach?.(host, this);
  }

  setFeatures(_features: bigint): void {}

  process(_queue: number, chain: DescriptorChain): number {
    if (this.#working === NOWHERE && this.#waiting.length === 0) return this.#accept(chain);
    this.#waiting.push(chain);
    return HELD;
  }

  transactionOver(done: number): void {
    this.#working = NOWHERE;
    this.#done += done;
    if (this.#done < this.#end || this.#run()) {
      this.#return();
      this.#catchUp();
    }
  }

  #accept(chain: DescriptorChain): number {
    const hasHeader = chain.readableLength >= HEADER_SIZE;
    const flags = hasHeader ? chain.readU32(4) : 0;
    const more = (flags & FLAG_FAIL_NEXT) !== 0;
    if (this.#overlong || this.#count === MAX_MESSAGES) {
      this.#failHeld();
      this.#overlong = more;
      return writeFailure(chain, STATUS_ERR);
    }
    const index = this.#count++;
    this.#chains[index] = chain;
    if (this.#possible === index && hasHeader && this.#take(index, chain, flags)) this.#possible++;
    if (!more) return this.#finish();
    if (!this.#timerRuns) this.#watch();
    return HELD;
  }

  /** The timer has run out. */
  onEvents(_events: number): void {
    this.#timer.clear();
    this.#timerRuns = false;
    if (this.#working !== NOWHERE) return;
    if (this.#waiting.length > 0) return this.#catchUp();
    if (this.#count === 0) return;
    if (this.#watched !== this.#transactions) return this.#watch();
    if (!this.#warned) {
      this.#warned = true;
      this.#log.warn(
        `the driver has left a transaction unfinished after ${this.#count} messages, which fails ` +
          "it: is its queue too small for a longer one?",
      );
    }
    this.#failHeld();
  }

  queueStopping(_queue: number): void {
    const host = this.#host!;
    const left = this.#waiting.splice(0);
    const suspended = (this.#chains[0] ?? left[0])?.isSuspended ?? false;
    if (this.#working !== NOWHERE) {
      this.#abandon();
      if (this.#done > 0) this.#return();
    } else if (left.length === 0) this.#failHeld();
    this.#overlong = false;
    // What has not been begun is as if it had never come.
    left.unshift(...this.#takeAll());
    if (suspended) {
      for (const chain of left) host.complete(0, chain, 0);
      return;
    }
    for (const chain of left.reverse()) {
      if (!host.putBack(0, chain)) host.complete(0, chain, writeFailure(chain, STATUS_ERR));
    }
  }

  reset(): void {
    this.#abandon();
    this.#waiting.length = 0;
    this.#chains.fill(undefined);
    this.#count = 0;
    this.#possible = 0;
    this.#overlong = false;
    this.#warned = false;
  }

  close(): void {
    this.#abandon();
    this.#timer.close();
    for (const adapter of this.#adapters) adapter.close();
  }

  /** Has the timer look after the transaction that is unfinished now. */
  #watch(): void {
    this.#watched = this.#transactions;
    this.#timerRuns = true;
    this.#timer.arm(UNFINISHED_LIMIT);
  }

  /** @returns false if the message cannot even be tried */
  #take(index: number, chain: DescriptorChain, flags: number): boolean {
    const address = this.#listed(chain.readU16(0));
    if (address === NOWHERE) return false;
    const { maxLength, zeroLength } = this.#adapters[this.#routes[address]];
    const toRead = (flags & FLAG_READ) !== 0;
    const sent = chain.readableLength - HEADER_SIZE;
    const room = chain.writableLength - 1;
    if (room < 0 || (toRead ? sent : room) !== 0) return false;
    const length = toRead ? room : sent;
    if (length > maxLength || length > MAX_LENGTH || (length === 0 && !zeroLength)) return false;
    const messages = this.#messages;
    messages.addresses[index] = address;
    messages.reads[index] = toRead ? 1 : 0;
    messages.lengths[index] = length;
    if (toRead) return true;
    // Where the guest's memory has gone meanwhile there is nothing to be sent.
    return chain.read(HEADER_SIZE, messages.data, index * SLOT_SIZE, length) === length;
  }

  /** The address of a request, or NOWHERE if it is not served. */
  #listed(field: number): number {
    const address = decodeAddress(field);
    if (address < 0) return NOWHERE;
    if (this.#routes[address] !== NOWHERE) return address;
    // These are 10-bit addresses as well; see decodeAddress.
    if (address < 0x78 || address > 0x7b) return NOWHERE;
    const tenBit = TEN_BIT + (address - 0x78) * 0x100;
    return this.#routes[tenBit] === NOWHERE ? NOWHERE : tenBit;
  }

  /** Answers what has come while a transaction was carried out, as far as it can be. */
  #catchUp(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const end = monotonicTime() + CATCH_UP_LIMIT;
    while (waiting.length > 0) {
      const chain = waiting.shift()!;
      const written = this.#accept(chain);
      if (written !== HELD) this.#host?.complete(0, chain, written);
      if (this.#working !== NOWHERE) return;
      if (monotonicTime() >= end) break;
    }
    if (waiting.length > 0) {
      // Whatever it was set for, a transaction that is unfinished then is looked after anew.
      this.#watched = this.#transactions - 1;
      this.#timerRuns = true;
      this.#timer.arm(0);
    } else if (this.#count > 0 && !this.#timerRuns) this.#watch();
  }

  /** Carries out a complete transaction. @returns the bytes written to its last chain, or HELD */
  #finish(): number {
    this.#done = 0;
    this.#events?.begin();
    return this.#run() ? this.#answer() : HELD;
  }

  /** Answers a transaction whose chains are all held. */
  #return(): void {
    const last = this.#chains[this.#count - 1] as DescriptorChain;
    this.#host?.complete(0, last, this.#answer());
  }

  /** Answers a transaction that is over. @returns the bytes written to its last chain */
  #answer(): number {
    const count = this.#count;
    const possible = this.#possible;
    this.#count = 0;
    this.#possible = 0;
    this.#transactions = (this.#transactions + 1) | 0;
    const done = this.#done;
    this.#events?.transaction(this.#messages, possible, done);
    const last = count - 1;
    for (let index = 0; index < last; index++) {
      const chain = this.#release(index);
      this.#host?.complete(
        0,
        chain,
        index < done ? this.#succeed(index, chain) : writeFailure(chain, STATUS_ERR),
      );
    }
    const chain = this.#release(last);
    return last < done ? this.#succeed(last, chain) : writeFailure(chain, STATUS_ERR);
  }

  /**
   * Carries out what is left of a transaction: a part of it on each of its adapters.
   *
   * @returns false if one of them has not finished with it
   */
  #run(): boolean {
    const { addresses } = this.#messages;
    const count = this.#possible;
    while (this.#done < count) {
      const first = this.#done;
      const adapter = this.#routes[addresses[first]];
      let end = first + 1;
      while (end < count && this.#routes[addresses[end]] === adapter) end++;
      const done = this.#adapters[adapter].transfer(this.#messages, first, end - first);
      if (done === UNFINISHED) {
        this.#working = adapter;
        this.#end = end;
        return false;
      }
      this.#done += done;
      if (this.#done < end) break;
    }
    return true;
  }

  /** Ends the transaction that is being carried out, where it stands. */
  #abandon(): void {
    if (this.#working === NOWHERE) return;
    this.#done += this.#adapters[this.#working].abandon?.() ?? 0;
    this.#working = NOWHERE;
  }

  #succeed(index: number, chain: DescriptorChain): number {
    const messages = this.#messages;
    const length = messages.reads[index] ? messages.lengths[index] : 0;
    if (length > 0) chain.write(0, messages.data, index * SLOT_SIZE, length);
    chain.writeU8(length, STATUS_OK);
    return length + 1;
  }

  #release(index: number): DescriptorChain {
    const chain = this.#chains[index] as DescriptorChain;
    this.#chains[index] = undefined;
    return chain;
  }

  /** Lets go of the chains of a transaction that have come. */
  #takeAll(): DescriptorChain[] {
    const count = this.#count;
    this.#count = 0;
    this.#possible = 0;
    this.#transactions = (this.#transactions + 1) | 0;
    return Array.from({ length: count }, (_, index) => this.#release(index));
  }

  /** Fails the messages that have come of a transaction that will not be. */
  #failHeld(): void {
    const count = this.#count;
    this.#count = 0;
    this.#possible = 0;
    this.#transactions = (this.#transactions + 1) | 0;
    for (let index = 0; index < count; index++) {
      const chain = this.#release(index);
      this.#host?.complete(0, chain, writeFailure(chain, STATUS_ERR));
    }
  }
}
