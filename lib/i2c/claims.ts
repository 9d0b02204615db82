/**
 * Who has which address: to the guests, all adapters are one bus.
 *
 * @module
 */

import { addressText } from "./protocol.ts";

/**
 * Keeps account of what is whose. To the guest all adapters are one bus, and what is behind a
 * multiplexer's channel is in addition on that while the channel is selected.
 */
export class Claims {
  readonly #owners = new Map<number, string>();
  /** Those of what is behind multiplexers; the last one where several have an address. */
  readonly #behind = new Map<number, string>();
  readonly #files: Set<string>;
  readonly #before: Claims | undefined;
  /** Names of parts. */
  readonly names: Set<string>;

  /** @param before what a channel is behind */
  constructor(before?: Claims) {
    this.#before = before;
    this.#files = before === undefined ? new Set() : before.#files;
    this.names = before === undefined ? new Set() : before.names;
  }

  /** A channel of its own: what another channel has can be there as well. */
  channel(): Claims {
    return new Claims(this);
  }

  /** @throws whatever `fail` does, where the address is taken */
  claim(address: number, owner: string, fail: (why: string) => never): void {
    const other = this.#ownerOf(address);
    if (other === owner) fail(`address ${addressText(address)} is listed twice for ${owner}`);
    if (other !== undefined) {
      fail(
        `address ${addressText(address)} is listed for ${other} and for ${owner}; ` +
          "guests see one bus, where an address is one chip",
      );
    }
    this.#owners.set(address, owner);
    for (let before = this.#before; before !== undefined; before = before.#before) {
      before.#behind.set(address, owner);
    }
  }

  /** Who is there, here, behind here or before here. */
  #ownerOf(address: number): string | undefined {
    let owner = this.#owners.get(address) ?? this.#behind.get(address);
    for (let before = this.#before; before !== undefined; before = before.#before) {
      owner ??= before.#owners.get(address);
    }
    return owner;
  }

  /** The same for files that belong to one part. */
  claimFile(path: string, fail: (why: string) => never): void {
    if (this.#files.has(path)) fail(`the file '${path}' already belongs to another part`);
    this.#files.add(path);
  }
}
