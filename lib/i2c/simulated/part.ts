/**
 * What a chip model is: the one interface behind which all of them stand.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { ConfigNode } from "../../input/config_node.ts";

/**
 * A chip on a simulated bus, as one guest's thread drives it, byte by byte.
 *
 * Between two transactions another guest may have been at it: what the chip remembers from one to
 * the next belongs in its shared state. Within a transaction it is alone.
 */
export interface Chip {
  /**
   * A start or repeated start, with this chip's address.
   *
   * @param read true if bytes will be read, false if they will be written; there may be none
   * @param offset of the address from the chip's first one
   * @returns false not to acknowledge the address, which ends the transaction
   */
  start(read: boolean, offset: number): boolean;
  /**
   * A byte from the bus.
   *
   * @returns false not to acknowledge it, which ends the transaction
   */
  write(byte: number): boolean;
  /** A byte for the bus. */
  read(): number;
  /** The stop that ends a transaction in which this chip was addressed. */
  stop(): void;
  /** Releases what {@linkcode ChipModel.create} has taken of the host. */
  close?(): void;
}

/**
 * A kind of chip.
 *
 * @template Config what it is configured with: anything that `postMessage` can copy
 */
export interface ChipModel<Config = unknown> {
  /** The names by which the configuration file asks for it. */
  readonly names: readonly string[];
  /** Keys of the configuration file that are this model's own. */
  readonly keys: readonly string[];

  /**
   * Reads its part of the configuration file.
   *
   * @param name the one of {@linkcode names} that was used
   * @param values by key
   * @throws {UsageError} if they make no sense
   */
  configure(name: string, values: Partial<Record<string, ConfigNode>>): Config;
  /** How many addresses in a row it answers to, if not one. */
  addressCount?(config: Config): number;
  /** The path of a file that belongs to this chip alone, if there is one. */
  ownFile?(config: Config): string | undefined;
  /** The size of the state that guests share, in bytes. */
  stateSize(config: Config): number;
  /**
   * Sets the state, all zero so far, to what it is when the power comes on. Once, on the main
   * thread.
   *
   * @throws {RuntimeError} if the host does not have what it needs
   */
  initialize(config: Config, state: DataView): void;
  /** Makes the chip for one guest's thread. */
  create(config: Config, state: DataView, log: Logger): Chip;
}
