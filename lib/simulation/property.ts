/**
 * What a simulated thing says of itself: its properties.
 *
 * From these declarations come the keys of the configuration file, their checks and error texts,
 * the tables in the guides, and what can be read and set while guests run.
 *
 * @module
 */

import { anyOf } from "../text/words.ts";

/**
 * When a property can be set: in the configuration file, while guests run, both, or not at all.
 * All of them can be read at any time.
 */
export type When = "start" | "running" | "both" | "never";

/** Another property of the same thing has to be something. */
export interface SetWhile {
  readonly property: string;
  /** Of an integer, the bit that has to be that, numbered from the lowest. */
  readonly bit?: number;
  readonly is: boolean | number | string;
}

interface Common {
  readonly set: When;
  /** It can be set while guests run only while this is so. */
  readonly setWhile?: SetWhile;
  /** One line, without a full stop. */
  readonly help: string;
  /** Properties that cannot be given together with this one in the configuration file. */
  readonly excludes?: readonly string[];
}

/** The level of a pin at which it calls for attention; at rest it has the other one. */
export type ActiveLevel = "active-low" | "active-high";

/** `true` or `false`. */
export interface BooleanProperty extends Common {
  readonly type: "boolean";
  readonly default?: boolean;
  /**
   * Said of a pin of the part that calls for attention, an interrupt output: true while it calls.
   * Such a property is never set, and `live` says how it is read.
   */
  readonly interrupt?: ActiveLevel;
}

/** A number in a range: a whole one, or any. */
export interface NumberProperty extends Common {
  readonly type: "integer" | "number";
  /** What it is, for messages; `a whole number` or `a number` if left out. */
  readonly what?: string;
  readonly from: number;
  readonly to: number;
  /** How fine it is: other values are rounded. 1 for integers, nothing for numbers if left out. */
  readonly step?: number;
  /** For people, for example `°C`. */
  readonly unit?: string;
  /** The base in which people write it; 10 if left out. */
  readonly base?: 16;
  readonly default?: number;
}

/** A text. */
export interface TextProperty extends Common {
  readonly type: "text";
  readonly what?: string;
  readonly default?: string;
}

/** A moment in UTC, to the second: a text such as `2030-12-31T23:59:59Z`. */
export interface TimeProperty extends Common {
  readonly type: "time";
  /** The first year that it can be in, and the last. */
  readonly years: readonly [from: number, to: number];
  readonly default?: string;
}

/** The path of a file. */
export interface PathProperty extends Common {
  readonly type: "path";
  readonly default?: string;
}

/** One of a few words or numbers. */
export interface ChoiceProperty extends Common {
  readonly type: "choice";
  readonly choices: readonly (string | number)[];
  readonly unit?: string;
  readonly default?: string | number;
}

/** How many there are of something: fixed, or as the properties declared before have it. */
export type Count = number | ((settings: Readonly<Record<string, SettingValue>>) => number);

/**
 * Some of a row of things that are numbered from 0, for example registers: a list of their numbers.
 * `true` stands for all, `false` for none, which is what it is if it is left out.
 */
export interface NumbersProperty extends Common {
  readonly type: "numbers";
  readonly count: Count;
  /** One of them, with its article, for example `a register`. */
  readonly what: string;
}

/** What bytes are the picture of: rows from the top, each of pixels from the left. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /**
   * Of a pixel. 1: lit or dark, eight of them in a byte, the leftmost in its most significant bit,
   * and a row begins with a byte of its own. 8: how bright it is. 24: red, green and blue.
   */
  readonly bits: 1 | 8 | 24;
}

/**
 * Memory: bytes that lie in a part's state. In the configuration file a mapping from the number of
 * a byte to its value, or to a list of values from there on.
 */
export interface BytesProperty extends Common {
  readonly type: "bytes";
  readonly count: Count;
  /** One of them, with its article, for example `a register`. */
  readonly what: string;
  /** Where in the state they begin. */
  readonly at: number;
  /** What they are where nothing is given; 0 if left out. */
  readonly fill?: number;
  /** Said of bytes that are what somebody in front of the part sees. */
  readonly picture?: Picture;
}

/** One property. */
export type Property =
  | BooleanProperty
  | NumberProperty
  | TextProperty
  | TimeProperty
  | PathProperty
  | ChoiceProperty
  | NumbersProperty
  | BytesProperty;

/** Properties by name, in the order in which they are shown. */
export type Properties = Readonly<Record<string, Property>>;

/** What a kind of thing is declared to be. */
export interface Declaration<P extends Properties = Properties> {
  /** By which it is asked for. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly help: string;
  readonly properties: P;
}

/** Bytes from a place on. */
export interface Run {
  readonly at: number;
  readonly bytes: readonly number[];
}

/** A property's value at the start. */
export type SettingValue =
  | boolean
  | number
  | string
  | readonly number[]
  | readonly Run[]
  | undefined;

/** A property's value while guests run; that of bytes is read and written by range instead. */
export type Value = boolean | number | string | readonly number[] | undefined;

type SettingOf<P extends Property> = P extends { type: "numbers" } ? readonly number[]
  : P extends { type: "bytes" } ? readonly Run[]
  :
    | (P extends { type: "boolean" } ? boolean
      : P extends { type: "integer" | "number" } ? number
      : P extends { type: "choice"; choices: readonly (infer Choice)[] } ? Choice
      : string)
    | (P extends { default: unknown } ? never : undefined);

type AtStart<P extends Properties> = {
  [Name in keyof P]: P[Name]["set"] extends "start" | "both" ? Name : never;
}[keyof P];

/** What the configuration file says of a thing with such properties; defaults where it does not. */
export type Settings<P extends Properties> = {
  readonly [Name in AtStart<P>]: SettingOf<P[Name]>;
};

/** True if the configuration file can set it. */
export function isSetAtStart({ set }: Property): boolean {
  return set === "start" || set === "both";
}

/** True if it can be set while guests run. */
export function isSetWhileRunning({ set }: Property): boolean {
  return set === "running" || set === "both";
}

/** How many there are. */
export function countOf(
  { count }: { readonly count: Count },
  settings: Readonly<Record<string, SettingValue>>,
): number {
  return typeof count === "number" ? count : count(settings);
}

/** A number as people write it for this property. */
export function numberText({ base }: { readonly base?: 16 }, value: number): string {
  return base === 16 ? `0x${value.toString(16).padStart(2, "0")}` : `${value}`;
}

/** What a property takes, for messages, for example `a whole number from 0 to 1000 ms`. */
export function expectation(
  property: NumberProperty | ChoiceProperty | TextProperty | TimeProperty,
): string {
  if (property.type === "text") return property.what ?? "a text";
  if (property.type === "time") {
    const [from, to] = property.years;
    return `a time in UTC such as ${from}-12-31T23:59:59Z, in the years ${from} to ${to}`;
  }
  const unit = property.unit === undefined ? "" : ` ${property.unit}`;
  if (property.type === "choice") {
    return `${anyOf(property.choices.map(String))}${unit}`;
  }
  const what = property.what ?? (property.type === "integer" ? "a whole number" : "a number");
  const { from, to } = property;
  return `${what} from ${numberText(property, from)} to ${numberText(property, to)}${unit}`;
}
