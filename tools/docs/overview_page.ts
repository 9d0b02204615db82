/**
 * The manual page of the executable that is all programs.
 *
 * @module
 */

import { bold, header, italic, paragraphs, plain, prose, section, tagged } from "./roff.ts";

/** What the page says of a program. */
interface Described {
  readonly name: string;
  /** One line, where the program has one. */
  readonly summary?: string;
}

/** The text of the page. */
export function overviewPage(
  programs: readonly Described[],
  version: string,
  date: string,
): string {
  const name = "vhost-device";
  const [{ name: first }] = programs;
  const short = (program: string) => program.replace(`${name}-`, "");
  const lines = [
    ...header(name, version, date),
    ...section("NAME", `${plain(name)} \\- virtual devices for virtual machines`),
    ...section(
      "SYNOPSIS",
      ".nf",
      `${bold(name)} ${italic("PROGRAM")} [${italic("OPTION")}]...`,
      `${italic("PROGRAM")} [${italic("OPTION")}]...`,
      `${bold(name)} ${bold("--help")}`,
      `${bold(name)} ${bold("--version")}`,
      ".fi",
    ),
    ...section(
      "DESCRIPTION",
      ...paragraphs([
        "This executable is all of the programs below. Links of their names lead to it, and which of " +
        "them it is follows from the name by which it is called.",
        `By any other name its first argument is that of the program, in full or without ${name}- in ` +
        "front; the arguments after it are the program's own.",
      ]),
    ),
    ...section(
      "PROGRAMS",
      ...programs.flatMap((program) =>
        tagged(
          bold(short(program.name)),
          prose(
            program.summary === undefined
              ? `${program.name}(1)`
              : `${program.name}(1): ${program.summary}.`,
          ),
        )
      ),
    ),
    ...section(
      "EXIT STATUS",
      "That of the program; 2 if none is named.",
    ),
    ...section(
      "EXAMPLES",
      prose(`The help of ${first}:`),
      ".PP",
      ".in +4n",
      ".EX",
      plain(`${name} ${short(first)} --help`),
      ".EE",
      ".in",
    ),
    ...section(
      "SEE ALSO",
      programs.map((program) => `${bold(program.name)}(1)`).join(",\n"),
    ),
  ];
  return lines.join("\n") + "\n";
}
