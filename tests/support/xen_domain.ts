/**
 * A domain of memory and grants, for a front-end in domain 0 of Xen. Its memory is mapped here as
 * well: what a driver in it would do is done through that.
 *
 * @module
 */

import { close, O_RDWR, open } from "../../ffi/fd.ts";
import type { MappedMemory } from "../../ffi/memory.ts";
import { XenNodes } from "../../ffi/xen.ts";
import type { RamRegion } from "./guest_ram.ts";
import { XEN } from "./wire.ts";

const PAGE = 4096;
/** References below are not used: some of the first are Xen's own. */
const FIRST_REFERENCE = 8;

/** Runs the program that makes domains, and returns what it printed. */
function domain(...args: (string | number)[]): string {
  const { success, stdout, stderr } = new Deno.Command("domain", { args: args.map(String) })
    .outputSync();
  if (!success) throw new Error(`domain ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** How a domain is made. */
export type DomainKind = "hvm" | "pv";

/** One domain, which is never run. */
export class XenDomain implements Disposable {
  readonly id: number;
  readonly firstFrame: number;
  readonly privcmd = open("/dev/xen/privcmd", O_RDWR);
  readonly gntdev = open("/dev/xen/gntdev", O_RDWR);
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #mapping: MappedMemory;
  #isThere = true;

  /** @param pages a power of two, at most 256 */
  constructor(kind: DomainKind, readonly pages = 64) {
    const [id, frame] = domain("create", kind, pages).split(" ");
    this.id = Number(id);
    this.firstFrame = Number(frame);
    this.#mapping = new XenNodes().map("foreign", this.privcmd, {
      domain: this.id,
      first: this.firstFrame,
      count: pages,
      writable: true,
    });
    this.bytes = new Uint8Array(this.#mapping.buffer(0, pages * PAGE));
    const text = `page ${pages - 1} of domain ${this.id}\0`;
    const seen = this.bytes.subarray((pages - 1) * PAGE).subarray(0, text.length);
    if (new TextDecoder().decode(seen) !== text) throw new Error("that is not the domain's memory");
    this.bytes.fill(0);
  }

  /** The ids of all domains that there is anything left of. */
  static ids(): number[] {
    return domain("list").split("\n").map(Number);
  }

  /** A region of these pages, as a front-end describes foreign memory. */
  foreign(first: number, count: number, flags = XEN.FOREIGN): RamRegion {
    return this.#region(first, count, flags, this.privcmd);
  }

  /** The same for grants, which are made: one for each page, one after the other. */
  granted(first: number, count: number, flags = XEN.GRANT, readOnly = false): RamRegion {
    const reference = this.reference(first);
    const frame = this.firstFrame + first;
    domain("grant", this.id, reference, count, frame, ...(readOnly ? ["ro"] : []));
    const busAddress = 2n ** 63n + BigInt(reference * PAGE);
    return { ...this.#region(first, count, flags, this.gntdev), busAddress };
  }

  /** The reference of a page's grant. */
  reference(page: number): number {
    return FIRST_REFERENCE + page;
  }

  /** Ends grants of pages. */
  end(first: number, count: number): void {
    domain("end", this.id, this.reference(first), count);
  }

  /** How many of these pages' grants somebody has mapped. */
  mapped(first: number, count: number): number {
    const flags = domain("flags", this.id, this.reference(first), count).split("\n").map(Number);
    return flags.filter((one) => (one & 0x18) !== 0).length;
  }

  #region(first: number, count: number, flags: number, fd: number): RamRegion {
    const guestAddress = (this.firstFrame + first) * PAGE;
    return {
      guestAddress,
      userAddress: 0x7e00_0000_0000 + guestAddress,
      size: count * PAGE,
      fileOffset: 0,
      fd,
      bytes: this.bytes.subarray(first * PAGE, (first + count) * PAGE),
      xen: { flags, domain: this.id },
      close: () => {},
    };
  }

  /** Destroys it. What of its memory is mapped remains. */
  destroy(): void {
    if (this.#isThere) domain("destroy", this.id);
    this.#isThere = false;
  }

  [Symbol.dispose](): void {
    this.destroy();
    this.#mapping.close();
    close(this.privcmd);
    close(this.gntdev);
  }
}

/** Where rings and buffers of a guest are: the first four pages of a domain, and the others. */
export interface Layout {
  readonly name: string;
  /** The region of the rings, then that of the buffers, where that is another one. */
  readonly regions: (domain: XenDomain) => RamRegion[];
  /** True if the buffers are grants that are mapped for as long as a request takes. */
  readonly lent?: boolean;
}

/** How many pages have rings, where those have a region of their own. */
export const RING_PAGES = 4;

/** All the ways in which a front-end can describe a domain's memory. */
export const LAYOUTS: readonly Layout[] = [
  { name: "foreign", regions: (it) => [it.foreign(0, it.pages)] },
  {
    name: "foreign, not in advance",
    regions: (it) => [it.foreign(0, it.pages, XEN.FOREIGN | XEN.NO_ADVANCE_MAP)],
  },
  { name: "granted", regions: (it) => [it.granted(0, it.pages)] },
  {
    name: "granted, not in advance",
    regions: (it) => [it.granted(0, it.pages, XEN.GRANT | XEN.NO_ADVANCE_MAP)],
    lent: true,
  },
  {
    // So does the front-end that there is, which says 8 for bit 8.
    name: "granted, the rings in advance",
    regions: (it) => [
      it.granted(0, RING_PAGES),
      {
        ...it.granted(RING_PAGES, it.pages - RING_PAGES, XEN.GRANT | XEN.NO_ADVANCE_MAP_TOO),
        userAddress: 0,
      },
    ],
    lent: true,
  },
];
