/**
 * What a part is: a simulated chip, declared once.
 *
 * A model says what there is to say of all parts of its kind, and makes what a guest's thread
 * drives. What a part remembers from one transaction to the next lies in its state, memory that all
 * guests and a controller share; within a transaction it is alone.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { BackingFile } from "./backing_file.ts";
import type { PartChanges } from "./changes.ts";
import type { PropertyWatch } from "./property_watch.ts";
import type { ActiveLevel, Declaration, Properties, Settings, Value } from "./property.ts";

/** How a property is read and set while guests run. Both are called with the part's bus locked. */
export interface LiveProperty<AllSettings> {
  get(state: DataView, settings: AllSettings): Value;
  /**
   * @param value that was checked against the declaration
   * @throws {PropertyError} if this cannot be, as things are
   */
  set?(state: DataView, value: never, settings: AllSettings): void;
  /** Of an interrupt whose level the guest chooses: which it is; as declared if left out. */
  active?(state: DataView, settings: AllSettings): ActiveLevel;
  /**
   * Of an interrupt that comes by itself as time goes by: when to look at it again, on the clock of
   * `monotonicTime()`; `Infinity` for not before something else happens. A multiple of a
   * millisecond later will do.
   */
  due?(state: DataView, settings: AllSettings): number;
}

/** Which properties speak of the file that keeps a part's bytes. */
export interface Backing {
  /** That of the file's path. */
  readonly file: string;
  /** That of the bytes which the file keeps. */
  readonly contents: string;
  /** That which says that they never change. */
  readonly readOnly?: string;
}

/** A model of parts, as far as it is the same on all buses. */
export interface PartModel<P extends Properties = Properties> extends Declaration<P> {
  readonly backing?: Backing;
  /** True for a part that a program serves. */
  readonly isRemote?: boolean;

  /** The size of the state in bytes, that of the bytes of properties included. */
  stateSize(settings: Settings<P>): number;
  /**
   * Sets the state, all zero so far but for the bytes of properties, to what it is when the power
   * comes on. Once, on the main thread.
   *
   * @throws {RuntimeError} if the host does not have what it needs
   */
  initialize?(settings: Settings<P>, state: DataView): void;
  /** What the part is for people, for example `flash of 256 KiB`; its name if left out. */
  title?(settings: Settings<P>): string;
  /**
   * By property, for those that are not what the configuration file says for good. Bytes need none:
   * they lie in the state.
   */
  readonly live?: Readonly<Record<string, LiveProperty<Settings<P>>>>;
}

/** What a part at work has to do with. */
export interface PartContext<P extends Properties> {
  readonly settings: Settings<P>;
  /** Of the size that the model asks for, the same memory on all threads. */
  readonly state: DataView;
  /** Keeps what is written, where the model has a backing file and the settings name one. */
  readonly file: BackingFile | undefined;
  /** To be told of what the guest changes. */
  readonly changes: PartChanges;
  /** Tells of it by itself, where a part begins it at the start of a transaction and ends it. */
  readonly watch: PropertyWatch;
  /** Runs something that may wait while others may have the lock of the part's bus. */
  readonly unlocked: (run: () => void) => void;
  readonly log: Logger;
}
