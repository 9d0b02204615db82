import { assertEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { listenAt } from "../../../ffi/socket.ts";
import { ControlServer } from "../../../lib/control/server.ts";
import type { ControlWorld } from "../../../lib/control/world.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { withDescriptorLimit } from "../../support/descriptor_limit.ts";
import { RecordingLog } from "../../support/in_process.ts";
import { connectTo } from "../../support/kernel_objects.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { waitReadable } from "../../support/wait.ts";

/** A server of few clients, and a way to become one of them. */
function served(most: number) {
  const folder = new TemporaryFolder();
  const path = folder.file("control");
  const socket = listenAt(path);
  const log = new RecordingLog();
  const loop = new EventLoop((error) => {
    throw error;
  });
  const later: (() => void)[] = [];
  const world = {
    remotes: { onEnd() {} },
    unsubscribe() {},
    after: (_: number, action: () => void) => later.push(action),
  } as unknown as ControlWorld;
  const server = new ControlServer(socket, most, loop, world, log.logger);
  return {
    log,
    loop,
    later,
    connect: () => connectTo(path),
    [Symbol.dispose]() {
      server.close();
      for (const action of later) action();
      loop.close();
      close(socket);
      folder[Symbol.dispose]();
    },
  };
}

Deno.test("clients beyond the most that there can be are turned away", () => {
  using it = served(2);
  const clients = Array.from({ length: 3 }, () => {
    const client = it.connect();
    it.loop.turn(0);
    return client;
  });
  assertEquals(clients.map((client) => waitReadable(client, 0)), [false, false, true]);
  assertEquals(it.log.of("warn"), ["a control client is turned away: there are 2 already"]);
  for (const client of clients) close(client);
});

Deno.test("a client for whom there is no descriptor waits, and does not keep the thread busy", () => {
  using it = served(2);
  const client = it.connect();
  const limit = createEventfd();
  close(limit);
  withDescriptorLimit(limit, () => it.loop.turn(0));
  assertEquals(it.log.of("error"), [
    "a control client cannot be accepted yet: Too many open files",
  ]);
  assertEquals(it.loop.turn(0), 0);
  it.later.shift()!();
  assertEquals(it.loop.turn(0), 1);
  close(client);
});
