/**
 * A part that a program serves, from the end at which that program is.
 *
 * @module
 */

import type { Value } from "../property.ts";

/** A question. */
export interface Question {
  readonly id: number;
  readonly kind: number;
  /** True for the first after the part was addressed or selected. */
  readonly first: boolean;
  /** How many bytes are read. */
  readonly length: number;
  /** What is written. */
  readonly data: Uint8Array;
}

/** That end; all of it on one thread. */
export interface RemoteEnd {
  /** Signals this eventfd from now on when a guest asks. */
  wakeAt(eventfd: number): void;
  /**
   * What a guest asks, if it waits for an answer.
   *
   * @param known the number of the question that was taken last
   */
  question(known: number): Question | undefined;
  /**
   * Answers it.
   *
   * @param data what was read; `undefined` refuses
   * @param more true if the message is to go on
   */
  answer(data: Uint8Array | undefined, more: boolean): void;
  /**
   * A program begins to serve.
   *
   * @param properties that it declares, as `describe` lists them
   * @param onSet is told of what others set
   * @throws {PropertyError} if they make no sense
   */
  serve(properties: unknown, onSet: (name: string, value: Value) => void): void;
  /** It has gone. */
  end(): void;
  /**
   * The program says what a property of its is now, or whether it calls.
   *
   * @throws {PropertyError} if it has declared nothing of the kind
   */
  tell(name: string, value: unknown): void;
}
