/**
 * Memory of other domains of a Xen host: all of it through `/dev/xen/privcmd` ("foreign"), what a
 * domain has granted through `/dev/xen/gntdev`.
 *
 * Both map whole pages of {@linkcode PAGE_SIZE}. What the kernel does not say by itself is asked
 * for: a call that maps frames succeeds though some of them are not there, and touching such a page
 * would be a fault (SIGBUS).
 *
 * Source: `xen/privcmd.h` and `xen/gntdev.h` of Linux (include/uapi), drivers/xen/privcmd.c and
 * gntdev.c.
 *
 * @module
 */

import { check, errno, errnoText, SystemError } from "./errno.ts";
import { fileStatus, S_IFCHR } from "./fd.ts";
import { pathStatus } from "./file.ts";
import { libc } from "./libc.ts";
import { MAP_SHARED, mapped, MappedMemory, PAGE_SIZE, PROT_READ, PROT_WRITE } from "./memory.ts";

/** `_IOC(_IOC_NONE, 'P', 4, sizeof(struct privcmd_mmapbatch_v2))` */
const IOCTL_PRIVCMD_MMAPBATCH_V2 = 0x205004;
/** `_IOC(_IOC_NONE, 'G', 0, sizeof(struct ioctl_gntdev_map_grant_ref))`, of a single reference */
const IOCTL_GNTDEV_MAP_GRANT_REF = 0x184700;
/** `_IOC(_IOC_NONE, 'G', 1, sizeof(struct ioctl_gntdev_unmap_grant_ref))` */
const IOCTL_GNTDEV_UNMAP_GRANT_REF = 0x104701;

const PROT_NONE = 0;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/** The size in bytes of frames, and of what is granted, whatever the kernel's pages are (xen/page.h). */
const XEN_PAGE_SIZE = 4096;
/** How many frames one call maps, a GiB of them: it takes 12 bytes for each. */
const FRAMES_PER_CALL = 2 ** 18;
/** How many grants one call maps: gntdev allows for 65536 unless its limit was changed. */
const GRANTS_PER_CALL = 2 ** 14;

/** Where the nodes are. */
const NODES = { foreign: "/dev/xen/privcmd", granted: "/dev/xen/gntdev" } as const;

/** How memory of another domain is mapped. */
export type XenKind = keyof typeof NODES;

/** The node that memory of a kind is mapped through. */
export const nodeOf = (kind: XenKind): string => NODES[kind];

/** Memory of another domain, as it is to be mapped. */
export interface XenPages {
  readonly domain: number;
  /** The first frame, or the first reference of a grant. */
  readonly first: number;
  /** How many pages. */
  readonly count: number;
  readonly writable: boolean;
}

/** Frames of a domain that are not there, or that may not be mapped. */
export class MissingFrames extends Error {
  override readonly name = "MissingFrames";
  /** True if there are some among them that could have been mapped. */
  readonly inPart: boolean;

  constructor(domain: number, frame: number, number: number, inPart: boolean) {
    const text = errnoText(number);
    super(`frame 0x${frame.toString(16)} of domain ${domain} cannot be mapped: ${text}`);
    this.inPart = inPart;
  }
}

/** The calls that map memory, for tests to stand in for. */
export interface XenCalls {
  readonly mmap: typeof libc.mmap;
  readonly munmap: typeof libc.munmap;
  readonly ioctl: typeof libc.ioctl;
  /** Which device is behind a descriptor, as `st_rdev`; `undefined` if that is no character device. */
  deviceOf(fd: number): bigint | undefined;
  /** The same for what is at a path. */
  deviceAt(path: string): bigint | undefined;
}

function characterDevice(status: { readonly type: number; readonly deviceNode: bigint }) {
  return status.type === S_IFCHR ? status.deviceNode : undefined;
}

const systemCalls: XenCalls = {
  get mmap() {
    return libc.mmap;
  },
  get munmap() {
    return libc.munmap;
  },
  get ioctl() {
    return libc.ioctl;
  },
  deviceOf: (fd) => characterDevice(fileStatus(fd)),
  deviceAt: (path) => {
    try {
      return characterDevice(pathStatus(path));
    } catch {
      return undefined;
    }
  },
};

/** The two nodes. Whoever has a descriptor of one can map with it; the path need not be in reach. */
export class XenNodes {
  readonly #calls: XenCalls;
  /** What is known to the kernel by its address alone: nothing else keeps it from being collected. */
  readonly #inUse: unknown[] = [];

  readonly #pageSize: number;

  constructor(calls: XenCalls = systemCalls, pageSize: number = PAGE_SIZE) {
    this.#calls = calls;
    this.#pageSize = pageSize;
  }

  /**
   * True if there is one of them: this is a domain of Xen. One whose pages are larger than a frame
   * cannot map just what a domain has granted, and has none.
   */
  get areThere(): boolean {
    return this.#pageSize === XEN_PAGE_SIZE &&
      Object.values(NODES).some((path) => this.#calls.deviceAt(path) !== undefined);
  }

  /** True if `fd` is a descriptor of the node for memory of this kind. */
  isNode(kind: XenKind, fd: number): boolean {
    const device = this.#calls.deviceOf(fd);
    return device !== undefined && device === this.#calls.deviceAt(NODES[kind]);
  }

  /**
   * Maps pages, one after the other. All of them are there when this returns, and remain so until
   * they are unmapped, whatever becomes of the domain and of `fd`.
   *
   * @param fd of the node for this kind
   * @throws {MissingFrames} if frames cannot be mapped
   * @throws {SystemError} if something else cannot be done; `EINVAL` of mmap(2) for what is not
   * granted
   */
  map(kind: XenKind, fd: number, pages: XenPages): MappedMemory {
    const { mmap, munmap } = this.#calls;
    const length = pages.count * PAGE_SIZE;
    // All parts are to be in one piece.
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const start = mapped(mmap(null, BigInt(length), PROT_NONE, flags, -1, 0n));
    try {
      const perCall = kind === "foreign" ? FRAMES_PER_CALL : GRANTS_PER_CALL;
      for (let done = 0; done < pages.count; done += perCall) {
        const part = {
          ...pages,
          first: pages.first + done,
          count: Math.min(perCall, pages.count - done),
        };
        const at = Deno.UnsafePointer.offset(start, done * PAGE_SIZE);
        if (kind === "foreign") this.#mapFrames(fd, at, part, done > 0);
        else this.#mapGrants(fd, at, part);
      }
    } catch (error) {
      munmap(start, BigInt(length));
      throw error;
    }
    return new MappedMemory(start, length);
  }

  /** @param inPart true if others have been mapped */
  #mapFrames(fd: number, at: Deno.PointerValue, pages: XenPages, inPart: boolean): void {
    const { domain, first, count } = pages;
    this.#mapAt(at, pages, fd, 0n);
    const frames = new BigUint64Array(new ArrayBuffer(8 * count));
    for (let index = 0; index < count; index++) frames[index] = BigInt(first + index);
    const errors = new Int32Array(new ArrayBuffer(4 * count));
    // struct privcmd_mmapbatch_v2: u32 num 0, u16 dom 4, u64 addr 8, u64 *arr 16, int *err 24
    const batch = new DataView(new ArrayBuffer(32));
    this.#inUse.push(frames, errors, batch);
    batch.setUint32(0, count, true);
    batch.setUint16(4, domain, true);
    batch.setBigUint64(8, addressOf(at), true);
    batch.setBigUint64(16, addressOf(Deno.UnsafePointer.of(frames)), true);
    batch.setBigUint64(24, addressOf(Deno.UnsafePointer.of(errors)), true);
    const pointer = Deno.UnsafePointer.of(batch);
    const result = this.#calls.ioctl(fd, IOCTL_PRIVCMD_MMAPBATCH_V2, pointer);
    const number = result < 0 ? errno() : 0;
    this.#inUse.length = 0;
    const missing = errors.findIndex((error) => error !== 0);
    if (missing >= 0) {
      const some = inPart || errors.includes(0);
      throw new MissingFrames(domain, first + missing, -errors[missing], some);
    }
    if (number !== 0) throw new SystemError("ioctl", number);
  }

  #mapGrants(fd: number, at: Deno.PointerValue, pages: XenPages): void {
    const { domain, first, count } = pages;
    // struct ioctl_gntdev_map_grant_ref: u32 count 0, u32 pad, u64 index 8, { u32 domid, ref }[] 16
    const request = new DataView(new ArrayBuffer(16 + 8 * count));
    request.setUint32(0, count, true);
    for (let index = 0; index < count; index++) {
      request.setUint32(16 + 8 * index, domain, true);
      request.setUint32(20 + 8 * index, first + index, true);
    }
    this.#inUse.push(request);
    const { ioctl } = this.#calls;
    check("ioctl", ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, Deno.UnsafePointer.of(request)));
    const index = request.getBigUint64(8, true);
    try {
      this.#mapAt(at, pages, fd, index);
    } finally {
      // The mapping keeps what it needs; from now on munmap(2) is all that it takes to end it, or
      // the end of this process.
      // struct ioctl_gntdev_unmap_grant_ref: u64 index 0, u32 count 8, u32 pad
      const done = new DataView(new ArrayBuffer(16));
      done.setBigUint64(0, index, true);
      done.setUint32(8, count, true);
      this.#inUse.push(done);
      ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, Deno.UnsafePointer.of(done));
      this.#inUse.length = 0;
    }
  }

  #mapAt(at: Deno.PointerValue, { count, writable }: XenPages, fd: number, offset: bigint): void {
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const length = BigInt(count * PAGE_SIZE);
    mapped(this.#calls.mmap(at, length, protection, MAP_SHARED | MAP_FIXED, fd, offset));
  }
}

function addressOf(pointer: Deno.PointerValue): bigint {
  return BigInt(Deno.UnsafePointer.value(pointer));
}
