/**
 * Who has which address: to the guests, all adapters are one bus.
 *
 * @module
 */

import { addressText } from "./protocol.ts";

/** Keeps account of what is whose. To the guest all adapters are one bus. */
export class Claims {
  readonly #owners = new Map<number, string>();
  readonly #files = new Set<string>();
  /** Names of parts. */
  readonly names = new Set<string>();

  /** @throws whatever `fail` does, where the address is taken */
  claim(address: number, owner: string, fail: (why: string) => never): void {
    const other = this.#owners.get(address);
    if (other === owner) fail(`address ${addressText(address)} is listed twice for ${owner}`);
    if (other !== undefined) {
      fail(
        `address ${addressText(address)} is listed for ${other} and for ${owner}; ` +
          "guests see one bus, where an address is one chip",
      );
    }
    this.#owners.set(address, owner);
  }

  /** The same for files that belong to one part. */
  claimFile(path: string, fail: (why: string) => never): void {
    if (this.#files.has(path)) fail(`the file '${path}' already belongs to another part`);
    this.#files.add(path);
  }
}
