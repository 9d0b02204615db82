/**
 * The manual page of a program that is given commands.
 *
 * @module
 */

import type { Tool } from "../../lib/ctl/main.ts";
import { option } from "./man_page.ts";
import {
  bold,
  header,
  italic,
  literal,
  paragraphs,
  plain,
  prose,
  section,
  sentence,
  tagged,
} from "./roff.ts";

/**
 * The text of the page.
 *
 * @param daemons the programs that it talks to
 */
export function toolPage(
  tool: Tool,
  daemons: readonly string[],
  version: string,
  date: string,
): string {
  const { name } = tool;
  const lines = [
    `.\\" Made from the tables that ${name} --help is made from.`,
    ...header(name, version, date),
    ...section("NAME", `${plain(name)} \\- ${plain(tool.summary)}`),
    ...section(
      "SYNOPSIS",
      ".nf",
      ...tool.commands.map(({ syntax, isAlone }) => {
        const [verb, ...operands] = syntax.split(" ");
        const rest = operands.length === 0 ? "" : ` ${italic(operands.join(" "))}`;
        const daemons = isAlone ? "" : ` ${bold("--control")} ${italic("PATH")}`;
        return `${bold(name)}${daemons} ${bold(verb)}${rest} [${italic("OPTION")}]...`;
      }),
      ...["--help", "--version"].map((it) => `${bold(name)} ${bold(it)}`),
      ".fi",
    ),
    ...section(
      "DESCRIPTION",
      ...paragraphs([
        "Daemons that are started with --control let their user look at what they simulate while " +
        "guests run, change it, and be told what guests do to it. This program does that from a " +
        "shell.",
        "Names are those that the command info lists: a thing, or one of its properties after a " +
        "dot, as in sensor.temperature. The value of a line, and the contents of a part, are meant " +
        "by the name alone. In front of a name may stand the number of the guest, as in 1/lid, and " +
        "what the daemon serves, as in gpio:lid; several daemons that serve the same are numbered, " +
        "as in gpio1:lid, in the order in which they are named.",
      ]),
    ),
    ...section(
      "COMMANDS",
      ...tool.commands.flatMap(({ syntax, help, details }) =>
        tagged(bold(syntax), prose(`${sentence(help)} ${details}`))
      ),
    ),
    ...section("OPTIONS", ...tool.options.flatMap(option)),
    ...section(
      "EXIT STATUS",
      ...tagged(bold("0"), prose("It is done; what was waited for holds.")),
      ...tagged(bold("1"), prose("Something failed, and standard error says what.")),
      ...tagged(bold("2"), prose("The command line makes no sense, or there is no such name.")),
      ...tagged(bold("124"), prose("What was waited for did not come in time.")),
    ),
    ...section(
      "EXAMPLES",
      ...tool.examples.flatMap(({ args, remark }, index) => [
        ...(index === 0 ? [] : [".PP"]),
        prose(`${remark[0].toUpperCase()}${remark.slice(1)}:`),
        ...literal([`${name} ${args}`]),
      ]),
    ),
    ...section("SEE ALSO", daemons.map((daemon) => `${bold(daemon)}(1)`).join(",\n")),
  ];
  return lines.join("\n") + "\n";
}
