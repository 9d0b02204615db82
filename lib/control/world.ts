/**
 * What clients of the control socket see and change, as the server has it.
 *
 * @module
 */

import type { Things } from "../simulation/thing.ts";
import type { ControlConnection } from "./connection.ts";
import type { GuestState } from "./protocol.ts";
import type { RemoteParts } from "./remote_parts.ts";
import type { Subscription } from "./subscription.ts";

/** A guest as it is listed. */
export interface GuestDescription {
  readonly guest: number;
  /** What it gets, for example `8 simulated lines`. */
  readonly title: string;
  /** Where its front-end connects. */
  readonly socket: string;
  readonly state: GuestState;
}

/** What clients can see and do. */
export interface ControlWorld {
  readonly program: string;
  readonly version: string;
  readonly things: Things;
  readonly remotes: RemoteParts;
  guests(): readonly GuestDescription[];
  /** Begins to tell a client of events, in place of what it was told before. */
  subscribe(subscription: Subscription): void;
  unsubscribe(connection: ControlConnection): void;
  /** Calls `action` once, after a time. */
  after(milliseconds: number, action: () => void): void;
}

/** How a method answers later: with what this returns, or the error that it throws. */
export type Reply = (result: () => unknown) => void;

/** Returned by a method that replies later. */
export const LATER = Symbol("later");
