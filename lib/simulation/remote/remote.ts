/**
 * A part that a program serves, in whatever language: as a guest's thread has it.
 *
 * A guest waits for the program, but not without bound: where there is no answer in time, the part
 * does not answer, and is not waited for again until the program has caught up.
 *
 * State: a mailbox.
 *
 * @module
 */

import type { PartContext } from "../part.ts";
import type { Properties } from "../property.ts";
import { ANSWER, Mailbox, NOBODY, SILENCE } from "./mailbox.ts";

export const remoteProperties = {
  "answer-ms": {
    type: "integer",
    set: "start",
    what: "a time in milliseconds",
    from: 1,
    to: 1000,
    unit: "ms",
    default: 100,
    help: "for how long the program's answer is waited for, while the guest waits",
  },
  served: { type: "boolean", set: "never", help: "whether a program serves it" },
  interrupt: {
    type: "boolean",
    set: "never",
    interrupt: "active-low",
    help: "whether it calls: the program says so",
  },
} as const satisfies Properties;

/** What both kinds of buses have in common. */
export const remoteModel = {
  name: "remote",
  properties: remoteProperties,
  isRemote: true,
  stateSize: () => Mailbox.SIZE,
  live: {
    served: { get: (state: DataView) => new Mailbox(state).isServed },
    interrupt: { get: (state: DataView) => new Mailbox(state).interrupt },
  },
} as const;

/** The part, as it asks its program. */
export class Remote {
  readonly mailbox: Mailbox;
  readonly #context: PartContext<typeof remoteProperties>;
  readonly #title: string;
  readonly #wait: (run: () => void) => void;
  /** What it is with the program, as it was told last. */
  #told = ANSWER;

  /** @param title for people, for example `address 0x48` */
  constructor(context: PartContext<typeof remoteProperties>, title: string) {
    this.mailbox = new Mailbox(context.state);
    this.#context = context;
    this.#title = title;
    this.#wait = context.unlocked;
  }

  /** @returns false if it is refused, or not answered in time */
  ask(kind: number, first: boolean, bytes: Uint8Array, begin: number, end: number): boolean {
    const limit = this.#context.settings["answer-ms"];
    const outcome = this.mailbox.ask(kind, first, bytes, begin, end, this.#wait, limit);
    if (outcome === SILENCE || outcome === NOBODY) this.#tell(outcome, limit);
    else if (this.#told !== ANSWER) this.#answers();
    return outcome === ANSWER;
  }

  #tell(outcome: number, limit: number): void {
    if (this.#told === outcome) return;
    this.#told = outcome;
    const why = outcome === NOBODY
      ? "no program serves it"
      : `its program has not answered within ${limit} ms`;
    this.#context.log.warn(`the part at ${this.#title} does not answer: ${why}`);
  }

  #answers(): void {
    this.#told = ANSWER;
    this.#context.log.info(`the part at ${this.#title} answers again`);
  }
}
