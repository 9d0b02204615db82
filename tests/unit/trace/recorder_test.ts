import { assert } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, O_WRONLY, open } from "../../../ffi/fd.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { makeEventRing } from "../../../lib/events/event_ring.ts";
import { GuestEvents } from "../../../lib/events/guest_events.ts";
import { Changes } from "../../../lib/simulation/changes.ts";
import type { Thing } from "../../../lib/simulation/thing.ts";
import { Recorder } from "../../../lib/trace/recorder.ts";

Deno.test("changes that come as fast as they are drawn leave others their turn", () => {
  const memory = new SharedArrayBuffer(Changes.SIZE);
  const changes = new Changes(memory);
  const thing = { number: 0, changes: memory, propertyAt: () => "value" } as unknown as Thing;
  let drawn = 0;
  let goesOn = true;
  const track = {
    kinds: 0,
    things: [thing],
    declare() {},
    event: () => true,
    changed() {
      drawn++;
      assert(drawn < 100_000, "nobody else has had a turn");
      if (goesOn) changes.tell(0, 0, drawn, 0, 0);
    },
    gap() {},
  };
  const wake = createEventfd();
  const output = open("/dev/null", O_WRONLY);
  const loop = new EventLoop((error) => {
    throw error;
  });
  const later: (() => void)[] = [];
  const ring = makeEventRing(512, wake);
  const events = new GuestEvents([ring], { after: (_, action) => later.push(action) }, 1);
  const recorded = { program: "program", guests: [{ title: "guest" }], tracks: [track], events };
  const recorder = new Recorder(output, loop, recorded, () => {});
  changes.tell(0, 0, 0, 0, 0);
  loop.turn(0);
  later.shift()!();
  const first = drawn;
  assert(first > 0);
  later.shift()!();
  assert(drawn > first);
  goesOn = false;
  recorder.close();
  loop.close();
  close(output);
  close(wake);
});
