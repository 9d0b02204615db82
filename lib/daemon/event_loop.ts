/**
 * The event loop of one worker: a blocking epoll_wait(2), and what it calls.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../ffi/epoll.ts";
import { EINTR, errno, SystemError } from "../../ffi/errno.ts";
import { isReadable } from "../../ffi/fd.ts";
import type { Scheduler, Task } from "../vhost_user/scheduler.ts";
import type { EventHandler } from "../virtio/device.ts";

/** How often rings without a kick descriptor are looked at, in milliseconds. */
const POLL_INTERVAL = 1;
/** How often a thread that looks for work without sleeping looks at descriptors, in milliseconds. */
const LOOK_INTERVAL = 0.02;
/**
 * The same while it finds work again and again: a look takes as long as a request, and at most a few
 * in a thousand requests are to wait for one.
 */
const BUSY_LOOK_INTERVAL = 0.25;
/** Work was found so recently that more of it is likely, in milliseconds. */
const RECENTLY = 0.005;

/** Something to be done at a time, on the clock of `performance.now()`. */
interface Timer {
  readonly due: number;
  readonly action: () => void;
}

/** Calls handlers as their descriptors become ready, until it is stopped. */
export class EventLoop implements Scheduler {
  readonly #epoll = new Epoll();
  /** By descriptor. An event of a batch is dropped where its descriptor is no longer here. */
  readonly #handlers: (EventHandler | undefined)[] = [];
  /** By descriptor, the round in which it was handed to the handler. */
  readonly #since: number[] = [];
  #round = 0;
  /** Those that have to be asked for work. */
  readonly #silent: Task[] = [];
  /** Those and the ones whose work is announced. */
  readonly #tasks: Task[] = [];
  #deferred: Task[] = [];
  #serving: Task[] = [];
  /** The next one first. */
  readonly #timers: Timer[] = [];
  /** Is called each time that there is nothing left to do at once. */
  onIdle: () => void = () => {};
  /** When descriptors were looked at without sleeping, and when work was found. */
  #lastLook = 0;
  #lastFind = 0;
  /** The descriptor that ends it, or -1. */
  #end = -1;
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
    this.#since[fd] = this.#round;
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

  /** Calls `action` once, this many milliseconds from now or a little later. */
  after(milliseconds: number, action: () => void): void {
    const due = performance.now() + milliseconds;
    const later = this.#timers.findIndex((timer) => timer.due > due);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, { due, action });
  }

  get isEnding(): boolean {
    return this.#stopped || (this.#end >= 0 && isReadable(this.#end));
  }

  /** Makes {@linkcode run} return once `fd` is readable. */
  endWith(fd: number): void {
    this.#end = fd;
    this.watch(fd, EPOLLIN, { onEvents: () => this.stop() });
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
    while (!this.#stopped) this.#handle(this.#await());
  }

  /**
   * One round: waits for events, calls their handlers, then serves what they have put off.
   *
   * @param timeout in milliseconds; -1 waits without a limit
   * @returns how many handlers and tasks have been called
   * @throws {SystemError} if epoll_wait(2) fails
   */
  turn(timeout: number): number {
    return this.#handle(this.#wait(timeout));
  }

  /** Ends the loop for good: nothing is watched any more, and the epoll's number another's soon. */
  close(): void {
    this.#handlers.length = 0;
    this.#epoll.close();
  }

  /** @returns how many events there are after that time */
  #wait(timeout: number): number {
    const count = this.#epoll.wait(timeout);
    if (count >= 0) return count;
    if (errno() !== EINTR) throw new SystemError("epoll_wait", errno());
    return 0;
  }

  /** Waits as long as there is nothing to do. */
  #await(): number {
    if (this.#deferred.length > 0) return this.#wait(0);
    if (this.spin > 0) {
      const count = this.#spin();
      if (count >= 0) return count;
    }
    this.onIdle();
    return this.#stopped ? 0 : this.#wait(this.#timeout());
  }

  /** How long there is nothing to do unless something happens. */
  #timeout(): number {
    const silent = this.#silent.length > 0 ? POLL_INTERVAL : -1;
    if (this.#timers.length === 0) return silent;
    const due = Math.max(0, Math.ceil(this.#timers[0].due - performance.now()));
    return silent < 0 ? due : Math.min(silent, due);
  }

  /**
   * Looks for work without sleeping, and defers what it finds.
   *
   * @returns how many events there are, or -1 if there was nothing at all for that time
   */
  #spin(): number {
    const end = performance.now() + this.spin / 1000;
    for (;;) {
      const found = this.#findWork();
      const now = performance.now();
      if (found) this.#lastFind = now;
      const isBusy = now - this.#lastFind < RECENTLY;
      if (now - this.#lastLook >= (isBusy ? BUSY_LOOK_INTERVAL : LOOK_INTERVAL)) {
        this.#lastLook = now;
        const count = this.#wait(0);
        if (count > 0) return count;
      }
      if (found || this.#isDue(now)) return 0;
      if (now >= end) return -1;
    }
  }

  #findWork(): boolean {
    for (let index = 0; index < this.#tasks.length; index++) {
      const task = this.#tasks[index];
      if (!task.hasWork()) continue;
      this.defer(task);
      return true;
    }
    return false;
  }

  /** @returns how many handlers and tasks have been called */
  #handle(count: number): number {
    let called = 0;
    this.#round++;
    for (let index = 0; index < count; index++) {
      const fd = this.#epoll.token(index);
      const handler = this.#handlers[fd];
      // A handler may have closed this descriptor, and the number stand for a new one by now: what
      // that one has to tell comes with the next wait.
      if (handler === undefined || this.#since[fd] === this.#round) continue;
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
    if (this.#timers.length > 0) called += this.#serveTimers();
    return called;
  }

  #isDue(now: number): boolean {
    return this.#timers.length > 0 && this.#timers[0].due <= now;
  }

  #serveTimers(): number {
    const now = performance.now();
    let called = 0;
    while (this.#isDue(now)) {
      const timer = this.#timers.shift();
      called++;
      try {
        timer?.action();
      } catch (error) {
        this.onError(error);
      }
    }
    return called;
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
