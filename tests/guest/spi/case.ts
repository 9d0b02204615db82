/** One behaviour, named by a sentence. */
export interface Case {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}
