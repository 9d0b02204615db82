/**
 * A simulated chip in front of a guest: its lines, and what wakes the guest's thread for them.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { clearEventfd, createEventfd, signalEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import type { EdgeListener, GpioBackend } from "../backend.ts";
import { DIRECTION_IN, DIRECTION_OUT, IRQ_EDGE_BOTH } from "../protocol.ts";
import { LineLog } from "./line_log.ts";
import { FIRST_ROSE, IS_HIGH, Lines, type PoweredChip } from "./lines.ts";

/** Lines of a simulated chip, as their guest has them. */
export class SimulatedChip implements GpioBackend, EventHandler {
  readonly lineCount: number;
  readonly names: readonly string[];

  readonly #lines: Lines;
  readonly #log: Logger;
  /** By line, made when there is first something to say. */
  readonly #lineLogs: (LineLog | undefined)[] = [];
  readonly #waker = createEventfd();
  #poller: Poller | undefined;
  #listener: EdgeListener | undefined;

  constructor(chip: PoweredChip, log: Logger) {
    this.lineCount = chip.lines.length;
    this.names = chip.lines.map(({ name }) => name);
    this.#lines = new Lines(chip);
    this.#log = log;
  }

  attach(poller: Poller, listener: EdgeListener): void {
    this.#poller = poller;
    this.#listener = listener;
    poller.watch(this.#waker, EPOLLIN, this);
    this.#lines.wakeAt(this.#waker);
  }

  /** Somebody outside has given a line another level. */
  onEvents(_events: number): void {
    clearEventfd(this.#waker);
    this.#deliverEdges();
    // Who moves lines all the time does not keep the guest's thread for itself.
    if (this.#lines.pendingCount > 0) signalEventfd(this.#waker);
  }

  direction(line: number): number {
    return this.#lines.direction(line);
  }

  setDirection(line: number, direction: number, value: number): boolean {
    const lines = this.#lines;
    if (lines.direction(line) !== direction) this.#logOf(line).direction(direction);
    if (direction === DIRECTION_OUT && lines.level(line) !== value) this.#logOf(line).value(value);
    lines.setDirection(line, direction, value);
    this.#deliverEdges();
    return true;
  }

  value(line: number): number {
    return this.#lines.level(line);
  }

  setValue(line: number, value: number): boolean {
    if (this.#lines.driven(line) === value) return true;
    this.#logOf(line).value(value);
    this.#lines.setDriven(line, value);
    this.#deliverEdges();
    return true;
  }

  setEdges(line: number, edges: number): boolean {
    if (edges !== 0 && this.#lines.direction(line) !== DIRECTION_IN) return false;
    this.#lines.setEdges(line, edges);
    return true;
  }

  release(): void {
    this.#lines.release();
  }

  close(): void {
    this.#lines.wakeAt(-1);
    this.#poller?.unwatch(this.#waker);
    close(this.#waker);
  }

  #deliverEdges(): void {
    for (let left = this.#lines.pendingCount; left > 0; left--) {
      const taken = this.#lines.takeEdges();
      if (taken < 0) continue;
      const line = taken >> 4;
      const firstRose = (taken & FIRST_ROSE) !== 0;
      this.#listener?.onEdge(line, firstRose);
      if ((taken & IRQ_EDGE_BOTH) !== IRQ_EDGE_BOTH) continue;
      this.#listener?.onEdge(line, !firstRose);
      if (((taken & IS_HIGH) !== 0) === firstRose) this.#listener?.onEdge(line, firstRose);
    }
  }

  #logOf(line: number): LineLog {
    return this.#lineLogs[line] ??= new LineLog(this.#log, line, this.names[line]);
  }
}
