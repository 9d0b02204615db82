/**
 * Regions of a guest's memory that are another domain's: what a front-end says of them, and what it
 * takes to map them.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Memory region description").
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import { close, duplicate } from "../../ffi/fd.ts";
import { type MappedMemory, PAGE_SIZE } from "../../ffi/memory.ts";
import { MissingFrames, nodeOf, type XenKind, type XenNodes } from "../../ffi/xen.ts";
import {
  type RegionContent,
  type RegionDescription,
  RegionError,
  showRegion,
} from "./memory_region.ts";
import { GRANTS } from "./xen_address.ts";
import { FOREIGN, GRANTED, NOT_IN_ADVANCE, type XenArea } from "./xen_area.ts";

/** The first domain id that is reserved (xen/xen.h, `DOMID_FIRST_RESERVED`). */
const FIRST_RESERVED = 0x7ff0;
/** A reference of a grant has 32 bits. */
const MAX_GRANTS = 2 ** 32;

/** How a region is to be mapped. */
interface XenRegion {
  readonly kind: XenKind;
  readonly domain: number;
  /** The frame, or the reference of the grant, that it begins with. */
  readonly first: number;
  /** How many pages it has. */
  readonly count: number;
  /** True if all of it is mapped at once; otherwise what requests need, for as long as they do. */
  readonly inAdvance: boolean;
}

/** How many pages of memory it takes to hold `length` bytes from `offset`. */
export function pagesOf(offset: number, length: number): { first: number; count: number } {
  const first = Math.floor(offset / PAGE_SIZE);
  return { first, count: Math.ceil((offset + length) / PAGE_SIZE) - first };
}

/**
 * Looks at what a front-end says of a region.
 *
 * @throws {RegionError} if there can be no such region
 */
function checkXenRegion(description: RegionDescription, area: XenArea): XenRegion {
  const { guestAddress, size, fileOffset } = description;
  const { flags, domain } = area;
  const refuse = (why: string) => new RegionError(`${showRegion(description)} ${why}`);
  const kinds = flags & (FOREIGN | GRANTED);
  if (kinds !== FOREIGN && kinds !== GRANTED || flags & ~(FOREIGN | GRANTED | NOT_IN_ADVANCE)) {
    throw refuse(
      `has Xen flags 0x${flags.toString(16)}, expected 1 for foreign memory or 2 for ` +
        "granted memory, with 0x100 where it cannot be mapped in advance",
    );
  }
  if (domain >= FIRST_RESERVED) throw refuse(`is said to be of domain ${domain}, which is no id`);
  const kind = kinds === FOREIGN ? "foreign" : "granted";
  if (fileOffset !== 0) {
    throw refuse(`begins at offset 0x${fileOffset.toString(16)} of ${nodeOf(kind)}, expected 0`);
  }
  const grants = guestAddress >= GRANTS;
  if (grants && kind === "foreign") throw refuse("is foreign memory at addresses of grants");
  const { first, count } = pagesOf(grants ? guestAddress - GRANTS : guestAddress, size);
  if (kind === "granted" && first + count > MAX_GRANTS) {
    throw refuse("ends beyond the last reference of a grant, 2^32");
  }
  return { kind, domain, first, count, inAdvance: (flags & NOT_IN_ADVANCE) === 0 };
}

/**
 * A descriptor of a node that outlives the message it came with. One for all regions of a kind will
 * do: whatever a front-end may do with one of its descriptors, it may with another.
 */
class KeptNode {
  readonly fd: number;
  #users = 0;

  /**
   * @param fd stays the caller's
   * @throws {SystemError} if the process may have no more descriptors
   */
  constructor(fd: number) {
    this.fd = duplicate(fd);
  }

  get isInUse(): boolean {
    return this.#users > 0;
  }

  take(): this {
    this.#users++;
    return this;
  }

  /** The last one to give it back closes it. */
  giveBack(): void {
    if (--this.#users === 0) close(this.fd);
  }
}

/** Memory of another domain that is mapped part by part. */
export class XenSource {
  readonly #nodes: XenNodes;
  readonly #node: KeptNode;
  readonly #region: XenRegion;
  #isClosed = false;

  /** @param node is given back at the end */
  constructor(nodes: XenNodes, node: KeptNode, region: XenRegion) {
    this.#nodes = nodes;
    this.#node = node.take();
    this.#region = region;
  }

  /**
   * Maps pages, counted from the beginning of the region, which has to have them.
   *
   * @throws {MissingFrames} if they are not there
   * @throws {SystemError} if they cannot be mapped
   */
  map(pages: { first: number; count: number }, writable: boolean): MappedMemory {
    const { kind, domain, first } = this.#region;
    const { fd } = this.#node;
    return this.#nodes.map(kind, fd, {
      domain,
      first: first + pages.first,
      count: pages.count,
      writable,
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#node.giveBack();
  }
}

/**
 * Looks at the descriptor that a region comes with: with any other device behind it, what is asked of
 * the node would be something else.
 *
 * @returns the descriptor
 * @throws {RegionError} if it is not of the node for this kind
 */
function checkXenNode(
  description: RegionDescription,
  nodes: XenNodes,
  kind: XenKind,
  fd: number | undefined,
): number {
  const refuse = (why: string) => new RegionError(`${showRegion(description)} ${why}`);
  if (fd === undefined || fd < 0) throw refuse("comes without a file descriptor");
  if (!nodes.isNode(kind, fd)) {
    throw refuse(`is ${kind} memory and comes with a descriptor that is not of ${nodeOf(kind)}`);
  }
  return fd;
}

/** True for what says that memory cannot be mapped; everything else is a mistake of ours. */
export function isUnmappable(error: unknown): error is Error {
  return error instanceof MissingFrames || error instanceof SystemError;
}

/** What maps the regions of a guest that are other domains'. */
export class XenRegions {
  readonly #kept = new Map<XenKind, KeptNode>();
  readonly #onRemark: (text: string) => void;

  /** @param onRemark is told how a region is mapped where that is not as it was asked for */
  constructor(onRemark: (text: string) => void) {
    this.#onRemark = onRemark;
  }

  /**
   * Maps a region, or prepares for parts of it to be mapped.
   *
   * @param reserve is called before all of it is mapped, and throws if that is too much
   * @throws {RegionError} if there can be no such region, or it cannot be mapped
   * @throws {SystemError} if the process may have no more descriptors
   */
  map(
    description: RegionDescription,
    area: XenArea,
    nodes: XenNodes,
    fd: number | undefined,
    reserve: () => void,
  ): RegionContent {
    const region = checkXenRegion(description, area);
    const node = checkXenNode(description, nodes, region.kind, fd);
    if (!region.inAdvance) return this.#inParts(nodes, node, region);
    reserve();
    try {
      return { mapping: nodes.map(region.kind, node, { ...region, writable: true }) };
    } catch (error) {
      if (!isUnmappable(error)) throw error;
      const name = showRegion(description);
      if (!(error instanceof MissingFrames && error.inPart)) {
        throw new RegionError(`${name} cannot be mapped: ${error.message}`);
      }
      this.#onRemark(
        `${name} has gaps: ${error.message}; what requests need of it is mapped for as long as ` +
          "they do",
      );
      return this.#inParts(nodes, node, region);
    }
  }

  #inParts(nodes: XenNodes, fd: number, region: XenRegion): RegionContent {
    const kept = this.#kept.get(region.kind);
    const node = kept?.isInUse ? kept : new KeptNode(fd);
    this.#kept.set(region.kind, node);
    return { source: new XenSource(nodes, node, region) };
  }
}
