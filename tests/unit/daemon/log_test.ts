import { assertEquals, assertNotMatch } from "@std/assert";
import type { LogLevel, LogRecord } from "@logtape/logtape";
import { formatJournal, formatJson, formatText, oneLine } from "../../../lib/daemon/log.ts";

function record(
  rawMessage: string,
  properties: Record<string, unknown> = {},
  category = ["vhost-device-test", "3"],
  level: LogLevel = "info",
): LogRecord {
  // What LogTape makes of braces is in `message`, and is not to be used.
  return { category, level, message: ["wrong"], rawMessage, timestamp: 0, properties };
}

Deno.test("a text line has time, level, guest and message", () => {
  assertEquals(formatText(record("a{b}")), "1970-01-01T00:00:00.000Z info  guest 3: a{b}");
  const warning = record("careful", {}, ["vhost-device-test"], "warning");
  assertEquals(formatText(warning), "1970-01-01T00:00:00.000Z warn  careful");
});

Deno.test("a line for the journal has a priority and no time", () => {
  const levels: LogLevel[] = ["fatal", "error", "warning", "info", "debug", "trace"];
  const lines = levels.map((level) => formatJournal(record("x", {}, ["vhost-device-test"], level)));
  assertEquals(lines, ["<3>x", "<3>x", "<4>x", "<6>x", "<7>x", "<7>x"]);
});

Deno.test("a JSON line has properties, but none that replaces a part of every line", () => {
  const properties = { message: "no", time: "no", guest: 9, size: 5n, list: ["{a}"] };
  assertEquals(JSON.parse(formatJson(record("a{b}", properties))), {
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    program: "vhost-device-test",
    guest: 3,
    message: "a{b}",
    size: "0x5",
    list: ["{a}"],
  });
});

Deno.test("no text ends a line or controls a terminal", () => {
  const text = "\0\n\r\t\x1b[0m\x7f\u0085\u009b\u2028\u2029\u202e\u2066 ä🦀\\{}";
  assertEquals(
    oneLine(text),
    "\\u0000\\n\\r\\t\\u001b[0m\\u007f\\u0085\\u009b\\u2028\\u2029\\u202e\\u2066 ä🦀\\{}",
  );
  const json = formatJson(record(text, { text }));
  assertNotMatch(json, /[\n\r\u0085\u009b\u2028]/);
  assertEquals([JSON.parse(json).message, JSON.parse(json).text], [text, text]);
});
