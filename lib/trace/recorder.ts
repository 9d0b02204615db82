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
import { EVENT_DATA, GUEST, GUEST_READY } from "../events/kinds.ts";
import { CAPACITY, type ChangeListener, Changes, emptyChange } from "../simulation/changes.ts";
import type { Thing } from "../simulation/thing.ts";
import type { Poller } from "../virtio/device.ts";
import { type OutputListener, TraceOutput } from "./trace_output.ts";
import type { Track } from "./track.ts";
import { type Counter, VcdWriter, type Wire } from "./vcd.ts";

/** How long what is left is drawn at the end, in milliseconds. */
const LAST_TURN = 500;

/** The most changes of properties that are drawn in one go: all that can wait, and the one at hand. */
const TURN = CAPACITY + 1;

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
  /** Events that were left out, and how many of them the trace has told of. */
  leftOut = 0;
  told = 0;
  /** Events that were left out, too, it is not known before which others. */
  unplaced = 0;
  isReady = false;

  /** @param ready 1 while a driver is served */
  constructor(readonly track: Track, readonly ready: Wire, readonly counter: Counter) {}
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
  readonly #change = emptyChange();
  /** There is no time to draw anything more. */
  #isLate = false;
  /** The change at hand has not been drawn yet. */
  #isPending = false;
  /** Changes before this one are older than events that are told next time. */
  #end = 0;

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
    this.#kinds = tracks.reduce((kinds, track) => kinds | track.kinds, 1 << GUEST);
    const date = new Date(this.#start).toISOString();
    this.#vcd = new VcdWriter((bytes) => this.#output.write(bytes), date, program);
    guests.forEach(({ title }, guest) => this.#vcd.comment(`guest ${guest}: ${title}`));
    this.#listen(tracks);
    this.#recordings = tracks.map((track, guest) => {
      const name = (wire: string) => tracks.length === 1 ? wire : `${guest}/${wire}`;
      this.#vcd.enterScope(`guest${guest}`);
      track.declare(this.#vcd, name);
      const ready = this.#vcd.wire(name("ready"), 0);
      const recording = new Recording(track, ready, this.#vcd.counter(name("left_out")));
      this.#vcd.leaveScope();
      for (const thing of track.things ?? []) this.#things.set(thing.number, { recording, thing });
      return recording;
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
    if (this.#isLate) {
      this.#recordings[guest].leftOut++;
      return;
    }
    const time = this.#sinceStart(this.#events.timeOrigin + event.time);
    this.#drawChanges(time);
    const recording = this.#recordings[guest];
    recording.leftOut += event.skipped;
    recording.unplaced -= event.skipped;
    if (!this.#keepsUp(recording, time)) return;
    if (event.kind === GUEST) {
      const isReady = event.first === GUEST_READY;
      if (isReady === recording.isReady) return;
      recording.isReady = isReady;
      this.#vcd.change(time, recording.ready, isReady ? 1 : 0);
    } else if (!recording.track.event(time, event)) recording.leftOut++;
  }

  onLeftOut(guest: number, count: number): void {
    this.#recordings[guest].unplaced += count;
  }

  onDrain(): void {
    this.#end = this.#listener?.end ?? 0;
  }

  onDrained(isAll: boolean): void {
    if (!this.#output.isOpen) return;
    if (isAll) this.#drawChanges(Infinity, this.#end);
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

  /** Draws what is left, as far as there is time, and says how much is not. */
  close(): void {
    this.#events.drain(LAST_TURN);
    this.#isLate = true;
    this.#events.drain(LAST_TURN);
    const time = this.#sinceStart(performance.timeOrigin + performance.now());
    for (const recording of this.#recordings) {
      recording.leftOut += recording.unplaced;
      if (this.#output.isOpen) this.#keepsUp(recording, time);
    }
    this.#vcd.advance(time);
    const leftOut = this.#recordings.reduce((sum, recording) => sum + recording.leftOut, 0);
    if (leftOut > 0) this.#vcd.comment(`${leftOut} events were left out in all`);
    this.#vcd.flush();
    this.#stopListening();
    close(this.#changed);
  }

  #sinceStart(milliseconds: number): number {
    return Math.max(0, (milliseconds - this.#start) * 1e6);
  }

  /** Is told of what changes from now on. */
  #listen(tracks: readonly Track[]): void {
    const [thing] = tracks.flatMap(({ things = [] }) => things);
    if (thing === undefined) return;
    this.#poller.watch(this.#changed, EPOLLIN, {
      onEvents: () => {
        clearEventfd(this.#changed);
        this.#events.soon();
      },
    });
    this.#listener = new Changes(thing.changes).listen(this.#changed);
  }

  #stopListening(): void {
    if (this.#listener === undefined) return;
    this.#listener.close();
    this.#listener = undefined;
    this.#poller.unwatch(this.#changed);
  }

  /** Draws the changes of properties up to that time, and before the one of that number. */
  #drawChanges(time: number, end = Infinity): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    for (let count = 0; count < TURN; count++) {
      this.#isPending ||= listener.next(this.#change);
      if (!this.#isPending) return;
      const changedAt = this.#sinceStart(this.#change.time);
      if (changedAt > time) return;
      if (this.#change.sequence >= end) break;
      this.#isPending = false;
      if (listener.missed > 0) {
        for (const recording of this.#recordings) recording.leftOut += listener.missed;
        listener.missed = 0;
      }
      const known = this.#things.get(this.#change.thing);
      if (known === undefined || !this.#keepsUp(known.recording, changedAt)) continue;
      const { recording, thing } = known;
      const property = thing.propertyAt(this.#change.property);
      if (property === undefined) continue;
      recording.track.changed?.(changedAt, thing, property, this.#change.value);
    }
    // They come faster than they are drawn: others get their turn, and events that are older.
    this.#events.soon();
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
    if (recording.leftOut === recording.told) return true;
    recording.told = recording.leftOut;
    this.#vcd.count(time, recording.counter, recording.leftOut);
    recording.track.gap(time);
    return true;
  }
}
