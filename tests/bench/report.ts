/**
 * What was measured: tables for people, and a file of figures.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Where figures and plots go. */
export const RESULTS = new URL("../../bench/results/", import.meta.url);

/** The machine on which it was measured. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly virtual: string;
  readonly deno: string;
}

function command(program: string, ...args: string[]): string {
  try {
    const { stdout } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return "";
  }
}

/** What this machine is. */
export function machine(): Machine {
  const cpu = Deno.readTextFileSync("/proc/cpuinfo");
  const { total } = Deno.systemMemoryInfo();
  return {
    processor: /^model name\s*: (.*)$/m.exec(cpu)?.[1] ?? Deno.build.arch,
    processors: navigator.hardwareConcurrency,
    memoryGiB: Math.round(total / 2 ** 30),
    kernel: Deno.osRelease(),
    virtual: command("systemd-detect-virt") || "unknown",
    deno: Deno.version.deno,
  };
}

/** A table on standard output. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column] + 2)
    );
    console.log(cells.join("").trimEnd());
  }
  console.log();
}

export const microseconds = (value: number): string => `${value.toFixed(1)} µs`;
export const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
export const mebibytes = (value: number): string => `${(value / 2 ** 20).toFixed(1)} MiB`;
export const count = (value: number): string => Math.round(value).toLocaleString("en");
export const ratio = (value: number): string => value.toFixed(2);

/** Adds a section's figures to those of earlier runs. */
export function record(section: string, figures: unknown): void {
  Deno.mkdirSync(RESULTS, { recursive: true });
  const path = fileURLToPath(new URL("figures.json", RESULTS));
  const known = read();
  known[section] = { date: new Date().toISOString().slice(0, 10), machine: machine(), figures };
  const sorted = Object.fromEntries(Object.entries(known).sort(([a], [b]) => a < b ? -1 : 1));
  Deno.writeTextFileSync(path, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/** A section as it was recorded. */
export interface Recorded<Figures> {
  readonly date: string;
  readonly machine: Machine;
  readonly figures: Figures;
}

/** What has been recorded, by section. */
export function read(): Record<string, Recorded<unknown>> {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL("figures.json", RESULTS)));
  } catch {
    return {};
  }
}
