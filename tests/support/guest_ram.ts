/**
 * The memory of a pretended guest: memfds, mapped here and shared with the back-end.
 *
 * @module
 */

import { close } from "../../ffi/fd.ts";
import { Mapping } from "../../ffi/memory.ts";
import { createMemfd } from "./kernel_objects.ts";

/** A region of guest memory as it is to be made. */
export interface RegionOptions {
  readonly guestAddress: number;
  readonly size: number;
  /** Defaults to an address far from the guest's, so that a mix-up shows. */
  readonly userAddress?: number;
  readonly fileOffset?: number;
  /** False for memory that can be cut short while it is in use. */
  readonly sealable?: boolean;
}

/** One region, mapped here. */
export interface RamRegion {
  readonly guestAddress: number;
  readonly userAddress: number;
  readonly size: number;
  readonly fileOffset: number;
  /** Comes along with the region's description. */
  readonly fd: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the device finds it, if that is not its guest address. */
  readonly busAddress?: bigint;
  /** Describes memory of another domain. */
  readonly xen?: { readonly flags: number; readonly domain: number };
  close(): void;
}

/** A region that is a memfd of its own. */
class Region implements RamRegion {
  readonly guestAddress: number;
  readonly userAddress: number;
  readonly size: number;
  readonly fileOffset: number;
  readonly fd: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #mapping: Mapping;

  constructor(options: RegionOptions) {
    this.guestAddress = options.guestAddress;
    this.size = options.size;
    this.userAddress = options.userAddress ?? 0x7f00_0000_0000 + options.guestAddress;
    this.fileOffset = options.fileOffset ?? 0;
    this.fd = createMemfd("guest-ram", this.fileOffset + this.size, options.sealable);
    this.#mapping = new Mapping(this.fd, this.fileOffset, this.size);
    this.bytes = new Uint8Array(this.#mapping.buffer(0, this.size));
  }

  close(): void {
    this.#mapping.close();
    close(this.fd);
  }
}

/** All regions, addressed as the guest does. Whatever crosses from one to the next is cut up. */
export class GuestRam implements Disposable {
  readonly regions: RamRegion[];
  #from: RamRegion;
  #free: number;

  /** @param regions the first one is where {@linkcode allocate} takes from */
  constructor(
    regions: readonly (RegionOptions | RamRegion)[] = [{
      guestAddress: 0x10_0000,
      size: 0x20_0000,
    }],
  ) {
    this.regions = regions.map((options) => "fd" in options ? options : new Region(options));
    this.#from = this.regions[0];
    this.#free = this.#from.guestAddress;
  }

  /** Has {@linkcode allocate} take from another region from now on. */
  allocateFrom(region: RamRegion): void {
    if (region === this.#from) return;
    this.#from = region;
    this.#free = region.guestAddress;
  }

  /** Takes memory from one region; never given back. */
  allocate(length: number, alignment = 16): number {
    const address = Math.ceil(this.#free / alignment) * alignment;
    const { guestAddress, size } = this.#from;
    if (address + length > guestAddress + size) throw new RangeError("out of guest memory");
    this.#free = address + length;
    return address;
  }

  /** The region that holds a guest address. */
  region(address: number): RamRegion {
    const found = this.regions.find(({ guestAddress, size }) =>
      address >= guestAddress && address < guestAddress + size
    );
    if (found === undefined) throw new RangeError(`no memory at 0x${address.toString(16)}`);
    return found;
  }

  /** Where the front-end has mapped a guest address. */
  userAddress(address: number): number {
    const region = this.region(address);
    return address - region.guestAddress + region.userAddress;
  }

  /** Where the device finds a guest address: what descriptors name. */
  busAddress(address: number): number | bigint {
    const region = this.regions.find(({ guestAddress, size }) =>
      address >= guestAddress && address < guestAddress + size
    );
    if (region?.busAddress === undefined) return address;
    return region.busAddress + BigInt(address - region.guestAddress);
  }

  /** A view of memory within one region. */
  view(address: number, length: number): DataView<ArrayBuffer> {
    const { bytes, guestAddress } = this.region(address);
    return new DataView(bytes.buffer, bytes.byteOffset + address - guestAddress, length);
  }

  /** A 16-bit view of memory within one region. */
  words(address: number, count: number): Uint16Array<ArrayBuffer> {
    const { bytes, guestAddress } = this.region(address);
    return new Uint16Array(bytes.buffer, bytes.byteOffset + address - guestAddress, count);
  }

  write(address: number, bytes: ArrayLike<number>): void {
    for (let index = 0; index < bytes.length; index++) {
      const region = this.region(address + index);
      region.bytes[address + index - region.guestAddress] = bytes[index];
    }
  }

  /** Sets bytes within one region. */
  fill(address: number, value: number, length: number): void {
    const { bytes, guestAddress } = this.region(address);
    bytes.fill(value, address - guestAddress, address - guestAddress + length);
  }

  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, (_, index) => {
      const region = this.region(address + index);
      return region.bytes[address + index - region.guestAddress];
    });
  }

  [Symbol.dispose](): void {
    for (const region of this.regions) region.close();
  }
}
