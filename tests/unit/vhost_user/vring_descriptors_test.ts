import { assertEquals, assertStrictEquals } from "@std/assert";
import { constants } from "node:os";
import { createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close, setNonBlocking } from "../../../ffi/fd.ts";
import { DELIVERED, Notifier } from "../../../lib/vhost_user/foreign_descriptor.ts";
import type { Scheduler } from "../../../lib/vhost_user/scheduler.ts";
import { OWED, VringDescriptors } from "../../../lib/vhost_user/vring_descriptors.ts";
import { takeCounter } from "../../support/driver_queue.ts";
import { socketPair } from "../../support/kernel_objects.ts";
import { blockingEventfd, fillCounter, statusFlags } from "../../support/stubborn.ts";

/** A copy for somebody who closes it. */
function copy(fd: number): number {
  return library.symbols.dup(fd);
}

const library = Deno.dlopen("libc.so.6", { dup: { parameters: ["i32"], result: "i32" } });

/** A ring's descriptors, and what has been asked of the event loop, in order. */
function descriptors(): { ring: VringDescriptors; asked: string[] } {
  const asked: string[] = [];
  const scheduler: Scheduler = {
    watch: () => void asked.push("watch"),
    unwatch: () => void asked.push("unwatch"),
    defer: () => void asked.push("defer"),
    attach: (_task, announced) => void asked.push(announced ? "attach" : "poll"),
    detach: () => void asked.push("detach"),
    isEnding: false,
  };
  const idle = { onEvents: () => {}, hasWork: () => false, serve: () => {} };
  return { ring: new VringDescriptors(scheduler, idle), asked };
}

Deno.test("V10 a ring is polled as long as it has no kick descriptor, and no longer", () => {
  const { ring, asked } = descriptors();
  ring.setKick(-1);
  assertEquals(asked.splice(0), ["detach", "poll"]);
  ring.setKick(createEventfd());
  assertEquals(asked.splice(0), ["detach", "watch", "attach"]);
  ring.dropKick();
  assertEquals(asked.splice(0), ["detach", "unwatch"]);
  ring.setKick(-1);
  ring.close();
  assertEquals(asked, ["detach", "poll", "detach"]);
});

Deno.test("a call is owed while there is no descriptor for it, once", () => {
  const { ring } = descriptors();
  assertStrictEquals(ring.callOwed(), DELIVERED);
  assertStrictEquals(ring.call(), OWED);
  assertStrictEquals(ring.callOwed(), DELIVERED);
  const call = createEventfd();
  ring.setCall(copy(call));
  assertStrictEquals(takeCounter(call), 0);
  assertStrictEquals(ring.callOwed(), DELIVERED);
  assertStrictEquals(ring.callOwed(), DELIVERED);
  assertStrictEquals(takeCounter(call), 1);
  ring.close();
  close(call);
});

for (
  const [what, make] of [["waits", blockingEventfd], ["does not wait", createEventfd]] as const
) {
  Deno.test(`V15 a full counter that ${what} tells already, and keeps its flags`, () => {
    const fd = make();
    const flags = statusFlags(fd);
    const notifier = new Notifier();
    notifier.set(copy(fd));
    assertStrictEquals(notifier.signal(), DELIVERED);
    assertStrictEquals(takeCounter(fd), 1);
    fillCounter(fd);
    assertStrictEquals(notifier.signal(), DELIVERED);
    assertStrictEquals(statusFlags(fd), flags);
    notifier.set(-1);
    close(fd);
  });
}

Deno.test("V15 a full socket tells already, and one without another end is an error", () => {
  const [here, there] = socketPair();
  const notifier = new Notifier();
  notifier.set(copy(there));
  const flags = statusFlags(there);
  assertStrictEquals(notifier.signal(), DELIVERED);
  assertStrictEquals(statusFlags(there), flags);
  setNonBlocking(there);
  while (signalEventfd(there) > 0);
  assertStrictEquals(notifier.signal(), DELIVERED);
  close(here);
  assertStrictEquals(notifier.signal(), constants.errno.EPIPE);
  notifier.set(-1);
  close(there);
});
