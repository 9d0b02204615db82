/**
 * Watches descriptors while Deno's event loop goes on.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../../ffi/epoll.ts";
import { createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { readable } from "../../../ffi/poll.ts";

/** Tells of descriptors that can be read. */
export class Reactor {
  readonly #epoll = new Epoll();
  readonly #wake = createEventfd();
  readonly #handlers = new Map<number, () => void>();
  #turns: Promise<void> | undefined;
  #isOpen = true;

  constructor() {
    this.#epoll.add(this.#wake, EPOLLIN, this.#wake);
  }

  /** Calls the handler whenever `fd` can be read, or its other end has gone. */
  watch(fd: number, handler: () => void): void {
    this.#handlers.set(fd, handler);
    this.#epoll.add(fd, EPOLLIN, fd);
    this.#turns ??= this.#turn();
  }

  /** Has to come before `fd` is closed. */
  unwatch(fd: number): void {
    if (this.#handlers.delete(fd)) this.#epoll.remove(fd);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    signalEventfd(this.#wake);
    await this.#turns;
    this.#epoll.close();
    close(this.#wake);
  }

  async #turn(): Promise<void> {
    while (this.#isOpen) {
      await readable(this.#epoll.fd, -1);
      const count = this.#epoll.wait(0);
      for (let index = 0; index < count; index++) {
        // One handler may end what another one is for.
        this.#handlers.get(this.#epoll.token(index))?.();
      }
    }
  }
}
