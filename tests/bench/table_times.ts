/**
 * How long a daemon takes for a change of the memory table beside a lot of memory.
 *
 * @module
 */

import { close } from "../../ffi/fd.ts";
import { PAGE_SIZE } from "../../ffi/memory.ts";
import type { FrontEnd } from "../support/front_end.ts";
import { createMemfd } from "../support/kernel_objects.ts";
import {
  memoryTable,
  PROTOCOL_CONFIGURE_MEM_SLOTS,
  PROTOCOL_REPLY_ACK,
  REQUEST,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VIRTIO_F_VERSION_1,
} from "../support/wire.ts";
import { median } from "./statistics.ts";

const ROUNDS = 51;
const PAGE = { guestAddress: 0, size: PAGE_SIZE, userAddress: 0, fileOffset: 0 };

/** What was measured; times in milliseconds. */
export interface MemoryTableTimes {
  /** For a table of that much memory. */
  readonly set: number;
  /** For the same table once more. */
  readonly repeated: number;
  /** For a table with one more page: the median, and the worst. */
  readonly extended: number;
  readonly worstExtended: number;
  /** For that page by itself; `undefined` where the daemon takes nothing but whole tables. */
  readonly added?: number;
  readonly worst?: number;
}

function time(action: () => void): number {
  const begin = performance.now();
  action();
  return performance.now() - begin;
}

/** Measures with a sparse file of `size` bytes as the guest's memory. */
export function memoryTableTimes(frontEnd: FrontEnd, size: number): MemoryTableTimes {
  frontEnd.setOwner();
  frontEnd.getFeatures();
  frontEnd.setFeatures(VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES);
  const offered = frontEnd.getProtocolFeatures();
  if (!(offered & PROTOCOL_REPLY_ACK)) throw new Error("it does not offer REPLY_ACK");
  const slots = offered & PROTOCOL_CONFIGURE_MEM_SLOTS;
  frontEnd.setProtocolFeatures(PROTOCOL_REPLY_ACK | slots);
  frontEnd.acknowledged = true;
  const large = { guestAddress: 2 ** 40, size, userAddress: 2 ** 40, fileOffset: 0 };
  const [memory, page] = [createMemfd("memory", size), createMemfd("page", PAGE_SIZE)];
  // The peers take no table that is not sorted.
  const setTable = (pages = 0) => {
    const [regions, fds] = [[PAGE, large].slice(1 - pages), [page, memory].slice(1 - pages)];
    return time(() => frontEnd.tell(REQUEST.SET_MEM_TABLE, memoryTable(regions), fds));
  };
  const set = setTable();
  const repeated = setTable();
  const [extended, added]: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    extended.push(setTable(1));
    setTable();
    if (slots === 0n) continue;
    added.push(time(() => frontEnd.addRegion(PAGE, page)));
    frontEnd.removeRegion(PAGE);
  }
  close(memory);
  close(page);
  return {
    set,
    repeated,
    extended: median(extended),
    worstExtended: Math.max(...extended),
    ...(slots === 0n ? {} : { added: median(added), worst: Math.max(...added) }),
  };
}
