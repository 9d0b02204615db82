/**
 * What guests do, from their threads to the clients that want to be told.
 *
 * Changes of properties come through the memory that all simulated things share, the rest through
 * each guest's ring of events.
 *
 * @module
 */

import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd, createEventfd, signalEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import type { RingEvent } from "../events/event_ring.ts";
import type { EventObserver, GuestEvents } from "../events/guest_events.ts";
import { GUEST, I2C_MESSAGE, SPI_TRANSFER } from "../events/kinds.ts";
import { type Change, type ChangeListener, Changes, emptyChange } from "../simulation/changes.ts";
import { PropertyError } from "../simulation/check_value.ts";
import type { Thing, Things } from "../simulation/thing.ts";
import type { Poller } from "../virtio/device.ts";
import type { ControlConnection } from "./connection.ts";
import { shownName } from "./names.ts";
import { type GuestState, hexadecimal } from "./protocol.ts";
import { RemoteParts } from "./remote_parts.ts";
import type { BareEvent, Subscription } from "./subscription.ts";
import { TOLD_BYTES, TransactionReader } from "./transactions.ts";
import type { ControlWorld, GuestDescription } from "./world.ts";

/** The most changes that are told before others get their turn. */
const TURN = 1000;

const STATES: readonly GuestState[] = ["waiting", "connected", "ready"];

/** What there is to observe. */
export interface Observed {
  readonly program: string;
  readonly version: string;
  readonly things: Things;
  readonly guests: readonly { readonly title: string; readonly socket: string }[];
  /** What guests do. */
  readonly events: GuestEvents;
}

/** What a thread offers to be told of descriptors and of time. */
export interface ObserverLoop extends Poller {
  after(milliseconds: number, action: () => void): void;
}

/** Tells clients of events. */
export class Observer implements ControlWorld, EventObserver {
  readonly program: string;
  readonly version: string;
  readonly things: Things;
  readonly remotes: RemoteParts;
  readonly dataLimit = TOLD_BYTES;
  kinds = 1 << GUEST;

  readonly #loop: ObserverLoop;
  readonly #guests: GuestDescription[];
  readonly #events: GuestEvents;
  readonly #transactions: readonly TransactionReader[];
  readonly #byNumber = new Map<number, Thing>();
  readonly #subscriptions = new Map<ControlConnection, Subscription>();
  readonly #changes: Changes | undefined;
  readonly #changed = createEventfd();
  readonly #change = emptyChange();
  #listener: ChangeListener | undefined;

  constructor(loop: ObserverLoop, observed: Observed) {
    const { program, version, things, guests, events } = observed;
    this.program = program;
    this.version = version;
    this.things = things;
    this.remotes = new RemoteParts(loop, things.all);
    this.#loop = loop;
    this.#guests = guests.map(({ title, socket }, guest) => ({
      guest,
      title,
      socket,
      state: "waiting",
    }));
    this.#events = events;
    this.#transactions = guests.map((_, guest) => new TransactionReader(guest));
    for (const thing of things.all) this.#byNumber.set(thing.number, thing);
    const [first] = things.all;
    this.#changes = first && new Changes(first.changes);
    loop.watch(this.#changed, EPOLLIN, { onEvents: () => this.#drainChanges() });
    events.add(this);
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
    this.#events.drain();
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
    this.remotes.close();
    this.#loop.unwatch(this.#changed);
    this.#listener?.close();
    close(this.#changed);
  }

  onEvent(guest: number, event: RingEvent): void {
    const time = (this.#events.timeOrigin + event.time) / 1000;
    if (event.kind === GUEST) {
      const state = STATES[event.first];
      this.#guests[guest] = { ...this.#guests[guest], state };
      this.#tell({ time, kind: "guest", guest, state }, () => true);
      return;
    }
    const transaction = this.#transactions[guest].read(event, time);
    if (transaction !== undefined) this.#tell(transaction, (it) => it.transactions);
  }

  onLeftOut(_guest: number, count: number): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.transactions) subscription.miss(count);
    }
  }

  #want(): void {
    const transactions = [...this.#subscriptions.values()].some((it) => it.transactions);
    this.kinds = 1 << GUEST | (transactions ? 1 << I2C_MESSAGE | 1 << SPI_TRANSFER : 0);
    this.#events.want();
  }

  #tell(event: BareEvent, wants: (subscription: Subscription) => boolean): void {
    for (const subscription of this.#subscriptions.values()) {
      if (wants(subscription)) subscription.tell(event);
    }
  }

  #drainChanges(): void {
    clearEventfd(this.#changed);
    let isAsleep = false;
    try {
      for (let count = 0; count < TURN && !isAsleep; count++) isAsleep = !this.#tellChange();
    } finally {
      // Nobody wakes a listener before it has been told everything.
      if (!isAsleep) signalEventfd(this.#changed);
    }
  }

  /** @returns false if there is no change to be told; the next one wakes this thread */
  #tellChange(): boolean {
    const listener = this.#listener;
    if (listener === undefined || !listener.next(this.#change)) return false;
    if (listener.missed > 0) {
      for (const subscription of this.#subscriptions.values()) subscription.miss(listener.missed);
      listener.missed = 0;
    }
    const change = this.#change;
    const thing = this.#byNumber.get(change.thing);
    const property = thing?.propertyAt(change.property);
    if (thing === undefined || property === undefined) return true;
    const event = this.#propertyEvent(thing, property, change);
    this.#tell(event, (subscription) => subscription.wants(thing));
    return true;
  }

  #propertyEvent(thing: Thing, property: string, change: Change): BareEvent {
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
