/**
 * The event loop of one worker: a blocking epoll_wait(2), and what it calls.
 *
 * @module
 */

import { Epoll } from "../../ffi/epoll.ts";
import { EINTR, errno, SystemError } from "../../ffi/errno.ts";
import type { Scheduler, Task } from "../vhost_user/scheduler.ts";
import type { EventHandler } from "../virtio/device.ts";

/** How often rings without a kick descriptor are looked at, in milliseconds. */
const POLL_INTERVAL = 1;

/** Calls handlers as their descriptors become ready, until it is stopped. */
export class EventLoop implements Scheduler {
  readonly #epoll = new Epoll();
  /** By descriptor. An event of a batch is dropped where its descriptor is no longer here. */
  readonly #handlers: (EventHandler | undefined)[] = [];
  /** Those that have to be asked for work. */
  readonly #silent: Task[] = [];
  /** Those and the ones whose work is announced. */
  readonly #tasks: Task[] = [];
  #deferred: Task[] = [];
  #serving: Task[] = [];
  #stopped = false;

  /**
   * @param onError is told of whatever a handler throws; a handler must not end the loop
   * @param spin how long to look for work before the thread sleeps, in microseconds
   */
  constructor(
    readonly onError: (error: unknown) => void,
    readonly spin = 0,
  ) {}

  watch(fd: number, events: number, handler: EventHandler): void {
    this.#epoll.add(fd, events, fd);
    this.#handlers[fd] = handler;
  }

  unwatch(fd: number): void {
    if (this.#handlers[fd] === undefined) return;
    this.#epoll.remove(fd);
    this.#handlers[fd] = undefined;
  }

  defer(task: Task): void {
    if (!this.#deferred.includes(task)) this.#deferred.push(task);
  }

  attach(task: Task, announced: boolean): void {
    this.detach(task);
    this.#tasks.push(task);
    if (!announced) this.#silent.push(task);
  }

  detach(task: Task): void {
    for (const list of [this.#tasks, this.#silent]) {
      const index = list.indexOf(task);
      if (index >= 0) list.splice(index, 1);
    }
  }

  /** Makes {@linkcode run} return after the events at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Runs until {@linkcode stop}.
   *
   * @throws {SystemError} if epoll_wait(2) fails
   */
  run(): void {
    while (!this.#stopped) this.turn(this.#timeout());
  }

  /**
   * One round: waits for events, calls their handlers, then serves what they have put off.
   *
   * @param timeout in milliseconds; -1 waits without a limit
   * @returns how many handlers and tasks have been called
   * @throws {SystemError} if epoll_wait(2) fails
   */
  turn(timeout: number): number {
    const count = this.#epoll.wait(timeout);
    if (count < 0 && errno() !== EINTR) throw new SystemError("epoll_wait", errno());
    let called = 0;
    for (let index = 0; index < count; index++) {
      // A handler may have closed this descriptor, and the number may stand for a new one by
      // now: that one then sees an event too many, which every handler takes in its stride.
      const handler = this.#handlers[this.#epoll.token(index)];
      if (handler === undefined) continue;
      called++;
      try {
        handler.onEvents(this.#epoll.events(index));
      } catch (error) {
        this.onError(error);
      }
    }
    if (this.#deferred.length > 0) called += this.#serveDeferred();
    for (let index = 0; index < this.#silent.length; index++) {
      called += this.#serve(this.#silent[index]);
    }
    return called;
  }

  /** Ends the loop for good; nothing can be watched any more. */
  close(): void {
    this.#epoll.close();
  }

  #timeout(): number {
    if (this.#deferred.length > 0) return 0;
    if (this.spin > 0 && this.#spin()) return 0;
    return this.#silent.length > 0 ? POLL_INTERVAL : -1;
  }

  /** Looks for work for a while; defers what it finds. */
  #spin(): boolean {
    const end = performance.now() + this.spin / 1000;
    do {
      for (let index = 0; index < this.#tasks.length; index++) {
        const task = this.#tasks[index];
        if (!task.hasWork()) continue;
        this.defer(task);
        return true;
      }
    } while (performance.now() < end);
    return false;
  }

  #serveDeferred(): number {
    const tasks = this.#deferred;
    this.#deferred = this.#serving;
    this.#serving = tasks;
    let called = 0;
    for (let index = 0; index < tasks.length; index++) called += this.#serve(tasks[index]);
    tasks.length = 0;
    return called;
  }

  /** @returns 1 if there was something to do, otherwise 0 */
  #serve(task: Task): number {
    try {
      if (!task.hasWork()) return 0;
      task.serve();
    } catch (error) {
      this.onError(error);
    }
    return 1;
  }
}
