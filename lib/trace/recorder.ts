/**
 * From what guests do to a trace of it.
 *
 * @module
 */

import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd, createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import type { RingEvent } from "../events/event_ring.ts";
import type { EventObserver, GuestEvents } from "../events/guest_events.ts";
import { EVENT_DATA, GUEST, GUEST_CONNECTED, GUEST_READY } from "../events/kinds.ts";
import { type Change, type ChangeListener, Changes } from "../simulation/changes.ts";
import type { Thing } from "../simulation/thing.ts";
import type { Poller } from "../virtio/device.ts";
import { type OutputListener, TraceOutput } from "./trace_output.ts";
import type { Track } from "./track.ts";
import { VcdWriter } from "./vcd.ts";

/** How long what is left is drawn at the end, in milliseconds. */
const LAST_TURN = 500;

/** What is recorded. */
export interface Recorded {
  /** The program with its version. */
  readonly program: string;
  readonly guests: readonly { readonly title: string }[];
  /** By guest. */
  readonly tracks: readonly Track[];
  readonly events: GuestEvents;
}

/** Of one guest. */
class Recording {
  /** Events that were left out since the last one that was drawn. */
  leftOut = 0;
  /** Events that were left out, it is not known before which others. */
  unplaced = 0;

  constructor(readonly guest: number, readonly track: Track) {}
}

/** Draws what guests do, until it is closed or its output ends. */
export class Recorder implements EventObserver, OutputListener {
  readonly dataLimit = EVENT_DATA;

  readonly #poller: Poller;
  readonly #events: GuestEvents;
  readonly #onEnd: (reason: string) => void;
  readonly #output: TraceOutput;
  readonly #vcd: VcdWriter;
  readonly #recordings: readonly Recording[];
  readonly #kinds: number;
  /** Milliseconds since 1970. */
  readonly #start = performance.timeOrigin + performance.now();

  readonly #things = new Map<number, { readonly recording: Recording; readonly thing: Thing }>();
  readonly #changed = createEventfd();
  #listener: ChangeListener | undefined;
  readonly #change: Change = {
    sequence: 0,
    time: 0,
    thing: 0,
    property: 0,
    value: 0,
    at: 0,
    length: 0,
  };
  /** The change at hand has not been drawn yet. */
  #isPending = false;

  /**
   * @param fd where the trace goes; stays the caller's
   * @param onEnd is told, once, if nothing more can be written
   */
  constructor(fd: number, poller: Poller, recorded: Recorded, onEnd: (reason: string) => void) {
    const { program, guests, tracks, events } = recorded;
    this.#poller = poller;
    this.#events = events;
    this.#onEnd = onEnd;
    this.#output = new TraceOutput(fd, poller, this);
    this.#recordings = tracks.map((track, guest) => new Recording(guest, track));
    this.#kinds = tracks.reduce((kinds, track) => kinds | track.kinds, 1 << GUEST);
    this.#listen();
    const date = new Date(this.#start).toISOString();
    this.#vcd = new VcdWriter((bytes) => this.#output.write(bytes), date, program);
    guests.forEach(({ title }, guest) => this.#vcd.comment(`guest ${guest}: ${title}`));
    tracks.forEach((track, guest) => {
      this.#vcd.enterScope(`guest${guest}`);
      track.declare(this.#vcd, (wire) => tracks.length === 1 ? wire : `${guest}/${wire}`);
      this.#vcd.leaveScope();
    });
    this.#vcd.begin();
    this.#vcd.flush();
    events.add(this);
  }

  get kinds(): number {
    return this.#output.isOpen ? this.#kinds : 0;
  }

  onEvent(guest: number, event: RingEvent): void {
    if (!this.#output.isOpen) return;
    const time = this.#sinceStart(this.#events.timeOrigin + event.time);
    this.#drawChanges(time);
    const recording = this.#recordings[guest];
    recording.leftOut += event.skipped;
    recording.unplaced -= event.skipped;
    if (!this.#keepsUp(recording, time)) return;
    if (event.kind === GUEST) {
      const state = event.first === GUEST_READY
        ? "is ready"
        : event.first === GUEST_CONNECTED
        ? "is connected"
        : "is waited for";
      this.#vcd.advance(time);
      this.#vcd.comment(`guest ${guest} ${state}`);
    } else recording.track.event(time, event);
  }

  onLeftOut(guest: number, count: number): void {
    this.#recordings[guest].unplaced += count;
  }

  onDrained(): void {
    if (!this.#output.isOpen) return;
    this.#drawChanges(Infinity);
    this.#vcd.flush();
  }

  onRoom(): void {
    this.#events.soon();
  }

  onEnd(reason: string): void {
    this.#stopListening();
    this.#events.want();
    this.#onEnd(reason);
  }

  /** Draws what is left, and says what is not. */
  close(): void {
    this.#events.drain(LAST_TURN);
    const time = this.#sinceStart(performance.timeOrigin + performance.now());
    for (const recording of this.#recordings) {
      recording.leftOut += recording.unplaced;
      if (this.#output.isOpen) this.#keepsUp(recording, time);
    }
    this.#vcd.advance(time);
    this.#vcd.flush();
    this.#stopListening();
    close(this.#changed);
  }

  #sinceStart(milliseconds: number): number {
    return Math.max(0, (milliseconds - this.#start) * 1e6);
  }

  #listen(): void {
    for (const recording of this.#recordings) {
      for (const thing of recording.track.things ?? []) {
        this.#things.set(thing.number, { recording, thing });
      }
    }
    const [first] = this.#things.values();
    if (first === undefined) return;
    this.#poller.watch(this.#changed, EPOLLIN, {
      onEvents: () => {
        clearEventfd(this.#changed);
        this.#events.soon();
      },
    });
    this.#listener = new Changes(first.thing.changes).listen(this.#changed);
  }

  #stopListening(): void {
    if (this.#listener === undefined) return;
    this.#listener.close();
    this.#listener = undefined;
    this.#poller.unwatch(this.#changed);
  }

  /** Draws the changes of properties up to that time. */
  #drawChanges(time: number): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    for (;;) {
      this.#isPending ||= listener.next(this.#change);
      if (!this.#isPending) return;
      const changedAt = this.#sinceStart(this.#change.time);
      if (changedAt > time) return;
      this.#isPending = false;
      if (listener.missed > 0) {
        for (const recording of this.#recordings) recording.leftOut += listener.missed;
        listener.missed = 0;
      }
      const known = this.#things.get(this.#change.thing);
      if (known === undefined || !this.#keepsUp(known.recording, changedAt)) continue;
      const { recording, thing } = known;
      const property = thing.propertyAt(this.#change.property);
      recording.track.changed?.(changedAt, thing, property, this.#change.value);
    }
  }

  /**
   * Has what was left out before told in the trace.
   *
   * @returns false if what comes now has to be left out, too
   */
  #keepsUp(recording: Recording, time: number): boolean {
    if (!this.#output.hasRoom) {
      recording.leftOut++;
      return false;
    }
    if (recording.leftOut === 0) return true;
    const { guest, track, leftOut } = recording;
    recording.leftOut = 0;
    this.#vcd.advance(time);
    this.#vcd.comment(`guest ${guest}: ${leftOut} events before this were left out`);
    track.gap(time);
    return true;
  }
}
