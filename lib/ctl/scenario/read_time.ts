/**
 * Times in a scenario.
 *
 * @module
 */

import type { ConfigNode } from "../../input/config_node.ts";
import { parseTime, TIME_FORM } from "../quantities.ts";

/** A time in milliseconds. */
export function readTimeNode(node: ConfigNode): number {
  const text = node.word(TIME_FORM);
  return parseTime(text) ?? node.fail(`expected ${TIME_FORM}, found '${text}'`);
}
