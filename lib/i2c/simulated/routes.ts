/**
 * Who answers at an address: the part that is there, if the multiplexers before it let it be reached.
 *
 * @module
 */

import { stateOf } from "../../simulation/simulation.ts";
import type { PoweredPart } from "../../simulation/simulation.ts";
import { ADDRESS_COUNT } from "../protocol.ts";
import type { Channels } from "./part.ts";
import { i2cParts } from "./parts.ts";

/** Where a part is that a multiplexer is in front of. */
export interface Behind {
  /** The multiplexer's place in the list of parts, before that of the part. */
  readonly multiplexer: number;
  readonly channel: number;
}

/** A part with its place on the bus. */
export interface PlacedPart extends PoweredPart {
  /** The address, or the first of several; see `TEN_BIT` in the protocol. */
  readonly address: number;
  readonly behind?: Behind | undefined;
}

/** Nobody is there. */
export const NOBODY = -1;

interface Gate extends Behind {
  readonly channels: Channels;
  /** That of the multiplexer. */
  readonly state: DataView;
}

/** How many addresses in a row a part answers to. */
export function addressCount({ part }: { readonly part: string }): number {
  return i2cParts.get(part).addressCount ?? 1;
}

/** The addresses of a bus, as one thread has them. */
export class Routes {
  /** By address, those that are there, in the order in which they are described. */
  readonly #parts: (number[] | undefined)[] = Array(ADDRESS_COUNT).fill(undefined);
  /** By part, its first address. */
  readonly #first: readonly number[];
  /** By part, what is right before it. */
  readonly #gates: readonly (Gate | undefined)[];

  constructor(parts: readonly PlacedPart[]) {
    parts.forEach((part, index) => {
      for (let offset = 0; offset < addressCount(part); offset++) {
        (this.#parts[part.address + offset] ??= []).push(index);
      }
    });
    this.#first = parts.map(({ address }) => address);
    this.#gates = parts.map(({ behind }) => {
      if (behind === undefined) return undefined;
      const multiplexer = parts[behind.multiplexer];
      const { channels } = i2cParts.get(multiplexer.part);
      return channels && { ...behind, channels, state: stateOf(multiplexer) };
    });
  }

  /** The part that answers, by its place in the list, or NOBODY; with the bus locked. */
  find(address: number): number {
    const parts = this.#parts[address];
    if (parts === undefined) return NOBODY;
    for (let index = 0; index < parts.length; index++) {
      if (this.#isReached(parts[index])) return parts[index];
    }
    return NOBODY;
  }

  /** How far an address is from the first of its part. */
  offset(part: number, address: number): number {
    return address - this.#first[part];
  }

  #isReached(part: number): boolean {
    let gate = this.#gates[part];
    while (gate !== undefined) {
      if (!gate.channels.isSelected(gate.state, gate.channel)) return false;
      gate = this.#gates[gate.multiplexer];
    }
    return true;
  }
}
