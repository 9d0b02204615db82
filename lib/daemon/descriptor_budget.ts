/**
 * Who may have how many file descriptors: the process's are shared out so that no guest's front-end
 * can take those of another.
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

/** What the shares are made of. */
export interface DescriptorNeeds {
  /** How many this process may have. */
  readonly limit: number;
  /** How many it has before the first guest's thread is there. */
  readonly open: number;
  /** How many each guest's device may come to have beyond a few; one entry per guest. */
  readonly devices: readonly number[];
}

/**
 * How many descriptors a front-end may hand over with one message.
 *
 * @throws {RuntimeError} if they are too few to serve every guest
 */
export function descriptorShare({ limit, open, devices }: DescriptorNeeds): number {
  const guests = devices.length;
  const needed = devices.reduce((sum, own) => sum + THREAD + own + FRONT_END, open + COMMON);
  const share = Math.floor((limit - needed) / guests);
  if (share >= LEAST_SHARE) return Math.min(share, MAX_MESSAGE_FDS);
  throw new RuntimeError(
    `${guests === 1 ? "1 guest needs" : `${guests} guests need`} ` +
      `${needed + guests * LEAST_SHARE} open files, the limit is ${limit}; raise it ` +
      "(LimitNOFILE= of the systemd unit, ulimit -Hn), or serve fewer guests",
  );
}
