/**
 * Lines of a real chip, for one guest.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { ENODEV, SystemError } from "../../../ffi/errno.ts";
import { EdgeEvents, GpioChip } from "../../../ffi/libgpiod.ts";
import { RuntimeError } from "../../errors.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import type { EdgeListener, GpioBackend } from "../backend.ts";
import { chipTitle, openChip } from "./find_chips.ts";
import { HostLine, type LineHost } from "./host_line.ts";
import { dutyAtEnd, type HostSettings } from "./settings.ts";
import { DIRECTION_NONE } from "../protocol.ts";

/** As many events as the kernel keeps for a line. */
const EVENTS_PER_LINE = 16;

/**
 * A chip that consists of some lines of one of the host's, in an order of its own.
 *
 * A line is requested when the guest first needs it and released when the guest has no more use
 * for it. When the host's chip goes away, every request fails until it is back: that is looked for
 * whenever the guest tries again.
 */
export class HostChip implements GpioBackend, LineHost, EventHandler {
  readonly lineCount: number;
  readonly names: readonly string[];
  readonly duty: string | undefined;
  readonly events = new EdgeEvents(EVENTS_PER_LINE);
  readonly log: Logger;

  readonly #settings: HostSettings;
  readonly #lines: readonly HostLine[];
  #chip: GpioChip | undefined;
  #poller: Poller | undefined;
  #listener: EdgeListener | undefined;

  /** @throws {RuntimeError} if the chip cannot be opened, or is not the one that it was */
  constructor(settings: HostSettings, log: Logger) {
    this.lineCount = settings.lines.length;
    this.names = settings.lines.map(({ name }) => name);
    this.duty = dutyAtEnd(settings.lines);
    this.log = log;
    this.#settings = settings;
    this.#lines = settings.lines.map((line, number) => new HostLine(this, number, line));
    this.#chip = openChip(settings.path);
    if (!this.#isSame(this.#chip)) {
      this.#chip.close();
      throw new RuntimeError(`${settings.path} is no longer ${chipTitle(settings)}; start again`);
    }
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
    if (this.#chip === undefined) return;
    this.#poller?.unwatch(this.#chip.fd);
    this.#chip.close();
    this.#chip = undefined;
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
    return chip;
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

  #gone(): void {
    const chip = this.#chip;
    if (chip === undefined) return;
    this.#poller?.unwatch(chip.fd);
    this.#chip = undefined;
    for (const line of this.#lines) line.drop();
    chip.close();
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
