/**
 * Templates of what packages have for each device: text with marks such as `@TYPE@`.
 *
 * @module
 */

import type { KnownDaemon } from "../programs.ts";

/** Marks that the scripts fill in, where it is known what they stand for. */
const LATER = ["BINDIR", "CONFDIR", "VERSION", "ARCH", "SIZE"];

/** What the marks stand for; without a value where the device has nothing of the kind. */
function valuesOf({ program, type, about }: KnownDaemon): Readonly<Record<string, unknown>> {
  const { title, nodes } = about;
  return {
    PROGRAM: program,
    TYPE: type,
    TITLE: title,
    SUBSYSTEM: nodes?.subsystem,
    NAMES: nodes?.names,
    DEVICES: nodes?.deviceClass,
    GROUP: nodes?.group,
  };
}

/** `A`, `A and B`, `A, B and C` */
function enumeration(words: readonly string[]): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/**
 * Fills in a template. A line with marks is there once for each daemon that has a value for all of
 * them, and only once where that gives the same. `@TITLES@` stands for the titles of all.
 *
 * @throws {Error} if there is a mark that stands for nothing
 */
export function fill(template: string, daemons: readonly KnownDaemon[]): string {
  const titles = enumeration(daemons.map(({ about }) => about.title));
  const lines = template.replaceAll("@TITLES@", titles).split("\n").flatMap((line) => {
    const marks = [...line.matchAll(/@([A-Z]+)@/g)].map(([, name]) => name)
      .filter((name) => !LATER.includes(name));
    if (marks.length === 0) return [line];
    const filled = daemons.map(valuesOf)
      .filter((values) => {
        const unknown = marks.find((name) => !(name in values));
        if (unknown !== undefined) throw new Error(`@${unknown}@ stands for nothing`);
        return marks.every((name) => values[name] !== undefined);
      })
      .map((values) =>
        marks.reduce((text, name) => text.replace(`@${name}@`, `${values[name]}`), line)
      );
    return [...new Set(filled)];
  });
  return lines.join("\n");
}
