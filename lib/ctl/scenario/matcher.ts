/**
 * What is looked for in what a program prints: a text, or a regular expression.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";

/** Finds something. */
export interface Matcher {
  /** As people see it. */
  readonly shown: string;
  /** Where the first one that begins at `from` or later ends; `undefined` if there is none. */
  find(text: string, from: number): number | undefined;
}

/** Finds a text. */
function textMatcher(wanted: string): Matcher {
  return {
    shown: JSON.stringify(wanted),
    find(text, from) {
      const at = text.indexOf(wanted, from);
      return at < 0 ? undefined : at + wanted.length;
    },
  };
}

/** Finds what an expression describes; `^` and `$` are the ends of lines. */
function expressionMatcher(source: string, flags: string): Matcher {
  const expression = new RegExp(source, `${flags}gm`);
  return {
    shown: `/${source}/${flags}`,
    find(text, from) {
      expression.lastIndex = from;
      return expression.test(text) ? expression.lastIndex : undefined;
    },
  };
}

/** Reads a text, or between slashes a regular expression, with the flags i, s and u behind it. */
export function readMatcher(node: ConfigNode): Matcher {
  const text = node.string("a text, or a regular expression such as /value \\d+/");
  if (text === "") node.fail("expected a text, found an empty one");
  const [, source, flags] = /^\/(.+)\/([isu]*)$/s.exec(text) ?? [];
  if (source === undefined) return textMatcher(text);
  try {
    return expressionMatcher(source, flags);
  } catch (error) {
    return node.fail(`${(error as Error).message}`);
  }
}
