import { assert, assertEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import type { ControlConnection } from "../../../lib/control/connection.ts";
import { Observer } from "../../../lib/control/observer.ts";
import { Subscription } from "../../../lib/control/subscription.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { makeEventRing } from "../../../lib/events/event_ring.ts";
import { GuestEvents } from "../../../lib/events/guest_events.ts";
import { Changes } from "../../../lib/simulation/changes.ts";
import { type Thing, Things } from "../../../lib/simulation/thing.ts";

const NUMBER = 3;

/** One who observes a thing whose only property is its value, and what a client of it is told. */
function observed() {
  const memory = new SharedArrayBuffer(Changes.SIZE);
  const thing = {
    number: NUMBER,
    name: "lid",
    guests: [0],
    changes: memory,
    propertyAt: (place: number) => ["value"][place],
    changedTo: (_property: string, value: number) => value,
  } as unknown as Thing;
  const errors: unknown[] = [];
  const loop = new EventLoop((error) => errors.push(error));
  const wake = createEventfd();
  const observer = new Observer(loop, {
    program: "program",
    version: "1",
    things: new Things([thing]),
    guests: [{ title: "guest", socket: "socket" }],
    events: new GuestEvents([makeEventRing(512, wake)], loop, 0),
  });
  const told: { name: string; value: number }[] = [];
  const client = {
    hasRoom: true,
    onTold: () => {},
    send(line: string) {
      told.push(JSON.parse(line).params);
      this.onTold();
    },
  };
  const connection = client as unknown as ControlConnection;
  observer.subscribe(new Subscription(connection, undefined, false));
  return {
    changes: new Changes(memory),
    client,
    errors,
    loop,
    told,
    [Symbol.dispose]() {
      observer.unsubscribe(connection);
      observer.close();
      loop.close();
      close(wake);
    },
  };
}

Deno.test("changes that come as fast as they are told leave others their turn", () => {
  using it = observed();
  const { client, changes, loop, told } = it;
  client.onTold = () => {
    assert(told.length < 100_000, "nobody else has had a turn");
    changes.tell(NUMBER, 0, told.length, 0, 0);
  };
  changes.tell(NUMBER, 0, 0, 0, 0);
  loop.turn(0);
  const first = told.length;
  assert(first > 0);
  loop.turn(0);
  assert(told.length > first);
  client.onTold = () => {};
  while (loop.turn(0) > 0);
  assertEquals(told.map(({ value }) => value), told.map((_, value) => value));
});

Deno.test("a change of a property that is no more is not told of, those after it are", () => {
  using it = observed();
  const { changes, errors, loop, told } = it;
  changes.tell(NUMBER, 1, 5, 0, 0);
  changes.tell(NUMBER, 0, 6, 0, 0);
  loop.turn(0);
  changes.tell(NUMBER, 0, 7, 0, 0);
  loop.turn(0);
  assertEquals(told.map(({ name, value }) => [name, value]), [["lid", 6], ["lid", 7]]);
  assertEquals(errors, []);
});

Deno.test("after a mistake of ours those who observe are told of what comes", () => {
  using it = observed();
  const { client, changes, errors, loop, told } = it;
  const mistake = new Error("a mistake");
  client.onTold = () => {
    throw mistake;
  };
  changes.tell(NUMBER, 0, 1, 0, 0);
  loop.turn(0);
  client.onTold = () => {};
  changes.tell(NUMBER, 0, 2, 0, 0);
  loop.turn(0);
  assertEquals(told.map(({ value }) => value), [1, 2]);
  assertEquals(errors, [mistake]);
});
