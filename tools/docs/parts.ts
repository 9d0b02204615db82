/**
 * What a program can simulate, as tables of its guide: made from what each part declares.
 *
 * @module
 */

import {
  type Declaration,
  expectation,
  isSetAtStart,
  numberText,
  type Properties,
  type Property,
} from "../../lib/simulation/property.ts";
import { table } from "./table.ts";

const WHEN = {
  start: "at the start",
  running: "while guests run",
  both: "at the start, and while guests run",
  never: "only read",
} as const;

function values(property: Property): string {
  switch (property.type) {
    case "boolean":
      return "`true` or `false`";
    case "integer":
    case "number":
    case "choice":
    case "time":
      return expectation(property);
    case "text":
      return "text";
    case "path":
      return "a path";
    case "numbers":
      return `a list of ${property.what.replace(/^an? /, "")}s, or \`true\` for all`;
    case "bytes":
      if (property.picture !== undefined) {
        const { width, height } = property.picture;
        return `a picture of ${width} × ${height} pixels`;
      }
      return `bytes by the number of ${property.what}: \`{ 0x00: 0x12, 0x10: [0x34, 0x56] }\``;
  }
}

function usual(property: Property): string {
  if (property.type === "bytes") return numberText({ base: 16 }, property.fill ?? 0);
  if (property.type === "numbers") return "none";
  if (property.default === undefined || property.default === "") return "";
  if (typeof property.default !== "number") return `${property.default}`;
  return property.type === "choice" ? `${property.default}` : numberText(
    property as { base?: 16 },
    property.default,
  );
}

function row([name, property]: [string, Property]): string[] {
  return [
    `\`${name}\``,
    property.help,
    values(property),
    isSetAtStart(property) ? usual(property) : "",
    WHEN[property.set],
  ];
}

/** So many rows in a row that differ in nothing but what they are about are one. */
const ALIKE = 4;

/** Rows of properties; those of a row of inputs, say, are one. */
function rowsOf(properties: Properties): string[][] {
  const rows: string[][] = [];
  let run: string[][] = [];
  const isLike = ([, , ...one]: string[], [, , ...other]: string[]) => `${one}` === `${other}`;
  const end = () => {
    if (run.length < ALIKE) {
      rows.push(...run);
    } else {
      const [[first, help, ...rest]] = run;
      rows.push([`${first} to ${run.at(-1)![0]}`, `${help}, and so on`, ...rest]);
    }
    run = [];
  };
  for (const entry of Object.entries(properties)) {
    const next = row(entry);
    const [, property] = entry;
    const isNumbered = /\d$/.test(entry[0]) && property.type !== "bytes";
    if (run.length > 0 && !(isNumbered && isLike(run[0], next))) end();
    run.push(next);
    if (!isNumbered) end();
  }
  end();
  return rows;
}

/** The tables: one of all parts, then one of the properties of each or of several that share them. */
export function partsTables(parts: readonly Declaration[]): string[] {
  const groups: { names: string[]; rows: string[][] }[] = [];
  for (const { name, properties } of parts) {
    const rows = rowsOf(properties);
    if (rows.length === 0) continue;
    const last = groups.at(-1);
    if (JSON.stringify(last?.rows) === JSON.stringify(rows)) last!.names.push(`\`${name}\``);
    else groups.push({ names: [`\`${name}\``], rows });
  }
  const list = parts.length < 2
    ? []
    : [...table(["part", "what it is"], parts.map(({ name, help }) => [`\`${name}\``, help])), ""];
  return [
    ...list,
    ...groups.flatMap(({ names, rows }, index) => [
      ...(index === 0 ? [] : [""]),
      `Properties of ${names.length > 3 ? `${names[0]} to ${names.at(-1)}` : names.join(", ")}:`,
      "",
      ...table(["property", "what it is", "values", "if left out", "can be set"], rows),
    ]),
  ];
}
