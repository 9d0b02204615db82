/**
 * Which rule a chip select has, as users say it: `command`, `prefix:1`, `nor`, `nand`, `eeprom:2`,
 * `gap` or `cs-change`.
 *
 * @module
 */

import { readInteger } from "../../../text/numbers.ts";
import { AutomaticRule } from "./automatic.ts";
import { CommandRule } from "./command.ts";
import { CsChangeRule } from "./cs_change.ts";
import { EepromRule } from "./eeprom.ts";
import { GapRule } from "./gap.ts";
import { NandRule } from "./nand.ts";
import { NorRule } from "./nor.ts";
import { PrefixRule } from "./prefix.ts";
import type { MessageRule, MessageWaits } from "./rule.ts";

/** Rules that stand for themselves. */
const PLAIN_RULES = ["command", "nor", "nand", "gap", "cs-change"] as const;

/** Rules with a number. */
export const NUMBERED_RULES = {
  prefix: { minimum: 0, maximum: 255, what: "a number of bytes" },
  eeprom: { minimum: 1, maximum: 3, what: "a number of address bytes" },
} as const;

/** A chip select's rule. */
export type MessageSetting =
  | { readonly rule: "automatic" | (typeof PLAIN_RULES)[number] }
  | { readonly rule: keyof typeof NUMBERED_RULES; readonly number: number };

/** Where nothing was said. */
export const AUTOMATIC: MessageSetting = { rule: "automatic" };

/** All forms, for messages. */
export const MESSAGE_FORMS = "command, nor, nand, eeprom:N, prefix:N, gap or cs-change";

/** Reads a rule; `undefined` if it is none. */
export function parseMessageSetting(text: string): MessageSetting | undefined {
  const plain = PLAIN_RULES.find((rule) => rule === text);
  if (plain !== undefined) return { rule: plain };
  const [rule, count, ...rest] = text.split(":");
  if (rest.length > 0 || !Object.hasOwn(NUMBERED_RULES, rule)) return undefined;
  const name = rule as keyof typeof NUMBERED_RULES;
  const number = readInteger(count ?? "");
  const { minimum, maximum } = NUMBERED_RULES[name];
  if (number === undefined || number < minimum || number > maximum) return undefined;
  return { rule: name, number };
}

/** Makes the rule of one chip select. */
export function makeRule(
  setting: MessageSetting,
  waits: MessageWaits,
  warn: (text: string) => void,
  inform: (text: string) => void,
): MessageRule {
  switch (setting.rule) {
    case "automatic":
      return new AutomaticRule(waits, warn, inform);
    case "command":
      return new CommandRule(waits, warn);
    case "prefix":
      return new PrefixRule(setting.number, waits);
    case "nor":
      return new NorRule(waits);
    case "nand":
      return new NandRule(waits);
    case "eeprom":
      return new EepromRule(setting.number, waits);
    case "gap":
      return new GapRule(waits, warn);
    case "cs-change":
      return new CsChangeRule(waits);
  }
}
