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
import { fileStatus } from "../../ffi/fd.ts";
import { Output } from "../../ffi/output.ts";
import { LogLimit } from "./log_limit.ts";

/** From the fewest lines to the most. */
export const LOG_LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
/** How a line looks. */
export const LOG_FORMATS = ["text", "json"] as const;

/** How much is logged, and how. */
export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** Makes a line, without its end, of a record. */
export type LogFormatter = (record: LogRecord) => string;

const STANDARD_ERROR = 2;

const shown: Record<LogLevel, string> = {
  fatal: "error",
  error: "error",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** The priorities of sd-daemon(3). */
const priority: Record<LogLevel, number> = {
  fatal: 3,
  error: 3,
  warning: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/** What ends a line, moves the cursor or turns the direction of writing: not for logs as it is. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function escape(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The text on one line, its control characters shown as escapes. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, escape);
}

/** The message as it was given. LogTape's own idea of it fills in what is in braces. */
function messageOf(record: LogRecord): string {
  const { rawMessage } = record;
  return typeof rawMessage === "string" ? rawMessage : rawMessage.join("");
}

/** `guest 0: MESSAGE` */
function body(record: LogRecord): string {
  const [, guest] = record.category;
  const where = guest === undefined ? "" : `guest ${guest}: `;
  return oneLine(`${where}${messageOf(record)}`);
}

/** Lines for people: time, level, guest, message. */
export function formatText(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  return `${time} ${shown[record.level].padEnd(5)} ${body(record)}`;
}

/** Lines for systemd's journal, which knows the time and reads the level from a prefix. */
export function formatJournal(record: LogRecord): string {
  return `<${priority[record.level]}>${body(record)}`;
}

/** Lines for programs: one object each. */
export function formatJson(record: LogRecord): string {
  const [program, guest] = record.category;
  const head = {
    time: new Date(record.timestamp).toISOString(),
    level: shown[record.level],
    program,
    ...(guest === undefined ? {} : { guest: Number(guest) }),
    message: messageOf(record),
  };
  // Spread twice: the first time for the order, the second for no property to replace them.
  const line = JSON.stringify(
    { ...head, ...record.properties, ...head },
    (_, value) => typeof value === "bigint" ? `0x${value.toString(16)}` : value,
  );
  return oneLine(line);
}

/** True if standard error leads to systemd's journal: systemd.exec(5), `$JOURNAL_STREAM`. */
function isJournal(): boolean {
  const stream = Deno.env.get("JOURNAL_STREAM");
  if (stream === undefined) return false;
  try {
    const { device, inode } = fileStatus(STANDARD_ERROR);
    return stream === `${device}:${inode}`;
  } catch {
    return false;
  }
}

const encoder = new TextEncoder();
let output: Output | undefined;
let lost = 0;

/** @returns how many bytes were written; 0 for none */
function write(line: string): number {
  output ??= new Output(STANDARD_ERROR);
  const bytes = encoder.encode(line + "\n");
  return output.write(bytes) ? bytes.length : 0;
}

/** Whoever reads the log may be gone or asleep; that is no reason to stop serving. */
function sink(format: LogFormatter): (record: LogRecord) => number {
  return (record) => {
    let size = 0;
    if (lost > 0) {
      const message = `${lost} lines of the log were lost: nobody read them`;
      size = write(format({ ...record, level: "warning", rawMessage: message, properties: {} }));
      if (size === 0) {
        lost++;
        return 0;
      }
      lost = 0;
    }
    const more = write(format(record));
    if (more === 0) lost++;
    return size + more;
  };
}

let current: LogFormatter | undefined;

function configure(
  program: string,
  { level }: LogSettings,
  stderr: (record: LogRecord) => void,
): void {
  // The sandbox leaves no way to open it later.
  output ??= new Output(STANDARD_ERROR);
  configureSync({
    reset: true,
    sinks: { stderr },
    loggers: [
      {
        category: [program],
        sinks: ["stderr"],
        lowestLevel: level === "warn" ? "warning" : level,
      },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
}

function formatterOf({ format }: LogSettings): LogFormatter {
  return format === "json" ? formatJson : isJournal() ? formatJournal : formatText;
}

/** Sets the log of the main thread up. */
export function configureLog(program: string, settings: LogSettings): void {
  current = formatterOf(settings);
  configure(program, settings, sink(current));
}

/** Sets the log of a thread up that others can make say much: guests, or control clients. */
export function configureLimitedLog(program: string, settings: LogSettings): LogLimit<LogRecord> {
  const limit = new LogLimit(sink(formatterOf(settings)));
  configure(program, settings, (record) => limit.take(record));
  return limit;
}

/** The logger of a program, or of one guest's thread of it. */
export function getLog(program: string, guest?: number): Logger {
  return getLogger(guest === undefined ? [program] : [program, `${guest}`]);
}

/** A line of JSON about an error, without the time. */
function timelessJson(program: string, guest: number | undefined, message: string): string {
  return oneLine(JSON.stringify({ level: "error", program, guest, message }));
}

/**
 * A line about a guest as it will be, if it ever is: it does not bear the time.
 *
 * @returns where it belongs, and what, without its end
 */
export function lastLine(
  program: string,
  guest: number,
  message: string,
): { readonly fd: number; readonly text: string } {
  output ??= new Output(STANDARD_ERROR);
  const { fd } = output;
  if (current === formatJson) return { fd, text: timelessJson(program, guest, message) };
  const prefix = current === formatJournal ? `<${priority.error}>` : "error ";
  return { fd, text: oneLine(`${prefix}guest ${guest}: ${message}`) };
}

/** The text with its middle left out where it is very long, as when it repeats a long argument. */
function shorten(text: string): string {
  const most = 1000;
  if (text.length <= most) return text;
  return `${text.slice(0, most / 2)} … ${text.slice(-most / 2)}`;
}

/**
 * The line, without its end, that says why the program ends: of its own kind, except where all lines
 * are JSON.
 */
export function endText(program: string, reason: string): string {
  if (current === formatJson) return timelessJson(program, undefined, reason);
  const prefix = current === formatJournal || isJournal() ? `<${priority.error}>` : "";
  return `${prefix}${oneLine(shorten(`${program}: ${reason}`))}`;
}

/** Says why the program ends. */
export function reportEnd(program: string, reason: string): void {
  if (current === formatJson) getLog(program).error(reason);
  else write(endText(program, reason));
}
