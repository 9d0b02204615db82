import { assert, assertEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, O_WRONLY, open } from "../../../ffi/fd.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { EventWriter, makeEventRing } from "../../../lib/events/event_ring.ts";
import { type EventObserver, GuestEvents } from "../../../lib/events/guest_events.ts";
import { GPIO_INTERRUPT } from "../../../lib/events/kinds.ts";
import { Changes } from "../../../lib/simulation/changes.ts";
import type { Thing } from "../../../lib/simulation/thing.ts";
import { Recorder } from "../../../lib/trace/recorder.ts";
import type { Track } from "../../../lib/trace/track.ts";

/** A recorder that draws what comes from one guest, and what happens to one thing. */
class Recording implements Disposable {
  readonly changes: Changes;
  readonly writer: EventWriter;
  readonly events: GuestEvents;
  /** What was put off. */
  readonly later: (() => void)[] = [];
  readonly #loop = new EventLoop((error) => {
    throw error;
  });
  readonly #wake = createEventfd();
  readonly #output = open("/dev/null", O_WRONLY);
  readonly #recorder: Recorder;

  /**
   * @param first observes events, too, and is told of them before the recorder
   * @param drawn is told of each change and event when it is drawn
   */
  constructor(
    drawn: { change(value: number): void; event(first: number): void },
    first?: EventObserver,
  ) {
    const memory = new SharedArrayBuffer(Changes.SIZE);
    this.changes = new Changes(memory);
    const ring = makeEventRing(512, this.#wake);
    this.writer = new EventWriter(ring);
    const later = { after: (_: number, action: () => void) => void this.later.push(action) };
    this.events = new GuestEvents([ring], later, 1);
    if (first !== undefined) this.events.add(first);
    const thing = { number: 0, changes: memory, propertyAt: () => "value" } as unknown as Thing;
    const track: Track = {
      kinds: 1 << GPIO_INTERRUPT,
      things: [thing],
      declare() {},
      event(_, { first }) {
        drawn.event(first);
        return true;
      },
      changed: (_, _thing, _property, value) => drawn.change(value),
      gap() {},
    };
    const recorded = { program: "program", guests: [{ title: "guest" }], tracks: [track] };
    this.#recorder = new Recorder(
      this.#output,
      this.#loop,
      { ...recorded, events: this.events },
      () => {},
    );
  }

  interrupt(number: number): void {
    this.writer.write(GPIO_INTERRUPT, number, 0, 0, 0);
  }

  change(value: number): void {
    this.changes.tell(0, 0, value, 0, 0);
  }

  /** Lets the thread's loop turn once. */
  turn(): void {
    this.#loop.turn(0);
  }

  /** Does what was put off, until nothing is. */
  rest(): void {
    for (let action = this.later.shift(); action; action = this.later.shift()) action();
  }

  [Symbol.dispose](): void {
    this.#recorder.close();
    this.#loop.close();
    close(this.#output);
    close(this.#wake);
  }
}

Deno.test("changes that come as fast as they are drawn leave others their turn", () => {
  let drawn = 0;
  let goesOn = true;
  using it = new Recording({
    event() {},
    change() {
      drawn++;
      assert(drawn < 100_000, "nobody else has had a turn");
      if (goesOn) it.change(drawn);
    },
  });
  it.change(0);
  it.turn();
  it.later.shift()!();
  const first = drawn;
  assert(first > 0);
  it.later.shift()!();
  assert(drawn > first);
  goesOn = false;
});

Deno.test("a change is not drawn before an event that came while others were told", () => {
  const drawn: string[] = [];
  const late = {
    kinds: 0,
    dataLimit: 0,
    onEvent() {},
    onLeftOut() {},
    onDrained: () => {
      late.onDrained = () => {};
      it.interrupt(1);
      it.change(2);
    },
  };
  using it = new Recording({
    event: (first) => drawn.push(`event ${first}`),
    change: (value) => drawn.push(`change ${value}`),
  }, late);
  it.change(0);
  it.turn();
  it.rest();
  it.turn();
  it.rest();
  assertEquals(drawn, ["change 0", "event 1", "change 2"]);
});

Deno.test("a change is not drawn before an event for which there was no time", () => {
  const drawn: string[] = [];
  using it = new Recording({
    event: (first) => drawn.push(`event ${first}`),
    change: (value) => drawn.push(`change ${value}`),
  });
  it.interrupt(0);
  it.interrupt(1);
  it.change(2);
  it.events.drain(-1);
  assertEquals(drawn, ["event 0"]);
  it.rest();
  assertEquals(drawn, ["event 0", "event 1", "change 2"]);
});
