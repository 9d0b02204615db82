/**
 * What guests do, from their threads to the clients that want to be told.
 *
 * Changes of properties come through the memory that all simulated things share, the rest through
 * each guest's ring of events.
 *
 * @module
 */

import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd, createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { EventReader, type EventRingMemory, type RingEvent } from "../events/event_ring.ts";
import { GUEST, I2C_MESSAGE, SPI_TRANSFER } from "../events/kinds.ts";
import { type Change, type ChangeListener, Changes } from "../simulation/changes.ts";
import { PropertyError } from "../simulation/check_value.ts";
import type { Thing, Things } from "../simulation/thing.ts";
import type { Poller } from "../virtio/device.ts";
import type { ControlConnection } from "./connection.ts";
import { shownName } from "./names.ts";
import { type GuestState, hexadecimal } from "./protocol.ts";
import type { BareEvent, Subscription } from "./subscription.ts";
import { TransactionReader } from "./transactions.ts";
import type { ControlWorld, GuestDescription } from "./world.ts";

/** Of bytes that have changed, so many are told. */
const TOLD_BYTES = 256;
const STATES: readonly GuestState[] = ["waiting", "connected", "ready"];

/** What there is to observe. */
export interface Observed {
  readonly program: string;
  readonly version: string;
  readonly things: Things;
  readonly guests: readonly { readonly title: string; readonly socket: string }[];
  /** By guest. All have the same eventfd(2) to wake their reader. */
  readonly rings: readonly EventRingMemory[];
}

/** What a thread offers to be told of descriptors and of time. */
export interface ObserverLoop extends Poller {
  after(milliseconds: number, action: () => void): void;
}

/** Tells clients of events. */
export class Observer implements ControlWorld {
  readonly program: string;
  readonly version: string;
  readonly things: Things;

  readonly #loop: ObserverLoop;
  readonly #guests: GuestDescription[];
  readonly #rings: readonly EventReader[];
  readonly #transactions: readonly TransactionReader[];
  readonly #wake: number;
  readonly #timeOrigin: number;
  readonly #byNumber = new Map<number, Thing>();
  readonly #subscriptions = new Map<ControlConnection, Subscription>();
  readonly #changes: Changes | undefined;
  readonly #changed = createEventfd();
  readonly #change: Change = {
    sequence: 0,
    time: 0,
    thing: 0,
    property: 0,
    value: 0,
    at: 0,
    length: 0,
  };
  #listener: ChangeListener | undefined;

  constructor(loop: ObserverLoop, observed: Observed) {
    const { program, version, things, guests, rings } = observed;
    this.program = program;
    this.version = version;
    this.things = things;
    this.#loop = loop;
    this.#guests = guests.map(({ title, socket }, guest) => ({
      guest,
      title,
      socket,
      state: "waiting",
    }));
    this.#rings = rings.map((ring) => new EventReader(ring));
    this.#transactions = rings.map((_, guest) => new TransactionReader(guest));
    this.#wake = rings[0].wake;
    this.#timeOrigin = rings[0].timeOrigin;
    for (const thing of things.all) this.#byNumber.set(thing.number, thing);
    const [first] = things.all;
    this.#changes = first && new Changes(first.changes);
    loop.watch(this.#wake, EPOLLIN, { onEvents: () => this.#drainRings() });
    loop.watch(this.#changed, EPOLLIN, { onEvents: () => this.#drainChanges() });
    this.#want();
    this.#drainRings();
  }

  guests(): readonly GuestDescription[] {
    return this.#guests;
  }

  after(milliseconds: number, action: () => void): void {
    this.#loop.after(milliseconds, action);
  }

  subscribe(subscription: Subscription): void {
    // What has happened before is none of its business.
    this.#drainChanges();
    this.#drainRings();
    this.#subscriptions.set(subscription.connection, subscription);
    this.#listener ??= this.#changes?.listen(this.#changed);
    this.#want();
  }

  unsubscribe(connection: ControlConnection): void {
    if (!this.#subscriptions.delete(connection)) return;
    this.#want();
    if (this.#subscriptions.size > 0) return;
    this.#listener?.close();
    this.#listener = undefined;
  }

  close(): void {
    for (const fd of [this.#wake, this.#changed]) this.#loop.unwatch(fd);
    this.#listener?.close();
    close(this.#changed);
  }

  #want(): void {
    const transactions = [...this.#subscriptions.values()].some((it) => it.transactions);
    const kinds = 1 << GUEST | (transactions ? 1 << I2C_MESSAGE | 1 << SPI_TRANSFER : 0);
    for (const ring of this.#rings) ring.want(kinds);
  }

  #tell(event: BareEvent, wants: (subscription: Subscription) => boolean): void {
    for (const subscription of this.#subscriptions.values()) {
      if (wants(subscription)) subscription.tell(event);
    }
  }

  #drainChanges(): void {
    clearEventfd(this.#changed);
    const listener = this.#listener;
    if (listener === undefined) return;
    const change = this.#change;
    while (listener.next(change)) {
      if (listener.missed > 0) {
        for (const subscription of this.#subscriptions.values()) subscription.miss(listener.missed);
        listener.missed = 0;
      }
      const thing = this.#byNumber.get(change.thing);
      if (thing === undefined) continue;
      this.#tell(this.#propertyEvent(thing, change), (subscription) => subscription.wants(thing));
    }
  }

  #propertyEvent(thing: Thing, change: Change): BareEvent {
    const property = thing.propertyAt(change.property);
    const name = shownName(this.things, thing, property);
    const head = { time: change.time / 1000, kind: "property", name } as const;
    if (change.length > 0) {
      const length = Math.min(change.length, TOLD_BYTES);
      const data = attempt(() => hexadecimal(thing.read(property, change.at, length)));
      return { ...head, at: change.at, length: change.length, ...(data && { data }) };
    }
    const value = Number.isNaN(change.value)
      ? attempt(() => thing.get(property))
      : thing.changedTo(property, change.value);
    return { ...head, value };
  }

  #drainRings(): void {
    clearEventfd(this.#wake);
    this.#rings.forEach((ring, guest) => {
      do {
        while (ring.next()) this.#event(guest, ring.event);
        const leftOut = ring.takeLeftOut();
        if (leftOut === 0) continue;
        for (const subscription of this.#subscriptions.values()) {
          if (subscription.transactions) subscription.miss(leftOut);
        }
      } while (!ring.sleep());
    });
  }

  #event(guest: number, event: RingEvent): void {
    const time = (this.#timeOrigin + event.time) / 1000;
    if (event.kind === GUEST) {
      const state = STATES[event.first];
      this.#guests[guest] = { ...this.#guests[guest], state };
      this.#tell({ time, kind: "guest", guest, state }, () => true);
      return;
    }
    const transaction = this.#transactions[guest].read(event, time);
    if (transaction !== undefined) this.#tell(transaction, (it) => it.transactions);
  }
}

/** What a thing that is busy cannot tell in time is left out. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof PropertyError) return undefined;
    throw error;
  }
}
