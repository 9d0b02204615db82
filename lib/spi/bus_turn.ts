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
import type { SpiBackend, TransferData } from "./backend.ts";
import type { Transfer } from "./protocol.ts";

/** Up to this time a transfer's end is waited for in place, in milliseconds. */
const SPIN_LIMIT = 0.05;
/** When a bus that another guest has is asked for again, in milliseconds. */
const CLAIM_INTERVAL = 0.2;

/** The guest does not use the bus. */
const IDLE = 0;
/** Another guest has the bus; the timer is set for asking again. */
const WAITING = 1;
/** A transfer is under way; the timer is set for its end. */
const TRANSFERRING = 2;
/** A chip is selected; the timer is set for the longest wait for what follows. */
const SELECTED = 3;

type State = typeof IDLE | typeof WAITING | typeof TRANSFERRING | typeof SELECTED;

/** Whose turn it is. */
export interface TurnOwner {
  /** The bus that {@linkcode BusTurn.take} could not have may be free. */
  busFree(): void;
  /** The transfer that {@linkcode BusTurn.run} began is over. */
  transferOver(): void;
}

/** One guest's turns. */
export class BusTurn implements EventHandler {
  readonly #backend: SpiBackend;
  readonly #messageTimeout: number;
  readonly #owner: TurnOwner;
  readonly #timer = new Timer();
  #poller: Poller | undefined;
  #state: State = IDLE;
  #succeeded = false;

  /**
   * @param messageTimeout how long a chip stays selected for the rest of a message, in milliseconds
   */
  constructor(backend: SpiBackend, messageTimeout: number, owner: TurnOwner) {
    this.#backend = backend;
    this.#messageTimeout = messageTimeout;
    this.#owner = owner;
  }

  attach(poller: Poller): void {
    this.#poller = poller;
    poller.watch(this.#timer.fd, EPOLLIN, this);
  }

  /** True while a transfer is under way. */
  get transferring(): boolean {
    return this.#state === TRANSFERRING;
  }

  /** True if the last transfer went well. */
  get succeeded(): boolean {
    return this.#succeeded;
  }

  /**
   * Makes the bus this guest's, with no chip selected but one that `transfer` goes on with.
   *
   * @returns false if another guest has it; {@linkcode TurnOwner.busFree} comes later
   */
  take(transfer: Transfer): boolean {
    if (this.#claim(transfer)) return true;
    this.#enter(WAITING, CLAIM_INTERVAL);
    return false;
  }

  /**
   * Carries out a transfer; the bus has to be this guest's.
   *
   * @returns false if it takes longer; {@linkcode TurnOwner.transferOver} comes later
   */
  run(transfer: Transfer, data: TransferData): boolean {
    this.#succeeded = this.#backend.run(transfer, data);
    const duration = this.#succeeded ? this.#backend.duration(transfer) : 0;
    if (duration > SPIN_LIMIT) {
      this.#enter(TRANSFERRING, duration);
      return false;
    }
    if (duration > 0) spin(duration);
    return true;
  }

  /** After a transfer: the chip stays selected for the rest of its message, or the turn ends. */
  endTransfer(): void {
    if (this.#backend.selected && this.#messageTimeout > 0) {
      this.#enter(SELECTED, this.#messageTimeout);
    } else {
      this.end();
    }
  }

  /** Ends the turn, whatever it is at: no chip is selected, and other guests may have the bus. */
  end(): void {
    this.#leave();
    const { bus } = this.#backend;
    if (bus.isMine && this.#backend.selected) this.#backend.deselect();
    bus.release();
  }

  close(): void {
    this.end();
    this.#poller?.unwatch(this.#timer.fd);
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
        return this.#owner.busFree();
      case TRANSFERRING:
        return this.#owner.transferOver();
      case SELECTED:
        return this.#messageTimedOut();
    }
  }

  #claim(transfer: Transfer): boolean {
    const { bus } = this.#backend;
    if (!bus.isMine) return bus.claim();
    this.#leave();
    if (!this.#backend.selected || this.#backend.continues(transfer)) return true;
    this.#backend.deselect();
    if (!bus.isWanted) return true;
    bus.release();
    return bus.claim();
  }

  #messageTimedOut(): void {
    const { patient, bus } = this.#backend;
    if (patient && !bus.isWanted) this.#enter(SELECTED, this.#messageTimeout);
    else this.end();
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
