/**
 * The texts of `--help` and `--version`.
 *
 * @module
 */

import metadata from "../../deno.json" with { type: "json" };
import { generalOptions, socketOptions } from "./common_options.ts";
import type { DeviceKind } from "./device_kind.ts";
import { type OptionSpec, optionSyntax } from "../input/options.ts";

/** The version of all programs. */
export const VERSION: string = metadata.version;

/** All options of a program, in the order in which they are shown. */
export function allOptions(kind: Pick<DeviceKind<never>, "options">): readonly OptionSpec[] {
  return [...socketOptions, ...kind.options, ...generalOptions];
}

/** `PROGRAM VERSION` */
export function versionText(kind: Pick<DeviceKind<never>, "program">): string {
  return `${kind.program} ${VERSION}`;
}

/** The text of `--help`. */
export function helpText(
  kind: Pick<DeviceKind<never>, "program" | "summary" | "options" | "examples">,
): string {
  const options = allOptions(kind);
  const width = Math.max(...options.map((option) => optionSyntax(option).length)) + 2;
  return [
    `${kind.program}: ${kind.summary}`,
    "",
    `Usage: ${kind.program} --socket-path PATH [OPTION]...`,
    "",
    "Options:",
    ...options.map((option) => `  ${optionSyntax(option).padEnd(width)}${option.help}`),
    "",
    "Examples:",
    ...kind.examples.map(({ args, remark }) => `  ${kind.program} ${args}\n      ${remark}`),
    "",
    "Under systemd socket activation the sockets passed take the place of --socket-path.",
    "Exit status: 0 after SIGTERM, SIGINT or SIGHUP, 1 for a failure at run time, 2 for wrong usage.",
  ].join("\n");
}
