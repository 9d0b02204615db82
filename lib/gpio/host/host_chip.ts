/**
 * Lines of a real chip, for one guest.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { ENODEV, SystemError } from "../../../ffi/errno.ts";
import { EdgeEvents, GpioChip } from "../../../ffi/libgpiod.ts";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { Timer } from "../../../ffi/timerfd.ts";
import { RuntimeError } from "../../errors.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import type { EdgeListener, GpioBackend } from "../backend.ts";
import { chipTitle, openChip } from "./find_chips.ts";
import { HostLine, type LineHost } from "./host_line.ts";
import { LineStates, type WatchedChip } from "./line_state.ts";
import { dutyAtEnd } from "./settings.ts";
import { DIRECTION_NONE } from "../protocol.ts";

/** As many events as the kernel keeps for a line. */
const EVENTS_PER_LINE = 16;
/** How often a chip that has gone is looked for, in milliseconds. */
const SEARCH_INTERVAL = 250;

/**
 * A chip that consists of some lines of one of the host's, in an order of its own.
 *
 * A line is requested when the guest first needs it and released when the guest has no more use
 * for it. When the host's chip goes away, every request fails until it is back, which is looked for
 * whenever the guest tries again, and four times a second. The lines are then what they were.
 */
export class HostChip implements GpioBackend, LineHost, EventHandler {
  readonly lineCount: number;
  readonly names: readonly string[];
  readonly duty: string | undefined;
  readonly events = new EdgeEvents(EVENTS_PER_LINE);
  readonly log: Logger;
  readonly states: LineStates;

  readonly #settings: WatchedChip;
  readonly #lines: readonly HostLine[];
  /** Runs while something of what the lines are to be is missing. */
  readonly #timer: Timer;
  readonly #search: EventHandler = { onEvents: () => this.#tick() };
  #chip: GpioChip | undefined;
  #poller: Poller | undefined;
  #listener: EdgeListener | undefined;

  /** @throws {RuntimeError} if the chip cannot be opened, or is not the one that it was */
  constructor(settings: WatchedChip, log: Logger) {
    this.lineCount = settings.lines.length;
    this.names = settings.lines.map(({ name }) => name);
    this.duty = dutyAtEnd(settings.lines);
    this.log = log;
    this.states = new LineStates(settings);
    this.#settings = settings;
    this.#lines = settings.lines.map((line, number) => new HostLine(this, number, line));
    this.#chip = openChip(settings.path);
    if (!this.#isSame(this.#chip)) {
      this.#chip.close();
      throw new RuntimeError(`${settings.path} is no longer ${chipTitle(settings)}; start again`);
    }
    this.#timer = new Timer();
  }

  get poller(): Poller {
    if (this.#poller === undefined) throw new Error("the chip is not attached");
    return this.#poller;
  }

  get listener(): EdgeListener {
    if (this.#listener === undefined) throw new Error("the chip is not attached");
    return this.#listener;
  }

  attach(poller: Poller, listener: EdgeListener): void {
    this.#poller = poller;
    this.#listener = listener;
    poller.watch(this.#timer.fd, EPOLLIN, this.#search);
    this.#watch();
  }

  direction(line: number): number {
    return this.#lines[line].direction();
  }

  setDirection(line: number, direction: number, value: number): boolean {
    if (direction !== DIRECTION_NONE) return this.#lines[line].take(direction, value);
    this.#lines[line].giveBack();
    return true;
  }

  value(line: number): number {
    return this.#lines[line].value();
  }

  setValue(line: number, value: number): boolean {
    return this.#lines[line].drive(value);
  }

  setEdges(line: number, edges: number): boolean {
    return this.#lines[line].watch(edges);
  }

  release(): void {
    for (const line of this.#lines) line.leave();
  }

  close(): void {
    for (const line of this.#lines) line.drop();
    this.#poller?.unwatch(this.#timer.fd);
    this.#timer.close();
    if (this.#chip === undefined) return;
    this.#poller?.unwatch(this.#chip.fd);
    this.#chip.close();
    this.#chip = undefined;
  }

  get isThere(): boolean {
    return this.#chip !== undefined;
  }

  /** The host's chip; opened again where it has gone and come back. */
  chip(): GpioChip | undefined {
    if (this.#chip !== undefined) return this.#chip;
    let chip: GpioChip;
    try {
      chip = new GpioChip(this.#settings.path);
    } catch {
      return undefined;
    }
    if (!this.#isSame(chip)) {
      chip.close();
      return undefined;
    }
    this.#chip = chip;
    this.#watch();
    this.log.info(`GPIO chip ${chipTitle(this.#settings)} is back`);
    this.#restore();
    return this.#chip;
  }

  suspect(): void {
    try {
      this.#chip?.info();
    } catch (error) {
      if (error instanceof SystemError && error.errno === ENODEV) this.#gone();
    }
  }

  /** The chip's descriptor reports nothing but that the chip has gone. */
  onEvents(_events: number): void {
    this.#gone();
  }

  #watch(): void {
    if (this.#chip !== undefined) this.#poller?.watch(this.#chip.fd, 0, this);
  }

  #tick(): void {
    this.#timer.clear();
    if (this.#chip !== undefined) this.#restore();
    else if (this.chip() === undefined) this.#timer.arm(SEARCH_INTERVAL);
  }

  /** Makes the lines what they are to be; what cannot be had now is tried again later. */
  #restore(): void {
    let complete = true;
    for (const line of this.#lines) complete = line.restore() && complete;
    if (!complete) this.#timer.arm(SEARCH_INTERVAL);
  }

  #gone(): void {
    const chip = this.#chip;
    if (chip === undefined) return;
    this.#poller?.unwatch(chip.fd);
    this.#chip = undefined;
    for (const line of this.#lines) line.lose();
    chip.close();
    this.#timer.arm(SEARCH_INTERVAL);
    this.log.error(
      `GPIO chip ${
        chipTitle(this.#settings)
      } has gone: requests for its lines fail until it is back`,
    );
  }

  #isSame(chip: GpioChip): boolean {
    const { label } = this.#settings;
    const highest = Math.max(...this.#settings.lines.map(({ offset }) => offset));
    try {
      const info = chip.info();
      return info.label === label && info.lineCount > highest;
    } catch {
      return false;
    }
  }
}
