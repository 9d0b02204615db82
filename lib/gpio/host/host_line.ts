/**
 * One line of a real chip, as one guest has it: taken and given back, read and driven, watched.
 *
 * Every line has a request of its own, so that what happens to one leaves the others alone. Where
 * a line stays taken, it is changed by reconfiguring the request, which leaves no moment in which
 * it is nobody's.
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
import type { HostLineSettings } from "./settings.ts";
import { DIRECTION_IN, DIRECTION_NONE, DIRECTION_OUT, directionName } from "../protocol.ts";

/** Whom others see as the user of a line. */
export const CONSUMER = "vhost-device-gpio";

/** By mask of rising (1) and falling (2). */
const EDGES = ["none", "rising", "falling", "both"] as const;

/** What a line needs of its chip. */
export interface LineHost {
  readonly poller: Poller;
  readonly listener: EdgeListener;
  readonly events: EdgeEvents;
  readonly log: Logger;
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
  /** The line is an input only for the interrupt that is enabled. */
  #implied = false;
  /** The request drives the safe state, for nobody. */
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
    if (this.#direction !== DIRECTION_NONE) return this.#direction;
    const info = this.#info();
    if (info === undefined) return -1;
    return info.direction === "output" ? DIRECTION_OUT : DIRECTION_IN;
  }

  /** Takes the line for the guest, or changes its direction. */
  take(direction: number, value: number): boolean {
    this.#implied = false;
    if (direction === this.#direction) return direction === DIRECTION_IN || this.drive(value);
    const { access, bias, drive, activeLow } = this.#settings;
    const output = direction === DIRECTION_OUT;
    if (output ? access === "input" || access === "read-only" : access === "output") {
      return this.#complain(`may not be an ${directionName(direction)} by its 'access: ${access}'`);
    }
    let settings: LineSettings = { direction: "input", bias, activeLow };
    if (output) settings = { direction: "output", value, bias, drive, activeLow };
    if (access === "read-only") {
      if (this.#info()?.direction === "output") {
        return this.#complain("may not be an input: it is an output, and 'access: read-only'");
      }
      settings = { direction: "as-is", activeLow };
    }
    if (!this.#configure(settings)) return false;
    this.#direction = direction;
    this.#parked = false;
    const { log } = this.#host;
    log.debug(`${this.#title}: ${output ? `output, driving ${value}` : "input"}`);
    return true;
  }

  /** The line's level: 0, 1, or -1. A line that nobody has is taken as it is, to look at it. */
  value(): number {
    if (this.#request === undefined && !this.#look()) return -1;
    const value = this.#request?.value() ?? -1;
    if (value < 0) this.#host.suspect();
    return value;
  }

  /** Sets what an output drives. One that is an output of the host's becomes the guest's. */
  drive(value: number): boolean {
    if (this.#direction !== DIRECTION_OUT) return this.take(DIRECTION_OUT, value);
    if (this.#request?.setValue(value) === 0) return true;
    this.#host.suspect();
    return false;
  }

  /** Watches for these edges (a mask), or for none. */
  watch(edges: number): boolean {
    if (edges === this.#edges) return true;
    if (edges === 0) {
      if (this.#implied) this.giveBack();
      else this.#unwatch();
      return true;
    }
    if (this.#direction === DIRECTION_OUT || this.#settings.access === "output") {
      return this.#complain("may not have an interrupt: that is for inputs");
    }
    const { bias, activeLow } = this.#settings;
    const settings = { direction: "input", edges: EDGES[edges], bias, activeLow } as const;
    // Linux enables the interrupt of a line that it uses for nothing else without more ado.
    const implied = this.#direction === DIRECTION_NONE;
    if (implied && !this.take(DIRECTION_IN, 0)) return false;
    if (!this.#configure(settings) || this.#request === undefined) {
      if (implied) this.giveBack();
      return false;
    }
    this.#implied ||= implied;
    if (!this.#nonBlocking) this.#nonBlocking = setNonBlocking(this.#request.fd);
    if (this.#edges === 0) this.#host.poller.watch(this.#request.fd, EPOLLIN, this);
    this.#edges = edges;
    return true;
  }

  onEvents(events: number): void {
    if (events & EPOLLIN) this.#readEdges();
    else if (events & (EPOLLERR | EPOLLHUP)) this.#host.suspect();
  }

  /** The guest has no more use for the line: it is given back, or parked in its safe state. */
  giveBack(): void {
    const { safe } = this.#settings;
    if (this.#direction === DIRECTION_OUT && safe !== undefined) {
      const { log } = this.#host;
      if (safe === "keep" || this.drive(safe)) log.debug(`${this.#title}: safe state ${safe}`);
      else log.error(`${this.#title} could not be set to its safe state ${safe}`);
      this.#parked = this.#request !== undefined;
    }
    this.#direction = DIRECTION_NONE;
    this.#implied = false;
    if (!this.#parked) this.drop();
  }

  /** The guest has gone. */
  leave(): void {
    this.giveBack();
    this.#complaints.clear();
  }

  /** Gives the line back to the host, whatever state it is in. */
  drop(): void {
    if (this.#edges !== 0 && this.#request) this.#host.poller.unwatch(this.#request.fd);
    if (this.#sequence > 0) {
      this.#host.log.debug(
        `${this.#title}: ${this.#sequence} edges, ${this.#read} of them read`,
      );
    }
    this.#request?.release();
    this.#request = undefined;
    this.#direction = DIRECTION_NONE;
    this.#implied = this.#parked = this.#nonBlocking = false;
    this.#edges = this.#sequence = this.#read = 0;
  }

  #unwatch(): void {
    const { bias, activeLow } = this.#settings;
    if (this.#request) this.#host.poller.unwatch(this.#request.fd);
    this.#edges = 0;
    this.#configure({ direction: "input", bias, activeLow });
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
    const { events, listener } = this.#host;
    for (let index = 0; index < count; index++) {
      listener.onEdge(this.#number, events.isRising(index));
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

  /** Takes the line as it is, where the guest may see what it is. */
  #look(): boolean {
    const { access, activeLow } = this.#settings;
    if (access === "output" && this.#info()?.direction !== "output") {
      return this.#complain("may not be read: it is an input, and 'access: output'");
    }
    return this.#configure({ direction: "as-is", activeLow });
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
    if (this.#host.chip() === undefined) return false;
    if (error.errno !== EBUSY) return this.#complain(`is refused by the host: ${error.message}`);
    const consumer = this.#info()?.consumer || "the kernel";
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
