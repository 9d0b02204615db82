/**
 * One line of a real chip, as one guest has it: taken and given back, read and driven, watched.
 *
 * Every line has a request of its own, so that what happens to one leaves the others alone. Where
 * a line stays taken, it is changed by reconfiguring the request, which leaves no moment in which
 * it is nobody's. What the line is to be outlives the request: when a chip has gone and come back,
 * it is made that again.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLERR, EPOLLHUP, EPOLLIN } from "../../../ffi/epoll.ts";
import { EAGAIN, EBUSY, EINTR, errno, SystemError } from "../../../ffi/errno.ts";
import { setNonBlocking } from "../../../ffi/fd.ts";
import type {
  EdgeEvents,
  GpioChip,
  LineInfo,
  LineRequest,
  LineSettings,
} from "../../../ffi/libgpiod.ts";
import type { EventHandler, Poller } from "../../virtio/device.ts";
import type { EdgeListener } from "../backend.ts";
import { objection, type Use } from "./access.ts";
import type { LineStates } from "./line_state.ts";
import type { HostLineSettings } from "./settings.ts";
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT } from "../protocol.ts";

/** Whom others see as the user of a line. */
const CONSUMER = "vhost-device-gpio";

/** By mask of rising (1) and falling (2). */
const EDGES = ["none", "rising", "falling", "both"] as const;

/** Stands for a level that is not known. */
const UNKNOWN = -1;

/** What a line needs of its chip. */
export interface LineHost {
  readonly poller: Poller;
  readonly listener: EdgeListener;
  readonly events: EdgeEvents;
  readonly log: Logger;
  /** What is known of the lines, for those who watch. */
  readonly states: LineStates;
  /** True if the chip was there when it was last looked at. */
  readonly isThere: boolean;
  /** The chip, or `undefined` while it is not there. */
  chip(): GpioChip | undefined;
  /** Something has failed in a way that makes it worth looking whether the chip is still there. */
  suspect(): void;
}

/** A line of a guest's chip. */
export class HostLine implements EventHandler {
  readonly #host: LineHost;
  readonly #number: number;
  readonly #settings: HostLineSettings;
  readonly #title: string;
  #request: LineRequest | undefined;
  /** What the guest has made of the line. A request without it is there to look, or parked. */
  #direction = DIRECTION_NONE;
  /** What an output drives, the guest's or a parked one. */
  #value = 0;
  /** The line drives its safe state, for nobody. */
  #parked = false;
  #edges = 0;
  #nonBlocking = false;
  /** What has been complained about: a guest that tries again and again must not fill the log. */
  readonly #complaints = new Set<string>();
  /** The one of them that has its end when the line is free. */
  #busy = "";
  /** Edge events of this request: the number of the last one, and how many have been read. */
  #sequence = 0;
  #read = 0;

  /** @param number of the line on the guest's chip */
  constructor(host: LineHost, number: number, settings: HostLineSettings) {
    this.#host = host;
    this.#number = number;
    this.#settings = settings;
    const { name, offset } = settings;
    this.#title = `line ${number}${name === "" ? "" : ` "${name}"`} (the host's ${offset})`;
  }

  /** The direction that the guest has chosen, or else the one that the host has; -1 if unknown. */
  direction(): number {
    if (this.#host.chip() === undefined) return -1;
    if (this.#direction !== DIRECTION_NONE) return this.#direction;
    const info = this.#info();
    if (info === undefined) return -1;
    return info.direction === "output" ? DIRECTION_OUT : DIRECTION_IN;
  }

  /** Takes the line for the guest, or changes its direction. */
  take(direction: number, value: number): boolean {
    const output = direction === DIRECTION_OUT;
    if (direction === this.#direction && this.#request !== undefined) {
      return !output || this.drive(value);
    }
    if (this.#objects(output ? "output" : "input")) return false;
    const { access } = this.#settings;
    const taken = access === "read-only"
      ? this.#isFree()
      : this.#configure(output ? this.#output(value) : this.#input(this.#edges));
    if (!taken) return false;
    this.#setDirection(direction);
    if (output) this.#value = value;
    this.#host.states.setValue(this.#number, output ? value : UNKNOWN);
    if (!output) this.#lookForOthers();
    this.#parked = false;
    this.#host.log.debug(`${this.#title}: ${output ? `output, driving ${value}` : "input"}`);
    return true;
  }

  /** The line's level: 0, 1, or -1. A line that nobody has is taken as it is, to look at it. */
  value(): number {
    if (this.#request === undefined && !this.#takeToRead()) return -1;
    const value = this.#request?.value() ?? -1;
    if (value < 0) this.#host.suspect();
    else this.#host.states.setValue(this.#number, value);
    return value;
  }

  /** Sets what an output drives. One that is an output of the host's becomes the guest's. */
  drive(value: number): boolean {
    if (this.#direction !== DIRECTION_OUT || this.#request === undefined) {
      return this.take(DIRECTION_OUT, value);
    }
    if (this.#request.setValue(value) === 0) {
      this.#value = value;
      this.#host.states.setValue(this.#number, value);
      return true;
    }
    this.#host.suspect();
    return false;
  }

  /** Watches for these edges (a mask), or for none. A line that is not taken is, for as long. */
  watch(edges: number): boolean {
    if (edges === this.#edges) return true;
    if (edges === 0) {
      this.#unwatch();
      return true;
    }
    if (this.#direction === DIRECTION_OUT) {
      return this.#complain("may not have an interrupt: that is for inputs");
    }
    if (this.#objects("interrupt") || !this.#arm(edges)) return false;
    this.#parked = false;
    return true;
  }

  onEvents(events: number): void {
    if (events & EPOLLIN) this.#readEdges();
    else if (events & (EPOLLERR | EPOLLHUP)) this.#host.suspect();
  }

  /** The guest has no more use for the line: it is given back, or parked in its safe state. */
  giveBack(): void {
    const { safe } = this.#settings;
    const driven = this.#direction === DIRECTION_OUT;
    this.#setDirection(DIRECTION_NONE);
    if (driven && safe !== undefined) this.#park(safe === "keep" ? this.#value : safe);
    if (!this.#parked && this.#edges === 0) this.drop();
  }

  /** The guest has gone. */
  leave(): void {
    if (this.#edges !== 0) this.#unwatch();
    this.giveBack();
    this.#complaints.clear();
  }

  /** Gives the line back to the host, whatever state it is in. */
  drop(): void {
    this.lose();
    this.#setDirection(DIRECTION_NONE);
    this.#parked = false;
    this.#setEdges(0);
  }

  /** The request is worth nothing any more; what the line is to be is not forgotten. */
  lose(): void {
    if (this.#edges !== 0 && this.#request) this.#host.poller.unwatch(this.#request.fd);
    if (this.#sequence > 0) {
      this.#host.log.debug(
        `${this.#title}: ${this.#sequence} edges, ${this.#read} of them read`,
      );
    }
    this.#request?.release();
    this.#request = undefined;
    this.#host.states.setValue(this.#number, UNKNOWN);
    this.#nonBlocking = false;
    this.#sequence = this.#read = 0;
  }

  /**
   * Makes the line again what it was before its request was lost.
   *
   * @returns false if that has to be tried again
   */
  restore(): boolean {
    if (this.#request !== undefined) return true;
    if (this.#parked) {
      if (this.#configure(this.#output(this.#value))) return true;
      return this.#complain(`cannot be set to its safe state ${this.#value}`);
    }
    if (this.#direction === DIRECTION_OUT) return this.#configure(this.#output(this.#value));
    if (this.#edges !== 0) {
      const edges = this.#edges;
      this.#edges = 0;
      const watched = !this.#objects("interrupt") && this.#arm(edges);
      if (!watched && !this.#host.isThere) {
        this.#edges = edges;
        return false;
      }
      this.#host.listener.onInterruption(this.#number, watched);
    }
    if (this.#direction === DIRECTION_NONE || this.#request !== undefined) return true;
    return this.#settings.access === "read-only" || this.#configure(this.#input(0));
  }

  /** Whoever watches the line wants to know its level, where it can be had without taking it. */
  #lookForOthers(): void {
    if (this.#request !== undefined && this.#host.states.isHeard) this.value();
  }

  #setDirection(direction: number): void {
    this.#direction = direction;
    this.#host.states.setDirection(this.#number, direction);
  }

  #setEdges(edges: number): void {
    this.#edges = edges;
    this.#host.states.setEdges(this.#number, edges);
  }

  #park(value: number): void {
    const { log } = this.#host;
    this.#value = value;
    this.#parked = true;
    if (!this.#host.isThere) return;
    const done = this.#request === undefined
      ? this.#configure(this.#output(value))
      : this.#request.setValue(value) === 0;
    if (done) {
      this.#host.states.setValue(this.#number, value);
      log.debug(`${this.#title}: safe state ${value}`);
    } else log.error(`${this.#title} could not be set to its safe state ${value}`);
  }

  #arm(edges: number): boolean {
    if (!this.#configure(this.#input(edges)) || this.#request === undefined) return false;
    if (!this.#nonBlocking) this.#nonBlocking = setNonBlocking(this.#request.fd);
    if (this.#edges === 0) this.#host.poller.watch(this.#request.fd, EPOLLIN, this);
    this.#setEdges(edges);
    this.#lookForOthers();
    return true;
  }

  #unwatch(): void {
    if (this.#request) this.#host.poller.unwatch(this.#request.fd);
    this.#setEdges(0);
    if (this.#direction === DIRECTION_NONE) {
      this.drop();
      return;
    }
    if (this.#request === undefined) return;
    this.#configure(this.#input(0));
    // What is still in the kernel's buffer must not be taken for something new later.
    this.#fetch();
  }

  #readEdges(): void {
    const count = this.#fetch();
    if (count < 0) {
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) this.#host.suspect();
      return;
    }
    const { events, listener, states } = this.#host;
    for (let index = 0; index < count; index++) {
      const rising = events.isRising(index);
      states.setValue(this.#number, rising ? 1 : 0);
      listener.onEdge(this.#number, rising);
    }
  }

  /**
   * Reads the events that there are: the kernel keeps the newest 16 of a line, and as many fit.
   *
   * @returns how many, or -1 with errno
   */
  #fetch(): number {
    const { events } = this.#host;
    const count = this.#request !== undefined && this.#nonBlocking
      ? this.#request.readEdges(events)
      : 0;
    if (count > 0) {
      this.#sequence = events.sequence(count - 1);
      this.#read += count;
    }
    return count;
  }

  /** Takes a line to read it: as it is, where the guest has not said what it is to be. */
  #takeToRead(): boolean {
    if (this.#parked) return this.restore();
    const { access, activeLow } = this.#settings;
    if (this.#direction !== DIRECTION_NONE && access !== "read-only") {
      const output = this.#direction === DIRECTION_OUT;
      return this.#configure(output ? this.#output(this.#value) : this.#input(0));
    }
    if (this.#objects("level") || (access === "read-only" && !this.#isFree())) return false;
    return this.#configure({ direction: "as-is", activeLow });
  }

  #input(edges: number): LineSettings {
    const { bias, activeLow } = this.#settings;
    if (edges === 0) return { direction: "input", bias, activeLow };
    return { direction: "input", edges: EDGES[edges], bias, activeLow };
  }

  #output(value: number): LineSettings {
    const { bias, drive, activeLow } = this.#settings;
    return { direction: "output", value, bias, drive, activeLow };
  }

  /** True if something speaks against a use of the line. */
  #objects(use: Use): boolean {
    const why = objection(this.#settings.access, use, () => this.#info());
    if (why !== undefined) this.#complain(why);
    return why !== undefined;
  }

  /** True if the line is there and nobody else has it; asked without taking it. */
  #isFree(): boolean {
    const info = this.#info();
    if (info === undefined) return false;
    return !info.used || this.#request !== undefined || this.#complainBusy(info);
  }

  #configure(settings: LineSettings): boolean {
    const chip = this.#host.chip();
    if (chip === undefined) return false;
    try {
      if (this.#request !== undefined) this.#request.reconfigure(settings);
      else this.#request = chip.request(this.#settings.offset, settings, CONSUMER);
    } catch (error) {
      return this.#refused(error);
    }
    this.#complaints.delete(this.#busy);
    return true;
  }

  #refused(error: unknown): boolean {
    if (!(error instanceof SystemError)) throw error;
    this.#host.suspect();
    if (!this.#host.isThere) return false;
    if (error.errno !== EBUSY) return this.#complain(`is refused by the host: ${error.message}`);
    return this.#complainBusy(this.#info());
  }

  #complainBusy(info: LineInfo | undefined): false {
    const consumer = info?.consumer || "the kernel";
    this.#busy = `is in use by "${consumer}" on the host; requests fail until it is free`;
    return this.#complain(this.#busy);
  }

  #complain(what: string): false {
    if (!this.#complaints.has(what)) this.#host.log.warn(`${this.#title} ${what}`);
    this.#complaints.add(what);
    return false;
  }

  #info(): LineInfo | undefined {
    try {
      return this.#host.chip()?.lineInfo(this.#settings.offset);
    } catch {
      this.#host.suspect();
      return undefined;
    }
  }
}
