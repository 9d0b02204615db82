/**
 * A GPIO daemon with one line, an input that the test moves: a FIFO is its lever, and the level
 * changes with each byte. Run as a program of its own; each thread runs this module, too.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd } from "../../ffi/eventfd.ts";
import { close, O_NONBLOCK, O_RDWR, open } from "../../ffi/fd.ts";
import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { runDaemon } from "../../lib/daemon/main.ts";
import type { EdgeListener, GpioBackend } from "../../lib/gpio/backend.ts";
import { GpioDevice } from "../../lib/gpio/device.ts";
import { DIRECTION_NONE } from "../../lib/gpio/protocol.ts";
import type { EventHandler, Poller } from "../../lib/virtio/device.ts";

class Lever implements GpioBackend, EventHandler {
  readonly lineCount = 1;
  readonly names = ["lever"];
  readonly #fifo: number;
  readonly #log: Logger;
  #listener: EdgeListener | undefined;
  #direction = DIRECTION_NONE;
  #level = 0;
  #edges = 0;

  constructor(path: string, log: Logger) {
    this.#fifo = open(path, O_RDWR | O_NONBLOCK);
    this.#log = log;
  }

  attach(poller: Poller, listener: EdgeListener): void {
    this.#listener = listener;
    poller.watch(this.#fifo, EPOLLIN, this);
  }

  onEvents(): void {
    clearEventfd(this.#fifo);
    this.#level ^= 1;
    const rising = this.#level === 1;
    if (this.#edges & (rising ? 1 : 2)) this.#listener?.onEdge(0, rising);
    this.#log.info(`the lever is at ${this.#level}`);
  }

  direction(): number {
    return this.#direction;
  }

  setDirection(_line: number, direction: number): boolean {
    this.#direction = direction;
    return true;
  }

  value(): number {
    return this.#level;
  }

  setValue(): boolean {
    return false;
  }

  setEdges(_line: number, edges: number): boolean {
    this.#edges = edges;
    return true;
  }

  release(): void {
    this.#direction = DIRECTION_NONE;
    this.#edges = 0;
  }

  close(): void {
    close(this.#fifo);
  }
}

const lever: DeviceKind<string> = {
  program: "vhost-device-lever",
  type: "gpio",
  summary: "has a lever",
  options: [{ name: "fifo", value: "PATH", help: "the lever" }],
  configKeys: [],
  examples: [],
  plan: ({ options }) => [{ settings: String(options.fifo), title: "a lever" }],
  create: (path, log) => new GpioDevice(new Lever(path, log)),
  list: () => [],
};

await runDaemon(lever, import.meta.url);
