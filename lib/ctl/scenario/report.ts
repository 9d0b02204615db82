/**
 * What is told of a scenario: as it goes, and in the end.
 *
 * @module
 */

import { put, putBytes, putJson } from "../output.ts";
import { alignedLines } from "../table.ts";
import type { Scenario } from "./scenario.ts";

/** What became of a step, or of a start. */
export type Verdict = "passed" | "failed" | "skipped";

/** A step, or a start, when it is over. */
export interface Result {
  readonly title: string;
  readonly line: number;
  readonly verdict: Verdict;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
}

/** Why a scenario has failed. */
export interface Failure {
  readonly expected: string;
  readonly seen: string;
  /** The last things that happened, the oldest first. */
  readonly events: readonly string[];
  /** The last lines that were printed, by whom. */
  readonly outputs: readonly { readonly name: string; readonly lines: readonly string[] }[];
  /** Where the logs are, if they are kept. */
  readonly logs: string | undefined;
}

/** All that is to be told in the end. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly results: readonly Result[];
  readonly failure: Failure | undefined;
  readonly milliseconds: number;
}

/** Hears of what happens. */
export interface Reporter {
  begin(scenario: Scenario): void;
  /** A step is being done. */
  step(title: string, line: number): void;
  /** A step is over. */
  result(result: Result): void;
  end(outcome: Outcome): void;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** What a failure is, in lines. */
export function failureLines(failure: Failure): string[] {
  const { expected, seen, events, outputs, logs } = failure;
  const under = (title: string, lines: readonly string[]) =>
    lines.map((line, index) => [index === 0 ? title : "", line]);
  return alignedLines([
    ["expected", expected],
    ...under("seen", seen.split("\n")),
    ...under("events", events),
    ...outputs.flatMap(({ name, lines }) => under(name, lines.map((line) => `| ${line}`))),
    ...(logs === undefined ? [] : [["logs", logs]]),
  ], "    ");
}

const MARKS: Readonly<Record<Verdict, string>> = { passed: "ok", failed: "FAILED", skipped: "-" };

/** A step with what became of it. */
function stepLine(mark: string, line: number, rest: string): string {
  return `  ${mark.padEnd(6)}  ${`${line}`.padStart(3)}  ${rest}`;
}

/** Lines for people. At a terminal, that of the step that is being done is there from its beginning on. */
export const textReporter: Reporter = {
  begin({ file, name }) {
    put(`${file}: ${name}`);
  },
  step(title, line) {
    if (!Deno.stdout.isTerminal()) return;
    const { columns } = Deno.consoleSize();
    putBytes(
      new TextEncoder().encode(`${stepLine("...", line, title).slice(0, (columns || 80) - 1)}\r`),
    );
  },
  result({ title, line, verdict, milliseconds }) {
    put(stepLine(MARKS[verdict], line, `${title}  (${seconds(milliseconds)})`));
  },
  end({ results, failure, milliseconds }) {
    if (failure !== undefined) failureLines(failure).forEach(put);
    const passed = results.filter(({ verdict }) => verdict === "passed").length;
    const what = failure === undefined ? "passed" : "failed";
    put(`${what}: ${passed} of ${results.length} steps in ${seconds(milliseconds)}`);
  },
};

/** JSON, a value a line. */
export const jsonReporter: Reporter = {
  begin({ file, name }) {
    putJson({ kind: "scenario", file, name });
  },
  step() {},
  result(result) {
    putJson({ kind: "step", ...result });
  },
  end({ failure, milliseconds }) {
    putJson({
      kind: "end",
      passed: failure === undefined,
      milliseconds,
      ...(failure && { failure }),
    });
  },
};
