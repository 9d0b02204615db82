/**
 * A guest's turn on the bus: waiting for it, a transfer, a chip that stays selected for the rest of
 * its message, and the end of it.
 *
 * The protocol does not say where a message of several transfers ends. Whether a chip stays
 * selected between two transfers is therefore for the back-end to judge; here it is seen to that no
 * chip is left selected for ever.
 *
 * @module
 */

import { EPOLLIN } from "../../ffi/epoll.ts";
import { Timer } from "../../ffi/timerfd.ts";
import type { EventHandler, Poller } from "../virtio/device.ts";
import { DONE, type Progress, type SpiBackend, type TransferData, UNFINISHED } from "./backend.ts";
import { RESERVATION } from "../threads/bus.ts";
import type { Transfer } from "./protocol.ts";

/** Up to this time a transfer's end is waited for in place, in milliseconds. */
const SPIN_LIMIT = 0.05;

/** The guest does not use the bus. */
const IDLE = 0;
/**
 * Another guest has the bus, and a wake-up tells of its end; where it is free but kept for another
 * guest, the timer is set for the time after which it no longer is.
 */
const WAITING = 1;
/** A part of a transfer is done; the timer only lets others have their turn in the event loop. */
const TRANSFERRING = 2;
/** All of it is done; the timer is set for the end of its time on the wire. */
const ENDING = 3;
/** A chip is selected; the timer is set for the longest wait for what follows. */
const SELECTED = 4;

type State =
  | typeof IDLE
  | typeof WAITING
  | typeof TRANSFERRING
  | typeof ENDING
  | typeof SELECTED;

/** Whose turn it is. */
export interface TurnOwner {
  /** The bus that {@linkcode BusTurn.take} could not have is this guest's. */
  busTaken(): void;
  /** The transfer that {@linkcode BusTurn.run} began is over. */
  transferOver(): void;
  /** The chip that a transfer had left selected is not any more. */
  chipReleased(): void;
}

/** One guest's turns. */
export class BusTurn implements EventHandler {
  readonly #backend: SpiBackend;
  readonly #longestTurn: number;
  readonly #owner: TurnOwner;
  readonly #timer = new Timer();
  #poller: Poller | undefined;
  #state: State = IDLE;
  #succeeded = false;
  #transfer: Transfer | undefined;

  /**
   * @param longestTurn after which a message is over, whatever its chip waits for, where another
   * guest waits for the bus; in milliseconds
   */
  constructor(backend: SpiBackend, longestTurn: number, owner: TurnOwner) {
    this.#backend = backend;
    this.#longestTurn = longestTurn;
    this.#owner = owner;
  }

  attach(poller: Poller): void {
    this.#poller = poller;
    poller.watch(this.#timer.fd, EPOLLIN, this);
    poller.watch(this.#backend.bus.wakeFd, EPOLLIN, { onEvents: () => this.#awake() });
  }

  /** True while a transfer is under way. */
  get transferring(): boolean {
    return this.#state === TRANSFERRING || this.#state === ENDING;
  }

  /** True if the last transfer went well. */
  get succeeded(): boolean {
    return this.#succeeded;
  }

  /**
   * Makes the bus this guest's, with no chip selected but one that `transfer` goes on with.
   *
   * @returns false if another guest has it; {@linkcode TurnOwner.busTaken} comes later
   */
  take(transfer: Transfer): boolean {
    const { bus } = this.#backend;
    if (!bus.isMine) return this.#claim();
    this.#leave();
    // It has only just become this guest's: who gives way now waits for those who give way, too.
    if (!this.#backend.selected) return true;
    const overdue = bus.isWanted && bus.held > this.#longestTurn;
    if (!overdue && this.#backend.continues(transfer)) return true;
    this.#deselect();
    if (!bus.isWanted) return true;
    bus.release();
    return this.#claim();
  }

  /**
   * Carries out a transfer; the bus has to be this guest's.
   *
   * @returns false if it takes longer; {@linkcode TurnOwner.transferOver} comes later
   */
  run(transfer: Transfer, data: TransferData): boolean {
    this.#transfer = transfer;
    return this.#advance(this.#backend.run(transfer, data));
  }

  /**
   * Carries out what is left of the transfer under way, here and now.
   *
   * @param goesOn is asked between its parts; once false, the transfer has failed
   */
  finish(goesOn: () => boolean): void {
    if (this.#state === TRANSFERRING) {
      let progress: Progress = UNFINISHED;
      while (progress === UNFINISHED && goesOn()) progress = this.#backend.proceed();
      this.#succeeded = progress === DONE;
    }
    this.#leave();
  }

  /** After a transfer: the chip stays selected for the rest of its message, or the turn ends. */
  endTransfer(): void {
    if (this.#backend.selected) this.#enter(SELECTED, this.#backend.wait);
    else this.end();
  }

  /** Ends the turn, whatever it is at: no chip is selected, and other guests may have the bus. */
  end(): void {
    this.#leave();
    const { bus } = this.#backend;
    if (bus.isMine && this.#backend.selected) this.#deselect();
    bus.release();
  }

  close(): void {
    this.end();
    this.#poller?.unwatch(this.#timer.fd);
    this.#poller?.unwatch(this.#backend.bus.wakeFd);
    this.#timer.close();
  }

  /** The time is up for whatever the timer was set for. */
  onEvents(_events: number): void {
    // Set anew in the meantime, the timer has nothing to tell.
    if (!this.#timer.clear()) return;
    const state = this.#state;
    this.#state = IDLE;
    switch (state) {
      case WAITING:
        if (this.#claim(true)) this.#owner.busTaken();
        return;
      case TRANSFERRING:
        if (this.#advance(this.#backend.proceed())) this.#owner.transferOver();
        return;
      case ENDING:
        return this.#owner.transferOver();
      case SELECTED:
        return this.#messageTimedOut();
    }
  }

  /** Another guest has given the bus back. */
  #awake(): void {
    this.#backend.bus.clearWake();
    if (this.#state !== WAITING) return;
    this.#leave();
    if (this.#claim()) this.#owner.busTaken();
  }

  #claim(anyway = false): boolean {
    const { bus } = this.#backend;
    if (bus.claim(anyway)) return true;
    this.#state = WAITING;
    if (bus.isFree) this.#timer.arm(RESERVATION);
    return false;
  }

  /** @returns true if the transfer is over */
  #advance(progress: Progress): boolean {
    if (progress === UNFINISHED) {
      this.#enter(TRANSFERRING, 0);
      return false;
    }
    this.#succeeded = progress === DONE;
    if (!this.#succeeded) return true;
    const duration = this.#backend.duration(this.#transfer!);
    if (duration > SPIN_LIMIT) {
      this.#enter(ENDING, duration);
      return false;
    }
    if (duration > 0) spin(duration);
    return true;
  }

  #messageTimedOut(): void {
    const { patient, bus, wait } = this.#backend;
    if (patient && !bus.isWanted) this.#enter(SELECTED, wait);
    else this.end();
  }

  #deselect(): void {
    this.#backend.deselect();
    this.#owner.chipReleased();
  }

  #enter(state: State, milliseconds: number): void {
    this.#state = state;
    this.#timer.arm(milliseconds);
  }

  #leave(): void {
    if (this.#state === IDLE) return;
    this.#state = IDLE;
    this.#timer.disarm();
  }
}

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
