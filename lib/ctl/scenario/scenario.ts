/**
 * A scenario: what is started, and what then happens step by step.
 *
 * @module
 */

import type { Matcher } from "./matcher.ts";
import type { Step } from "./step.ts";

interface StartHead {
  /** By which steps and commands know it. */
  readonly name: string;
  /** Where in the file. */
  readonly line: number;
  /** True if a step starts it. */
  readonly later: boolean;
}

/** A daemon that is to run. */
export interface DaemonStart extends StartHead {
  readonly kind: "daemon";
  /** Its program: a path, or a name. */
  readonly program: string;
  /** Its configuration file, in which lines have the numbers that they have in the scenario. */
  readonly config: string | undefined;
  /** More options, as a shell reads them. */
  readonly options: string;
}

/** Where a command's console is: its standard input and output, a terminal, or a Unix socket. */
export const CONSOLES = ["stdio", "pty", "socket"] as const;

/** Any other program that is to run. */
export interface CommandStart extends StartHead {
  readonly kind: "command";
  /** As a shell reads it. */
  readonly command: string;
  readonly console: (typeof CONSOLES)[number] | undefined;
  /** What it prints once the next one may start. */
  readonly ready: Matcher | undefined;
}

/** Something that is to run. */
export type Start = DaemonStart | CommandStart;

/** What a file says. */
export interface Scenario {
  /** As it was named. */
  readonly file: string;
  /** Where it is: what it names is looked for there. */
  readonly folder: string;
  readonly name: string;
  /** How long something is waited for, in milliseconds, where a step does not say. */
  readonly within: number;
  /** How long all of it may take, in milliseconds. */
  readonly timeout: number;
  readonly starts: readonly Start[];
  readonly steps: readonly Step[];
}
