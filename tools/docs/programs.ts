/**
 * The programs, as far as their documentation is concerned: what `--help` is made from, and what
 * the tables there cannot say.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";
import { generalOptions, socketOptions } from "../../lib/daemon/common_options.ts";
import type { DeviceAbout } from "../../lib/daemon/device_kind.ts";
import type { Declaration } from "../../lib/simulation/property.ts";
import { findDaemons, ROOT } from "../programs.ts";

/** One program. */
export interface Program {
  readonly program: string;
  /** What its file in cmd/ and its folder in lib/ are named after, for example `gpio`. */
  readonly type: string;
  readonly summary: string;
  /** The device's own options. */
  readonly options: readonly OptionSpec[];
  readonly configKeys: readonly string[];
  readonly examples: readonly { readonly args: string; readonly remark: string }[];
  /** The kinds of things that it can simulate. */
  readonly parts: readonly Declaration[];
  /** The commented form of the device's part of the configuration file. */
  readonly configForm: readonly string[];
  readonly about: DeviceAbout;
}

/** All options of a program, in the order of `--help`. */
export function allOptions(program: Program): readonly OptionSpec[] {
  return [...socketOptions, ...program.options, ...generalOptions];
}

/** The YAML block in the comment at the head of a module. */
function configForm(module: URL): string[] {
  const [comment] = Deno.readTextFileSync(module).split("*/");
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, ""));
  const first = lines.indexOf("```yaml");
  const last = lines.indexOf("```", first);
  if (first < 0 || last < 0) {
    throw new Error(`${module.pathname}: the comment at its head has no \`\`\`yaml block`);
  }
  return lines.slice(first + 1, last);
}

/** The daemons that cmd/ has, in alphabetical order. */
export async function findPrograms(): Promise<Program[]> {
  return (await findDaemons()).map(({ program, type, kind, about }) => ({
    program,
    type,
    summary: kind.summary,
    options: kind.options,
    configKeys: kind.configKeys,
    examples: kind.examples,
    parts: kind.parts ?? [],
    configForm: configForm(new URL(`lib/${type}/config.ts`, ROOT)),
    about,
  }));
}
