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
}

/** One region: a memfd of its own. */
export class Region {
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
    this.fd = createMemfd("guest-ram", this.fileOffset + this.size);
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
  readonly regions: Region[];
  #free: number;

  /** @param regions the first one is where {@linkcode allocate} takes from */
  constructor(regions: readonly RegionOptions[] = [{ guestAddress: 0x10_0000, size: 0x20_0000 }]) {
    this.regions = regions.map((options) => new Region(options));
    this.#free = this.regions[0].guestAddress;
  }

  /** Takes memory from the first region; never given back. */
  allocate(length: number, alignment = 16): number {
    const address = Math.ceil(this.#free / alignment) * alignment;
    const { guestAddress, size } = this.regions[0];
    if (address + length > guestAddress + size) throw new RangeError("out of guest memory");
    this.#free = address + length;
    return address;
  }

  /** The region that holds a guest address. */
  region(address: number): Region {
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

  /** A view of memory within one region. */
  view(address: number, length: number): DataView<ArrayBuffer> {
    const { bytes, guestAddress } = this.region(address);
    return new DataView(bytes.buffer, address - guestAddress, length);
  }

  /** A 16-bit view of memory within one region. */
  words(address: number, count: number): Uint16Array<ArrayBuffer> {
    const { bytes, guestAddress } = this.region(address);
    return new Uint16Array(bytes.buffer, address - guestAddress, count);
  }

  write(address: number, bytes: ArrayLike<number>): void {
    for (let index = 0; index < bytes.length; index++) {
      const region = this.region(address + index);
      region.bytes[address + index - region.guestAddress] = bytes[index];
    }
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
