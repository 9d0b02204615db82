/**
 * Lines of the log of which a guest can cause as many as it likes. Above a rate such lines are summed
 * up, kind by kind. Most lines need nothing for that: those that differ in nothing but numbers are of
 * a kind. Where that is too coarse, or there is something better to say in the end, a line is marked.
 *
 * @module
 */

/** A kind of lines. A line is marked by having it as property `kind`. */
export class LogKind {
  /** Tells it from others of the same guest. */
  readonly key: string;
  /**
   * What is said of this many lines that were left out, behind the last of them, for example `412
   * more changes of line 0`.
   */
  readonly sum: (count: number) => string;

  constructor(key: string, sum: (count: number) => string) {
    this.key = key;
    this.sum = sum;
  }

  /** Nothing of it is for the log to show. */
  toJSON(): undefined {
    return undefined;
  }
}

/** The kind with which a line of these properties is marked, or `undefined`. */
export function kindOf(properties: Record<string, unknown>): LogKind | undefined {
  const { kind } = properties;
  return kind instanceof LogKind ? kind : undefined;
}
