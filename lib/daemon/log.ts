/**
 * The log: lines on standard error, as text or as JSON.
 *
 * @module
 */

import {
  configureSync,
  getLogger,
  type Logger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";

/** From the fewest lines to the most. */
export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
/** How a line looks. */
export const LOG_FORMATS = ["text", "json"] as const;

/** How much is logged, and how. */
export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

const encoder = new TextEncoder();
const shown: Record<LogLevel, string> = {
  fatal: "error",
  error: "error",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

function write(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  } catch {
    // Whoever read the log has gone; that is no reason to stop serving.
  }
}

function text(record: LogRecord): string {
  const [, ...scope] = record.category;
  const where = scope.length > 0 ? `${scope.join(" ")}: ` : "";
  const time = new Date(record.timestamp).toISOString();
  return `${time} ${shown[record.level].padEnd(5)} ${where}${record.message.join("")}`;
}

function json(record: LogRecord): string {
  const [program, ...scope] = record.category;
  return JSON.stringify({
    time: new Date(record.timestamp).toISOString(),
    level: shown[record.level],
    program,
    ...(scope.length > 0 ? { scope: scope.join(" ") } : {}),
    message: record.message.join(""),
    ...record.properties,
  });
}

/** Sets the log up, once per thread. */
export function configureLog(program: string, settings: LogSettings): void {
  const format = settings.format === "json" ? json : text;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => write(format(record)) },
    loggers: [
      {
        category: [program],
        sinks: ["stderr"],
        lowestLevel: settings.level === "warn" ? "warning" : settings.level,
      },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
}

/** The logger of a program, or of one guest's thread of it. */
export function getLog(program: string, ...scope: string[]): Logger {
  return getLogger([program, ...scope]);
}
