/**
 * Descriptors that are waited for beside everything else that Deno's event loop does.
 *
 * @module
 */

import { Epoll } from "../../../ffi/epoll.ts";

/** Called with the event bits that have come. */
export type Ready = (events: number) => void;

/** Waits for descriptors. */
export class Readiness {
  readonly #epoll = new Epoll();
  /** By token: a descriptor that is closed and given out anew has another one. */
  readonly #ready = new Map<number, Ready>();
  readonly #tokens = new Map<number, number>();
  #last = 0;

  /** Calls back for these events of a descriptor, until told otherwise. */
  watch(fd: number, events: number, ready: Ready): void {
    const token = ++this.#last;
    this.#epoll.add(fd, events, token);
    this.#tokens.set(fd, token);
    this.#ready.set(token, ready);
  }

  /** Must come before the descriptor is closed. */
  unwatch(fd: number): void {
    const token = this.#tokens.get(fd);
    if (token === undefined) return;
    this.#epoll.remove(fd);
    this.#tokens.delete(fd);
    this.#ready.delete(token);
  }

  /** Waits and calls back, for ever. */
  async run(): Promise<never> {
    for (;;) {
      // Nothing comes of a signal but another turn.
      const count = await this.#epoll.waitAside(-1);
      for (let index = 0; index < count; index++) {
        const token = this.#epoll.token(index);
        this.#ready.get(token)?.(this.#epoll.events(index));
      }
    }
  }
}
