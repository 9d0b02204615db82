/**
 * A thread that is one client of a control socket, and sets a line again and again.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../ffi/epoll.ts";
import { close } from "../../ffi/fd.ts";
import { connectTo } from "../../ffi/socket.ts";
import { receiveBytes, sendBytes } from "../../ffi/stream.ts";
import { stayOn } from "../support/processors.ts";

/** What the thread is told. */
export interface ControlLoadStart {
  /** The control socket. */
  readonly path: string;
  readonly line: string;
  /** How many sets a second; as many as are answered if it is infinite. */
  readonly rate: number;
  readonly processor: number;
  /** Two words: one that is not 0 once it is to end, and how many sets have been answered. */
  readonly shared: SharedArrayBuffer;
}

/** Requests that are sent together. */
const BATCH = 10;
/** So many requests may be under way. */
const WINDOW = 200;
const NEWLINE = 10;

function load({ path, line, rate, processor, shared }: ControlLoadStart): void {
  using _place = stayOn(processor);
  const words = new Int32Array(shared);
  const fd = connectTo(path);
  const epoll = new Epoll();
  epoll.add(fd, EPOLLIN, 0);
  const requests = Array.from(
    { length: BATCH },
    (_, id) =>
      JSON.stringify({ jsonrpc: "2.0", id, method: "set", params: { values: { [line]: id % 2 } } }),
  );
  const batch = new TextEncoder().encode(`${requests.join("\n")}\n`);
  const replies = new Uint8Array(65536);
  const begin = performance.now();
  let sent = 0, answered = 0;
  while (Atomics.load(words, 0) === 0) {
    const due = Math.min(sent + WINDOW, (performance.now() - begin) / 1000 * rate);
    while (sent < due && sent - answered < WINDOW) {
      if (sendBytes(fd, batch) !== batch.length) throw new Error("the daemon does not read");
      sent += BATCH;
    }
    epoll.wait(1);
    for (let count; (count = receiveBytes(fd, replies)) > 0;) {
      for (let at = 0; at < count; at++) if (replies[at] === NEWLINE) answered++;
    }
    Atomics.store(words, 1, answered);
  }
  epoll.close();
  close(fd);
}

self.onmessage = ({ data }: MessageEvent<ControlLoadStart>) => {
  self.postMessage("begins");
  load(data);
  self.postMessage("ended");
  self.close();
};
