/**
 * Stands in for `/dev/xen/privcmd` and `/dev/xen/gntdev`, with a domain behind them: for what those
 * cannot be made to do, and for machines without Xen.
 *
 * The domain's memory is a memfd, a node is one as well, so that it can be passed over a socket. What
 * is not to be mapped is left as the kernel leaves it: a touch raises SIGBUS.
 *
 * @module
 */

import { EINVAL, ENOENT } from "../../ffi/errno.ts";
import { close, fileStatus } from "../../ffi/fd.ts";
import { libc } from "../../ffi/libc.ts";
import { Mapping } from "../../ffi/memory.ts";
import { type XenCalls, XenNodes } from "../../ffi/xen.ts";
import type { RamRegion } from "./guest_ram.ts";
import { createMemfd } from "./kernel_objects.ts";
import { XEN } from "./wire.ts";

const PAGE = 4096;
const MMAPBATCH_V2 = 0x205004;
const MAP_GRANT_REF = 0x184700;
const UNMAP_GRANT_REF = 0x104701;
const PROT_WRITE = 2;
const MAP_SHARED_FIXED = 0x11;
const ESRCH = 3;
const FAILED = Deno.UnsafePointer.create(2n ** 64n - 1n);
const NODES = ["/dev/xen/privcmd", "/dev/xen/gntdev"];

const cell = new Int32Array(
  Deno.UnsafePointerView.getArrayBuffer(libc.__errno_location()!, 4),
);

function fail<Result>(number: number, result: Result): Result {
  cell[0] = number;
  return result;
}

const valueOf = (pointer: Deno.PointerValue) => BigInt(Deno.UnsafePointer.value(pointer));
const at = (address: bigint) => Deno.UnsafePointer.create(address)!;

/** What a domain lets others do with a page. */
interface Grant {
  readonly page: number;
  readonly readOnly: boolean;
}

/** A domain with memory, and the host that it runs on. */
export class XenStandIn implements Disposable {
  readonly id = 7;
  /** Frames of its memory begin here. */
  readonly firstFrame = 0x100;
  /** By reference. */
  readonly grants = new Map<number, Grant>();
  /** Frames that cannot be mapped, and why. */
  readonly badFrames = new Map<number, number>();
  readonly privcmd = createMemfd("xen-privcmd", 0);
  readonly gntdev = createMemfd("xen-gntdev", 0);
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly nodes: XenNodes;
  /** What was asked of the nodes, in order. */
  readonly calls: string[] = [];
  /** Nodes that are not there. */
  missing: readonly string[] = [];
  /** Calls that fail: the name, and how often it succeeds before. */
  failing: { readonly call: string; after: number; readonly number: number } | undefined;
  readonly #memory: number;
  readonly #mapping: Mapping;
  /** Of gntdev: what an index stands for. */
  readonly #indexes = new Map<bigint, { domain: number; reference: number }[]>();
  #nextIndex = 0n;
  /** Of the last mapping of privcmd. */
  #protection = 0;

  constructor(readonly pages = 64) {
    this.#memory = createMemfd("xen-domain", pages * PAGE);
    this.#mapping = new Mapping(this.#memory, 0, pages * PAGE);
    this.bytes = new Uint8Array(this.#mapping.buffer(0, pages * PAGE));
    const calls: XenCalls = {
      mmap: (address, length, protection, flags, fd, offset) => {
        if (this.#fails("mmap")) return FAILED;
        const node = this.#nodeOf(fd);
        if (node === undefined) return libc.mmap(address, length, protection, flags, fd, offset);
        if (node === "gntdev") return this.#mapGrants(address, length, protection, flags, offset);
        this.#protection = protection;
        return libc.mmap(address, length, protection, flags, fd, offset);
      },
      munmap: (address, length) => {
        this.calls.push("munmap");
        return libc.munmap(address, length);
      },
      ioctl: (fd, request, argument) => this.#ioctl(fd, request, argument),
      deviceOf: (fd) => {
        const node = this.#nodeOf(fd);
        return node === undefined ? undefined : node === "privcmd" ? 1n : 2n;
      },
      deviceAt: (path) => {
        const node = NODES.indexOf(path);
        return node < 0 || this.missing.includes(path) ? undefined : BigInt(node + 1);
      },
    };
    this.nodes = new XenNodes(calls);
  }

  /** How many mappings of the domain's memory there are, beside that of the stand-in itself. */
  get mappings(): number {
    const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
    return lines.filter((line) => line.includes("memfd:xen-domain")).length - 1;
  }

  /** How many indexes of gntdev were not given back. */
  get indexes(): number {
    return this.#indexes.size;
  }

  /** Grants a page under a reference. */
  grant(reference: number, page: number, readOnly = false): void {
    this.grants.set(reference, { page, readOnly });
  }

  /** A region of these pages, as a front-end describes foreign memory. */
  foreign(first: number, count: number, flags: number = XEN.FOREIGN): RamRegion {
    const guestAddress = (this.firstFrame + first) * PAGE;
    return this.#region(first, count, guestAddress, undefined, flags, this.privcmd);
  }

  /** The same for grants, whose references are the pages' numbers plus 8. */
  granted(first: number, count: number, flags: number = XEN.GRANT): RamRegion {
    for (let page = first; page < first + count; page++) this.grant(8 + page, page);
    const address = 2n ** 63n + BigInt((8 + first) * PAGE);
    return this.#region(first, count, first * PAGE, address, flags, this.gntdev);
  }

  #region(
    first: number,
    count: number,
    guestAddress: number,
    busAddress: bigint | undefined,
    flags: number,
    fd: number,
  ): RamRegion {
    return {
      guestAddress,
      ...(busAddress === undefined ? {} : { busAddress }),
      userAddress: 0x7e00_0000_0000 + guestAddress,
      size: count * PAGE,
      fileOffset: 0,
      fd,
      bytes: this.bytes.subarray(first * PAGE, (first + count) * PAGE),
      xen: { flags, domain: this.id },
      close: () => {},
    };
  }

  #nodeOf(fd: number): "privcmd" | "gntdev" | undefined {
    if (fd < 0) return undefined;
    const { inode } = fileStatus(fd);
    if (inode === fileStatus(this.privcmd).inode) return "privcmd";
    return inode === fileStatus(this.gntdev).inode ? "gntdev" : undefined;
  }

  #fails(call: string): boolean {
    const { failing } = this;
    if (failing?.call !== call || failing.after-- > 0) return false;
    this.failing = undefined;
    return fail(failing.number, true);
  }

  #ioctl(fd: number, request: number, argument: Deno.PointerValue): number {
    const node = this.#nodeOf(fd);
    if (this.#fails(request === UNMAP_GRANT_REF ? "forget" : "ioctl")) return -1;
    const view = new Deno.UnsafePointerView(argument!);
    if (node === "privcmd" && request === MMAPBATCH_V2) return this.#mapFrames(view);
    if (node === "gntdev" && request === MAP_GRANT_REF) return this.#takeIndex(view);
    if (node === "gntdev" && request === UNMAP_GRANT_REF) {
      const index = view.getBigUint64(0);
      const count = view.getUint32(8);
      this.calls.push(`forget ${count}`);
      if (this.#indexes.get(index)?.length !== count) return fail(ENOENT, -1);
      this.#indexes.delete(index);
      return 0;
    }
    return fail(EINVAL, -1);
  }

  /** Maps pages, undefined for those that are left as they are. */
  #mapPages(address: bigint, pages: readonly (number | undefined)[], protection: number): void {
    for (let begin = 0, end; begin < pages.length; begin = end) {
      const page = pages[begin];
      end = begin + 1;
      if (page === undefined) continue;
      while (end < pages.length && pages[end] === page + end - begin) end++;
      const start = at(address + BigInt(PAGE * begin));
      const length = BigInt(PAGE * (end - begin));
      const offset = BigInt(PAGE * page);
      libc.mmap(start, length, protection, MAP_SHARED_FIXED, this.#memory, offset);
    }
  }

  #mapFrames(view: Deno.UnsafePointerView): number {
    const count = view.getUint32(0);
    const domain = view.getUint16(4);
    const address = view.getBigUint64(8);
    const frames = new Deno.UnsafePointerView(at(view.getBigUint64(16)));
    const errors = new Int32Array(
      Deno.UnsafePointerView.getArrayBuffer(at(view.getBigUint64(24)), 4 * count),
    );
    this.calls.push(`frames ${count}`);
    const pages = Array.from({ length: count }, (_, index) => {
      const frame = Number(frames.getBigUint64(8 * index));
      const page = frame - this.firstFrame;
      const bad = domain !== this.id
        ? ESRCH
        : this.badFrames.get(frame) ?? (page >= 0 && page < this.pages ? 0 : EINVAL);
      errors[index] = -bad;
      return bad === 0 ? page : undefined;
    });
    this.#mapPages(address, pages, this.#protection);
    return errors.includes(-ENOENT) ? fail(ENOENT, -1) : 0;
  }

  #takeIndex(view: Deno.UnsafePointerView): number {
    const count = view.getUint32(0);
    this.calls.push(`grants ${count}`);
    const references = Array.from({ length: count }, (_, index) => ({
      domain: view.getUint32(16 + 8 * index),
      reference: view.getUint32(20 + 8 * index),
    }));
    const index = this.#nextIndex;
    this.#nextIndex += BigInt(PAGE * count);
    this.#indexes.set(index, references);
    const bytes = Deno.UnsafePointerView.getArrayBuffer(view.pointer, 16);
    new DataView(bytes).setBigUint64(8, index, true);
    return 0;
  }

  #mapGrants(
    address: Deno.PointerValue,
    length: bigint | number,
    protection: number,
    flags: number,
    offset: bigint | number,
  ): Deno.PointerValue {
    const references = this.#indexes.get(BigInt(offset));
    if (flags !== MAP_SHARED_FIXED || references?.length !== Number(length) / PAGE) {
      return fail(EINVAL, FAILED);
    }
    const grants = references.map(({ domain, reference }) =>
      domain === this.id ? this.grants.get(reference) : undefined
    );
    const refused = grants.some((grant) =>
      grant === undefined || grant.readOnly && (protection & PROT_WRITE) !== 0
    );
    if (refused) return fail(EINVAL, FAILED);
    this.#mapPages(valueOf(address), grants.map((grant) => grant!.page), protection);
    return address;
  }

  [Symbol.dispose](): void {
    this.#mapping.close();
    for (const fd of [this.#memory, this.privcmd, this.gntdev]) close(fd);
  }
}
