/**
 * What a soak counts, and what it makes of that.
 *
 * @module
 */

/** More than this in a minute for one guest is a log that can be flooded, in bytes. */
const LOG_PER_MINUTE = 1_000_000;
/**
 * What a daemon may have gained at its end, in bytes. V8 gives back late what garbage it has had,
 * each guest's thread for itself.
 */
const MEMORY_GAIN = 125e6;
/** What a soak without is none. */
const TRIED = ["connections", "messages", "chains", "scribbles", "memory tables", "cuts"];
/** How many problems are told of each kind. */
const FEW = 5;

/** What hostile front-ends have done, by what it is called. */
export type Tried = Record<string, number>;

/** What a healthy guest has seen. */
export interface Health {
  answers: number;
  /** The longest that it waited for an answer, in milliseconds. */
  worst: number;
  /** Answers that were wrong, and those that never came. */
  readonly problems: string[];
}

/** One daemon at the end of a soak. */
export interface DaemonFigures {
  readonly program: string;
  readonly alive: boolean;
  /** For how many minutes it was under fire. */
  readonly minutes: number;
  readonly tried: Tried;
  readonly health: Health;
  /** Sockets that left a front-end without an answer. */
  readonly hangs: readonly string[];
  readonly descriptors: readonly [before: number, after: number];
  /** Resident, in bytes; `most` was seen on the way. */
  readonly memory: readonly [before: number, after: number];
  readonly most: number;
  /** The log's size in bytes for each guest, and the lines of no guest last. */
  readonly log: readonly number[];
  /** Exceptions of its own that the daemon tells of. */
  readonly errors: readonly string[];
  /** The end of its log. */
  readonly lastWords: readonly string[];
}

function few(problems: readonly string[]): string[] {
  const rest = problems.length - FEW;
  return rest <= 0 ? [...problems] : [...problems.slice(0, FEW), `${rest} more like these`];
}

/** What was not as it has to be; nothing if all is well. */
export function complaints(figures: DaemonFigures): string[] {
  const { alive, minutes, health, hangs, descriptors, memory, log, errors } = figures;
  const found: string[] = [];
  if (!alive) found.push(["died; the end of its log:", ...figures.lastWords].join("\n  "));
  found.push(...few(hangs));
  found.push(...few(health.problems).map((problem) => `healthy guest: ${problem}`));
  if (health.answers === 0) found.push("the healthy guest has got no answer at all");
  found.push(...few(errors));
  if (alive && descriptors[1] > descriptors[0]) {
    found.push(`${descriptors[1] - descriptors[0]} descriptors were left open`);
  }
  const gain = memory[1] - memory[0];
  if (alive && gain > MEMORY_GAIN) found.push(`grew by ${megabytes(gain)}`);
  const limit = LOG_PER_MINUTE * Math.max(1, minutes);
  log.forEach((size, guest) => {
    if (size > limit) {
      found.push(`wrote ${megabytes(size)} of log ${aboutGuest(guest, log.length)}`);
    }
  });
  for (const what of TRIED) if (!figures.tried[what]) found.push(`no ${what} were tried`);
  return found.map((complaint) => `${figures.program}: ${complaint}`);
}

function aboutGuest(guest: number, count: number): string {
  return guest === count - 1 ? "about no guest" : `about guest ${guest}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The figures as a paragraph for people. */
export function report(figures: DaemonFigures): string {
  const { program, alive, tried, health, hangs, descriptors, memory, most, log } = figures;
  const counts = Object.entries(tried).map(([what, count]) => `${count} ${what}`);
  const rows: [string, string][] = [
    ["tried", counts.join(", ")],
    ["deaths, hangs", `${alive ? 0 : 1}, ${hangs.length}`],
    [
      "healthy guest",
      `${health.answers} answers, ${health.problems.length} wrong or lost, ` +
      `the worst after ${health.worst.toFixed(1)} ms`,
    ],
    ["descriptors", `${descriptors[0]} before, ${descriptors[1]} after`],
    [
      "memory",
      `${megabytes(memory[0])} before, at most ${megabytes(most)}, ${megabytes(memory[1])} after`,
    ],
    ["log", log.map((size, at) => `${megabytes(size)} ${aboutGuest(at, log.length)}`).join(", ")],
  ];
  return [program, ...rows.map(([name, value]) => `  ${name.padEnd(15)}${value}`)].join("\n");
}
