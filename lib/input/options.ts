/**
 * Tables of options, from which arguments are read and help text, man page, completions and the
 * guides' tables are made.
 *
 * @module
 */

/** One option. */
export interface OptionSpec {
  /** The long form, without dashes. */
  readonly name: string;
  /** The one-letter form, without dash. */
  readonly short?: string;
  /** What stands for its value in texts; absent for a switch. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** True if the value is the path of an existing file. */
  readonly file?: boolean;
  /** True if it can be given several times; all values count. */
  readonly several?: boolean;
  /** One line for `--help`, without a full stop. */
  readonly help: string;
  /** A paragraph for the manual, where the line does not say it all. */
  readonly details?: string;
}

/** What was given: a string for an option with a value, true for a switch. */
export type OptionValues = Readonly<Record<string, string | true | undefined>>;

/** An option as people type it, for example `-s, --socket-path PATH`. */
export function optionSyntax(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return `${short}--${option.name}${value}`;
}
