/**
 * A simulated I2C adapter: parts on a bus, shared by all guests of a daemon.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import {
  FUNC_SMBUS_BLOCK_PROC_CALL,
  FUNC_SMBUS_PROC_CALL,
  FUNC_SMBUS_QUICK,
  FUNC_SMBUS_READ_BLOCK_DATA,
  FUNC_SMBUS_READ_BYTE,
  FUNC_SMBUS_READ_BYTE_DATA,
  FUNC_SMBUS_READ_I2C_BLOCK,
  FUNC_SMBUS_READ_WORD_DATA,
  FUNC_SMBUS_WRITE_BLOCK_DATA,
  FUNC_SMBUS_WRITE_BYTE,
  FUNC_SMBUS_WRITE_BYTE_DATA,
  FUNC_SMBUS_WRITE_I2C_BLOCK,
  FUNC_SMBUS_WRITE_WORD_DATA,
} from "../../../ffi/i2c_uapi.ts";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { Timer } from "../../../ffi/timerfd.ts";
import { FAIL, type Faults, NAK, WRONG } from "../../simulation/faults.ts";
import type { PartModel } from "../../simulation/part.ts";
import type { PartDescription } from "../../simulation/part_list.ts";
import type { Properties } from "../../simulation/property.ts";
import {
  contextOf,
  faultsOf,
  interruptsOf,
  type PoweredPart,
  type Simulation,
  stateOf,
} from "../../simulation/simulation.ts";
import type { InterruptPins } from "../../simulation/interrupt_pins.ts";
import { PartThing } from "../../simulation/part_thing.ts";
import { RemoteThing } from "../../simulation/remote/remote_thing.ts";
import type { Thing } from "../../simulation/thing.ts";
import { Bus, RESERVATION } from "../../threads/bus.ts";
import { Lock } from "../../threads/lock.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import { type I2cAdapter, type TransactionOwner, UNFINISHED } from "../backend.ts";
import type { I2cPart } from "./part.ts";
import { i2cParts } from "./parts.ts";
import { type Behind, NOBODY, type PlacedPart, Routes } from "./routes.ts";
import { MAX_LENGTH, type Messages, SLOT_SIZE } from "../messages.ts";
import { addressText, STANDARD_FREQUENCY } from "../protocol.ts";
import { NOT_SMBUS, recoverSmbus } from "../smbus.ts";

const EVERYTHING_OF_SMBUS = FUNC_SMBUS_QUICK | FUNC_SMBUS_READ_BYTE | FUNC_SMBUS_WRITE_BYTE |
  FUNC_SMBUS_READ_BYTE_DATA | FUNC_SMBUS_WRITE_BYTE_DATA | FUNC_SMBUS_READ_WORD_DATA |
  FUNC_SMBUS_WRITE_WORD_DATA | FUNC_SMBUS_PROC_CALL | FUNC_SMBUS_READ_BLOCK_DATA |
  FUNC_SMBUS_WRITE_BLOCK_DATA | FUNC_SMBUS_BLOCK_PROC_CALL | FUNC_SMBUS_READ_I2C_BLOCK |
  FUNC_SMBUS_WRITE_I2C_BLOCK;

/** A part as the configuration describes it. */
export interface I2cPartDescription extends PartDescription {
  /** The address, or the first of several; see `TEN_BIT` in the protocol. */
  readonly address: number;
  readonly behind?: Behind | undefined;
}

/** An adapter, likewise. */
export interface SimulatedAdapterDescription {
  readonly smbusOnly: boolean;
  /** Of its clock in Hz, as traces draw it: transactions take no time. */
  readonly frequency: number;
  readonly parts: readonly I2cPartDescription[];
}

/** An adapter when the power is on. */
export interface SimulatedAdapterSettings {
  /** Whose turn it is on the bus. */
  readonly turns: SharedArrayBuffer;
  /** Held while parts are driven, and by whoever controls one. */
  readonly lock: SharedArrayBuffer;
  readonly bus: PoweredPart;
  readonly smbusOnly: boolean;
  readonly parts: readonly PlacedPart[];
}

const busProperties = {
  "smbus-only": {
    type: "boolean",
    set: "start",
    default: false,
    help: "true: refuses what is no SMBus transaction",
  },
  frequency: {
    type: "integer",
    set: "start",
    from: 1000,
    to: 5_000_000,
    unit: "Hz",
    default: STANDARD_FREQUENCY,
    help: "of its clock, as traces draw it: transactions take no time",
  },
  stuck: {
    type: "boolean",
    set: "running",
    help: "true: somebody holds the lines, and no transaction gets through",
  },
} as const satisfies Properties;

/** The bus itself, seen as a thing. */
export const i2cBus: PartModel<typeof busProperties> = {
  name: "bus",
  help: "a simulated I2C bus",
  properties: busProperties,
  stateSize: () => 1,
  live: {
    stuck: {
      get: (state) => state.getUint8(0) !== 0,
      set: (state, value: boolean) => state.setUint8(0, Number(value)),
    },
  },
};

/**
 * Makes an adapter as it is when the power comes on; for the main thread.
 *
 * @throws {UsageError} if a part's file does not fit
 * @throws {RuntimeError} if the host does not have what a part needs
 */
export function powerUp(
  simulation: Simulation,
  { parts, smbusOnly, frequency }: SimulatedAdapterDescription,
  guests: number,
): SimulatedAdapterSettings {
  const settings = { "smbus-only": smbusOnly, frequency };
  return {
    smbusOnly,
    turns: new SharedArrayBuffer(Bus.size(guests)),
    lock: new SharedArrayBuffer(Lock.SIZE),
    bus: simulation.powerUp(i2cBus, { part: i2cBus.name, name: undefined, settings }),
    parts: parts.map((part) => ({
      ...simulation.powerUp(i2cParts.get(part.part), part),
      address: part.address,
      behind: part.behind,
    })),
  };
}

/**
 * The bus and its parts, for whoever controls them.
 *
 * @param name by which the bus is known
 */
export function i2cThings(
  { lock, bus, parts }: SimulatedAdapterSettings,
  name: string,
  guests: readonly number[],
  log: Logger,
): Thing[] {
  const shared = new Lock(lock);
  return [
    new PartThing(i2cBus, bus, { name, place: "all of its parts", guests }, [], shared, log),
    ...parts.map((part) => {
      const { path, place } = whereabouts(part, parts);
      const { name = path } = part;
      const where = { name, alias: path, place, guests };
      const model = i2cParts.get(part.part);
      const Kind = model.isRemote ? RemoteThing : PartThing;
      return new Kind(model, part, where, ["nak", "fail", "wrong"], shared, log);
    }),
  ];
}

/**
 * Where a part is, as a name and for people: `0x48`, or `0x70-2-0x48` behind channel 2 of a
 * multiplexer.
 */
function whereabouts(
  { address, behind }: I2cPartDescription,
  parts: readonly I2cPartDescription[],
): { readonly path: string; readonly place: string } {
  const own = addressText(address);
  if (behind === undefined) return { path: own, place: `address ${own}` };
  const before = whereabouts(parts[behind.multiplexer], parts).path;
  return {
    path: `${before}-${behind.channel}-${own}`,
    place: `address ${own} behind channel ${behind.channel} of ${before}`,
  };
}

/** The guest has no transaction under way. */
const IDLE = 0;
/**
 * Another guest has the bus, and a wake-up tells of its end; where it is free but kept for another
 * guest, the timer is set for the time after which it no longer is.
 */
const WAITING = 1;
/** A part stretches the clock; the timer is set for the end of that. */
const STRETCHING = 2;

type State = typeof IDLE | typeof WAITING | typeof STRETCHING;

/**
 * One guest's access to a simulated bus. A transaction has the bus for itself, and neither waits
 * for it nor for a part on the guest's thread.
 */
export class SimulatedAdapter implements I2cAdapter, EventHandler {
  readonly maxLength = MAX_LENGTH;
  readonly zeroLength = true;

  readonly #turns: Bus;
  readonly #lock: Lock;
  readonly #timer = new Timer();
  #poller: Poller | undefined;
  #owner: TransactionOwner | undefined;
  #state: State = IDLE;
  readonly #smbusOnly: boolean;
  readonly #bus: DataView;
  readonly #parts: readonly I2cPart[];
  readonly #faults: readonly Faults[];
  readonly #interrupts: readonly (InterruptPins | undefined)[];
  readonly #routes: Routes;
  /** Parts that have been addressed in the transaction. */
  readonly #addressed: Uint8Array;

  // The transaction at work.
  #messages: Messages | undefined;
  #first = 0;
  #count = 0;
  #done = 0;
  /** Who has answered the next message's address. */
  #part = NOBODY;
  /** That part has had its time. */
  #stretched = false;

  constructor(settings: SimulatedAdapterSettings, guest: number, log: Logger) {
    this.#turns = new Bus(settings.turns, guest);
    this.#lock = new Lock(settings.lock);
    this.#smbusOnly = settings.smbusOnly;
    this.#bus = stateOf(settings.bus);
    this.#addressed = new Uint8Array(settings.parts.length);
    this.#faults = settings.parts.map(faultsOf);
    this.#interrupts = settings.parts.map((part) => interruptsOf(i2cParts.get(part.part), part));
    this.#routes = new Routes(settings.parts);
    this.#parts = settings.parts.map((part) => {
      const model = i2cParts.get(part.part);
      return model.create(contextOf(model, part, log, this.#lock), part.address);
    });
  }

  attach(poller: Poller, owner: TransactionOwner): void {
    this.#poller = poller;
    this.#owner = owner;
    poller.watch(this.#timer.fd, EPOLLIN, this);
    poller.watch(this.#turns.wakeFd, EPOLLIN, { onEvents: () => this.#awake() });
  }

  transfer(messages: Messages, first: number, count: number): number {
    if (this.#smbusOnly && this.#isNoSmbus(messages, first, count)) return 0;
    this.#messages = messages;
    this.#first = first;
    this.#count = count;
    this.#done = 0;
    this.#stretched = false;
    return this.#claim() ? this.#proceed() : UNFINISHED;
  }

  abandon(): number {
    const state = this.#state;
    if (state === IDLE) return 0;
    this.#state = IDLE;
    this.#timer.disarm();
    if (state === WAITING) {
      this.#turns.release();
      return 0;
    }
    this.#lock.acquire();
    try {
      this.#stop();
    } finally {
      this.#lock.release();
      this.#turns.release();
    }
    return this.#done;
  }

  close(): void {
    this.abandon();
    this.#poller?.unwatch(this.#timer.fd);
    this.#poller?.unwatch(this.#turns.wakeFd);
    this.#timer.close();
    this.#turns.close();
  }

  /** The time is up for whatever the timer was set for. */
  onEvents(_events: number): void {
    // Set anew in the meantime, the timer has nothing to tell.
    if (!this.#timer.clear()) return;
    const state = this.#state;
    this.#state = IDLE;
    if (state === STRETCHING || (state === WAITING && this.#claim(true))) this.#goOn();
  }

  /** Another guest has given the bus back. */
  #awake(): void {
    this.#turns.clearWake();
    if (this.#state !== WAITING) return;
    this.#state = IDLE;
    this.#timer.disarm();
    if (this.#claim()) this.#goOn();
  }

  /** @returns false if another guest has the bus; it is waited for then */
  #claim(anyway = false): boolean {
    if (this.#turns.claim(anyway)) return true;
    this.#state = WAITING;
    if (this.#turns.isFree) this.#timer.arm(RESERVATION);
    return false;
  }

  #goOn(): void {
    const done = this.#proceed();
    if (done !== UNFINISHED) this.#owner?.transactionOver(done);
  }

  /** Goes on with the transaction; the bus has to be this guest's. @returns as `transfer` */
  #proceed(): number {
    let over = true;
    this.#lock.acquire();
    try {
      over = this.#advance(this.#messages!);
    } finally {
      this.#lock.release();
      if (over) this.#turns.release();
    }
    return over ? this.#done : UNFINISHED;
  }

  /** @returns false if a part stretches the clock; true if the transaction is over */
  #advance(messages: Messages): boolean {
    while (this.#done < this.#count && this.#bus.getUint8(0) === 0) {
      const index = this.#first + this.#done;
      if (!this.#stretched) {
        const time = this.#address(messages.addresses[index]);
        if (time === NOBODY) break;
        this.#stretched = true;
        if (time > 0) {
          this.#state = STRETCHING;
          this.#timer.arm(time);
          return false;
        }
      }
      this.#stretched = false;
      if (!this.#message(messages, index)) break;
      this.#done++;
    }
    this.#stop();
    return true;
  }

  #isNoSmbus(messages: Messages, first: number, count: number): boolean {
    return recoverSmbus(messages, first, count, EVERYTHING_OF_SMBUS) === NOT_SMBUS;
  }

  /** @returns how long the part stretches the clock in milliseconds, or NOBODY */
  #address(address: number): number {
    const number = this.#part = this.#routes.find(address);
    if (number === NOBODY) return NOBODY;
    const faults = this.#faults[number];
    if (faults.any && faults.strikes(NAK)) return NOBODY;
    return this.#parts[number].stretch?.() ?? 0;
  }

  /** @returns false if the part has not acknowledged all of it */
  #message(messages: Messages, index: number): boolean {
    const address = messages.addresses[index];
    const number = this.#part;
    const part = this.#parts[number];
    const faults = this.#faults[number];
    const faulty = faults.any;
    const read = messages.reads[index] === 1;
    this.#addressed[number] = 1;
    if (!part.start(read, this.#routes.offset(number, address))) return false;
    if (faulty && faults.strikes(FAIL)) return false;
    const { bytes } = messages.data;
    const begin = index * SLOT_SIZE;
    const end = begin + messages.lengths[index];
    if (part.message !== undefined) {
      if (!part.message(read, bytes, begin, end)) return false;
      if (read && faulty && end > begin && faults.strikes(WRONG)) bytes[begin] ^= 0xff;
      return true;
    }
    if (read) {
      for (let at = begin; at < end; at++) bytes[at] = part.read();
      if (faulty && end > begin && faults.strikes(WRONG)) bytes[begin] ^= 0xff;
      return true;
    }
    for (let at = begin; at < end; at++) {
      if (!part.write(bytes[at])) return false;
    }
    return true;
  }

  #stop(): void {
    for (let index = 0; index < this.#parts.length; index++) {
      if (this.#addressed[index] === 0) continue;
      this.#addressed[index] = 0;
      this.#parts[index].stop();
      this.#interrupts[index]?.look();
    }
  }
}
