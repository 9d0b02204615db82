/**
 * Where the pins of parts lead to: lines that a GPIO daemon simulates. In the configuration file a
 * pin's name is the key for them, such as `interrupt: lid-int`.
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import type { OptionSpec, OptionValues } from "../input/options.ts";
import { checkSocketPath } from "../input/socket_path.ts";
import { UsageError } from "../errors.ts";
import type { Wire } from "./pins.ts";

/** The key of the configuration file, and the option, that names the GPIO daemon. */
export const GPIO_CONTROL = "gpio-control";

/** The same as an option. */
export const gpioControlOption: OptionSpec = {
  name: GPIO_CONTROL,
  value: "PATH",
  help: "the control socket of the GPIO daemon that interrupts are wired to",
  details: "The pins of simulated parts that have an interrupt in the configuration file drive " +
    "lines there. The GPIO daemon need not be there yet, and may come and go.",
};

/** Reads the lines that a pin leads to: a name, or a list of them. */
export function readLines(node: ConfigNode): string[] {
  const what = "the name of a simulated line";
  if (!node.isList) return [node.word(what)];
  const names = node.list("names of simulated lines").map((one) => one.word(what));
  return names.length > 0 ? names : node.fail(`expected ${what}, found an empty list`);
}

/**
 * The control socket of the GPIO daemon, where pins are wired to lines there.
 *
 * @param parts of all guests
 * @throws {UsageError} if it is needed and not known, or can be none
 */
export function gpioControlOf(
  option: OptionValues[string],
  config: ConfigNode | undefined,
  parts: readonly { readonly part: string; readonly wires?: readonly Wire[] }[],
): string | undefined {
  const path = typeof option === "string" ? option : config?.path();
  if (path !== undefined) checkSocketPath(path, `'${GPIO_CONTROL}': socket path`);
  const wired = parts.find(({ wires = [] }) => wires.length > 0);
  if (wired === undefined || path !== undefined) return wired && path;
  const [{ pin, lines }] = wired.wires!;
  throw new UsageError(
    `'${pin}' of a part ${wired.part} leads to the line '${lines[0]}', but no GPIO daemon is ` +
      `named; give its control socket with --${GPIO_CONTROL} PATH, or '${GPIO_CONTROL}: PATH' in ` +
      "the configuration file",
  );
}
