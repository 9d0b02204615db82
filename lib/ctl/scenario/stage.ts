/**
 * Where a scenario takes place: what is there, and how a step waits for it.
 *
 * @module
 */

import { LONGEST_TIMER } from "../quantities.ts";
import { clock } from "./clock.ts";
import type { Console } from "./console.ts";
import type { Processes } from "./processes.ts";
import type { Reactor } from "./reactor.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/**
 * Looks whether it is over: true if it is, else after how many milliseconds to look again, even if
 * nothing changes until then.
 */
export type Look = (now: number) => boolean | number;

/** Where things are. */
export interface Premises {
  /** The `import.meta.url` of the module that the process was started with. */
  readonly entry: string;
  /** Of sockets and all else that is gone in the end. */
  readonly folder: string;
  /** Of logs. */
  readonly logs: string;
}

/** The stage. */
export class Stage {
  readonly scenario: Scenario;
  readonly reactor: Reactor;
  readonly world: World;
  readonly processes: Processes;
  readonly #premises: Premises;
  readonly #looks = new Set<() => void>();
  readonly #end = new AbortController();

  constructor(
    scenario: Scenario,
    premises: Premises,
    reactor: Reactor,
    world: (stage: Stage) => World,
    processes: (stage: Stage) => Processes,
  ) {
    this.scenario = scenario;
    this.#premises = premises;
    this.reactor = reactor;
    this.world = world(this);
    this.processes = processes(this);
  }

  get entry(): string {
    return this.#premises.entry;
  }

  get folder(): string {
    return this.#premises.folder;
  }

  /** Where a program prints to. */
  log(name: string): string {
    return `${this.#premises.logs}/${name}.log`;
  }

  /** The sockets of a daemon, as `--socket-path` says it; also one of a console. */
  socket(name: string): string {
    return `${this.folder}/${name}.sock`;
  }

  /** The control socket of a daemon. */
  control(name: string): string {
    return `${this.folder}/${name}.control`;
  }

  /** What breaks off whatever is being done. */
  get end(): AbortSignal {
    return this.#end.signal;
  }

  /** What a program has printed. */
  console(name: string): Console {
    return this.processes.get(name).console;
  }

  /** Breaks off whatever is being done. */
  breakOff(why: Error): void {
    if (!this.#end.signal.aborted) this.#end.abort(why);
  }

  /** Something has changed: all look at it. */
  changed(): void {
    for (const look of [...this.#looks]) look();
  }

  /**
   * Looks at each change until it is over.
   *
   * @param limit after how many milliseconds it is over in any case
   * @returns true if it was over before that
   */
  until(limit: number, look: Look): Promise<boolean> {
    const deadline = clock() + limit;
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Promise<boolean>((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(turn);
        this.end.removeEventListener("abort", abort);
        settle();
      };
      const abort = () => finish(() => reject(this.end.reason));
      const turn = () => {
        // Deno 2.5 calls a timer that was cleared when it had come due already.
        if (!this.#looks.has(turn)) return;
        clearTimeout(timer);
        const now = clock();
        let result: boolean | number;
        try {
          result = look(now);
        } catch (error) {
          return finish(() => reject(error));
        }
        if (result === true) return finish(() => resolve(true));
        if (now >= deadline) return finish(() => resolve(false));
        const again = typeof result === "number"
          ? Math.min(result, deadline - now)
          : deadline - now;
        timer = setTimeout(turn, Math.min(Math.max(1, Math.ceil(again)), LONGEST_TIMER));
      };
      if (this.end.aborted) return reject(this.end.reason);
      this.end.addEventListener("abort", abort);
      this.#looks.add(turn);
      turn();
    });
  }

  /** Waits for something that goes on by itself, unless all is broken off before. */
  async whileRunning<T>(action: Promise<T>): Promise<T> {
    this.end.throwIfAborted();
    let abort = () => {};
    const broken = new Promise<never>((_, reject) => {
      abort = () => reject(this.end.reason);
      this.end.addEventListener("abort", abort);
    });
    try {
      return await Promise.race([action, broken]);
    } finally {
      this.end.removeEventListener("abort", abort);
    }
  }

  /** Lets time pass. */
  async sleep(milliseconds: number): Promise<void> {
    await this.until(milliseconds, () => false);
  }

  /**
   * Looks at each change from now on, and breaks everything off where that throws.
   *
   * @returns what ends it
   */
  guard(look: () => void): () => void {
    const turn = () => {
      try {
        look();
      } catch (error) {
        this.#looks.delete(turn);
        this.breakOff(error as Error);
      }
    };
    this.#looks.add(turn);
    turn();
    return () => this.#looks.delete(turn);
  }
}
