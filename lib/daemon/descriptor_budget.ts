/**
 * Who may have how many file descriptors: the process's are shared out so that no guest's front-end
 * can take those of another, nor control clients those of guests.
 *
 * @module
 */

import { MAX_MESSAGE_FDS } from "../../ffi/socket.ts";
import { RuntimeError } from "../errors.ts";

/** For the main thread while it works, and for what opens a file for a moment. */
const COMMON = 32;
/** What a guest's thread needs for itself, and its device where that says nothing else. */
const THREAD = 24;
/** What a front-end has for longer than a message: its connection, and those of its rings. */
const FRONT_END = 16;
/** With one message: as many memory regions as the protocol allows without further ado. */
const LEAST_SHARE = 8;

/** The most control clients, however much there is. */
const MAX_CLIENTS = 256;

/** What the shares are made of. */
export interface DescriptorNeeds {
  /** How many this process may have. */
  readonly limit: number;
  /** How many it has before the first guest's thread is there. */
  readonly open: number;
  /** How many each guest's device may come to have beyond a few; one entry per guest. */
  readonly devices: readonly number[];
  /** True if control clients are served: all of them together have a share, too. */
  readonly controlled?: boolean;
}

/** What each may have. */
export interface DescriptorShares {
  /** How many descriptors a front-end may hand over with one message. */
  readonly message: number;
  /** How many control clients there may be. */
  readonly clients: number;
}

/**
 * Shares out what there is.
 *
 * @throws {RuntimeError} if it is too little to serve every guest
 */
export function shareDescriptors(
  { limit, open, devices, controlled = false }: DescriptorNeeds,
): DescriptorShares {
  const guests = devices.length;
  const sharers = guests + (controlled ? 1 : 0);
  const needed = devices.reduce((sum, own) => sum + THREAD + own + FRONT_END, open + COMMON);
  const share = Math.floor((limit - needed) / sharers);
  if (share >= LEAST_SHARE) {
    return {
      message: Math.min(share, MAX_MESSAGE_FDS),
      clients: controlled ? Math.min(share, MAX_CLIENTS) : 0,
    };
  }
  throw new RuntimeError(
    `${guests === 1 ? "1 guest needs" : `${guests} guests need`} ` +
      `${needed + sharers * LEAST_SHARE} open files, the limit is ${limit}; raise it ` +
      "(LimitNOFILE= of the systemd unit, ulimit -Hn), or serve fewer guests",
  );
}
