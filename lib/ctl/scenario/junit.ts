/**
 * Results as CI systems read them: JUnit's XML, a test suite for the scenario and a test case for
 * each step.
 *
 * @module
 */

import { failureLines, type Outcome, type Result } from "./report.ts";

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** What XML 1.0 cannot say at all. */
const FORBIDDEN = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function clean(text: string): string {
  return text.toWellFormed().replaceAll(FORBIDDEN, "\ufffd");
}

function attribute(text: string): string {
  return clean(text).replaceAll(/[&<>"\n]/g, (char) => ESCAPED[char]);
}

function content(text: string): string {
  return clean(text).replaceAll(/[&<>]/g, (char) => ESCAPED[char]);
}

function time(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/**
 * The text of the file.
 *
 * @param begin in milliseconds since 1970
 */
export function junitXml(
  { scenario, results, failure, milliseconds }: Outcome,
  begin: number,
): string {
  const suite = attribute(scenario.name);
  const cases = results.flatMap((result) => {
    const head = `    <testcase classname="${suite}" name="${attribute(caseName(result))}" ` +
      `file="${attribute(scenario.file)}" line="${result.line}" time="${
        time(result.milliseconds)
      }"`;
    if (result.verdict === "passed") return [`${head}/>`];
    if (result.verdict === "skipped") return [`${head}>`, "      <skipped/>", "    </testcase>"];
    const message = attribute(`expected ${failure?.expected}; ${failure?.seen}`);
    const text = failure === undefined ? "" : content(failureLines(failure).join("\n"));
    return [
      `${head}>`,
      `      <failure message="${message}" type="StepFailure">${text}</failure>`,
      "    </testcase>",
    ];
  });
  const count = (verdict: Result["verdict"]) =>
    results.filter((result) => result.verdict === verdict).length;
  const counts = `tests="${results.length}" failures="${count("failed")}" errors="0" ` +
    `skipped="${count("skipped")}" time="${time(milliseconds)}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="${suite}" ${counts}>`,
    `  <testsuite name="${suite}" ${counts} timestamp="${
      new Date(begin).toISOString().slice(0, 19)
    }">`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** Steps may be the same, test cases may not. */
function caseName({ line, title }: Result): string {
  return `${line}: ${title}`;
}
