import { assert, assertEquals, assertMatch } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close, isOpen } from "../../../ffi/fd.ts";
import { listenAt } from "../../../ffi/socket.ts";
import { Acceptor } from "../../../lib/daemon/acceptor.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { connectTo } from "../../support/kernel_objects.ts";
import { withDescriptorLimit } from "../../support/descriptor_limit.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { fdCount, openFds } from "../../support/process_state.ts";
import { until, waitReadable } from "../../support/wait.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** An acceptor that keeps what it accepts. */
class Door implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly path = this.folder.file("socket");
  readonly log = new RecordingLog();
  readonly errors: unknown[] = [];
  readonly loop = new EventLoop((error) => this.errors.push(error));
  readonly accepted: number[] = [];
  readonly #socket = listenAt(this.path);
  readonly acceptor = new Acceptor(
    this.loop,
    { begin: (fd) => this.accepted.push(fd) },
    this.#socket,
    this.log.logger,
  );

  [Symbol.dispose](): void {
    this.acceptor.close();
    this.loop.close();
    for (const fd of [this.#socket, ...this.accepted]) close(fd);
    this.folder[Symbol.dispose]();
    assertEquals(this.errors, []);
  }
}

/** What the descriptor is that is kept for bad times: an acceptor has no other of its kind. */
const SPARE = "anon_inode:[eventfd]";

/** Its number. */
function spareOf(fdsBefore: Map<number, string>): number {
  const [spare] = [...openFds()].filter(([fd, what]) => what === SPARE && !fdsBefore.has(fd));
  return spare[0];
}

Deno.test("V13 where descriptors have run out, a front-end is turned away", () => {
  const before = openFds();
  using door = new Door();
  const spare = spareOf(before);
  const visitor = connectTo(door.path);
  const fds = fdCount();
  // The spare one's number is the only one to be had.
  const fillers: number[] = [];
  while (fillers.length === 0 || fillers[fillers.length - 1] < spare) fillers.push(createEventfd());
  withDescriptorLimit(spare + 1, () => door.loop.turn(0));
  assertEquals(door.log.of("error"), ["a front-end is turned away: Too many open files"]);
  assertEquals(door.accepted, []);
  assert(waitReadable(visitor, 0), "the front-end is not told");
  assertEquals(openFds().get(spare), SPARE);
  for (const fd of [visitor, ...fillers]) close(fd);
  assertEquals(fdCount(), fds - 1);
});

Deno.test("V13 a number that was given up is another's from then on, and never closed again", () => {
  const before = openFds();
  using door = new Door();
  const spare = spareOf(before);
  const visitor = connectTo(door.path);
  const fds = fdCount();
  // Neither a connection nor a new spare descriptor can be had now.
  withDescriptorLimit(0, () => assertEquals(door.loop.turn(0), 1));
  assertMatch(door.log.of("error")[0], /cannot be accepted yet: Too many open files/);
  assertEquals(fdCount(), fds - 1);
  const other = createEventfd();
  assertEquals(other, spare);
  withDescriptorLimit(0, () => {
    // The front-end waits, and so does the loop, until it is time to try again.
    assertEquals(door.loop.turn(0), 0);
    until("another try", () => door.loop.turn(10) > 0);
    assertEquals(door.loop.turn(0), 1);
    assertEquals(door.log.of("error").length, 2);
  });
  assert(isOpen(other));
  until("the front-end is accepted", () => door.loop.turn(10) > 0 && door.accepted.length > 0);
  assertEquals(door.accepted.length, 1);
  assert(isOpen(other));
  for (const fd of [other, visitor]) close(fd);
});
