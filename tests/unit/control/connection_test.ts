import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { close } from "../../../ffi/fd.ts";
import { receiveBytes, sendBytes } from "../../../ffi/stream.ts";
import { ControlConnection } from "../../../lib/control/connection.ts";
import { MAX_LINE } from "../../../lib/control/protocol.ts";
import { EventLoop } from "../../../lib/daemon/event_loop.ts";
import { socketPair } from "../../support/kernel_objects.ts";

/** A connection, its client's end, and what came of it. */
function connected() {
  const loop = new EventLoop((error) => {
    throw error;
  });
  const [here, client] = socketPair();
  const lines: string[] = [];
  let hasEnded = false;
  const connection = new ControlConnection(here, loop, {
    onLine: (_, line) => lines.push(line),
    onEnd: () => hasEnded = true,
  });
  return {
    loop,
    client,
    connection,
    lines,
    get hasEnded() {
      return hasEnded;
    },
    [Symbol.dispose]() {
      connection.close();
      loop.close();
      close(client);
    },
  };
}

const encoder = new TextEncoder();

Deno.test("a line is the same in however many pieces it comes", () => {
  const text = `${"äöü".repeat(20)}\nsecond\n`;
  const bytes = encoder.encode(text);
  for (const size of [1, 2, 7, 64, 500]) {
    using it = connected();
    for (let at = 0; at < bytes.length; at += size) {
      sendBytes(it.client, bytes.slice(at, at + size));
      it.loop.turn(0);
    }
    assertEquals(it.lines, ["äöü".repeat(20), "second"]);
  }
});

Deno.test("a line that does not end ends the connection", () => {
  using it = connected();
  const piece = new Uint8Array(32768).fill(0x78);
  for (let sent = 0; sent < MAX_LINE; sent += piece.length) {
    assert(!it.hasEnded, `after ${sent} bytes`);
    assertStrictEquals(sendBytes(it.client, piece), piece.length);
    it.loop.turn(0);
  }
  sendBytes(it.client, piece);
  it.loop.turn(0);
  assert(it.hasEnded);
});

Deno.test("a line may be longer than all that is to wait for a client, which gets it whole", () => {
  using it = connected();
  const line = `${"x".repeat(20 << 20)}\n`;
  it.connection.send(line);
  it.connection.send("second\n");
  const buffer = new Uint8Array(1 << 20);
  let count = 0;
  while (!it.hasEnded && count < line.length + 7) {
    count += Math.max(0, receiveBytes(it.client, buffer));
    it.loop.turn(0);
  }
  assertStrictEquals(count, line.length + 7);
  assert(!it.hasEnded);
});

Deno.test("a client that reads nothing of all that it asks for is left", () => {
  using it = connected();
  const line = `${"x".repeat(1 << 20)}\n`;
  let count = 0;
  while (!it.hasEnded && count < 100) {
    it.connection.send(line);
    count++;
  }
  assert(it.hasEnded && count >= 16 && count < 24, `${count}`);
});
