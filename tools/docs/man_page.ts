/**
 * The manual page of a program.
 *
 * Section 1, as for everything that users and VMMs start themselves; section 8 is for tools of the
 * system's administrator, which none of this needs to be.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";
import { COMMON_KEYS } from "../../lib/daemon/settings.ts";
import { allOptions, type Program } from "./programs.ts";
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

/** What an option means. */
export function option(spec: OptionSpec): string[] {
  const value = spec.value === undefined ? "" : ` ${italic(spec.value)}`;
  const forms = [
    ...(spec.short === undefined ? [] : [bold(`-${spec.short}`)]),
    bold(`--${spec.name}`),
  ];
  const help = spec.choices === undefined ? spec.help : `one of ${spec.help}`;
  const details = spec.details === undefined ? "" : ` ${spec.details}`;
  return tagged(`${forms.join(", ")}${value}`, prose(sentence(help) + details));
}

/** What the key of the configuration file means: what the option of the same name means. */
function commonKey(program: Program, key: string): string[] {
  const spec = allOptions(program).find(({ name }) => name === key);
  return tagged(bold(key), prose(`As option --${key}: ${spec?.help ?? ""}.`));
}

/** The text of the page. */
export function manPage(program: Program, version: string, date: string): string {
  const name = program.program;
  const { about } = program;
  const example = `/etc/vhost-device/${program.type}/NAME.yaml`;
  const lines = [
    `.\\" Made from the tables that ${name} --help is made from.`,
    ...header(name, version, date),
    ...section("NAME", `${plain(name)} \\- ${plain(program.summary)}`),
    ...section(
      "SYNOPSIS",
      ".nf",
      `${bold(name)} ${bold("--socket-path")} ${italic("PATH")} [${italic("OPTION")}]...`,
      `${bold(name)} ${bold("--config")} ${italic("FILE")} [${italic("OPTION")}]...`,
      ...["--list", "--print-capabilities", "--help", "--version"].map((it) =>
        `${bold(name)} ${bold(it)}`
      ),
      ".fi",
    ),
    ...section(
      "DESCRIPTION",
      `${bold(name)} ` + prose(
        `${program.summary}. It is a vhost-user back-end: a VMM such as QEMU connects to its Unix ` +
          "socket and hands over the guest's memory, and from then on guest and daemon talk to " +
          "each other without the VMM.",
      ),
      ".PP",
      ...paragraphs([
        ...about.description,
        "Each guest has a socket of its own. A socket serves one front-end at a time, and the " +
        "next one when that has gone: guests come and go without a restart of the daemon.",
        `With QEMU (${about.qemu.since}) the guest's memory has to be shared, for example ` +
        "by a memory-backend-memfd object with share=on; " +
        `the device is ${about.qemu.device}. The guest's kernel needs ${about.kernelOption}.`,
      ]),
    ),
    ...section(
      "OPTIONS",
      prose(
        "A value follows its option as the next argument or after an equals sign. Numbers are " +
          "decimal, or hexadecimal with 0x in front.",
      ),
      ...allOptions(program).flatMap(option),
    ),
    ...section(
      "CONFIGURATION FILE",
      prose(
        "The file that --config names is YAML. It says what the options say, and more. Unknown " +
          "keys and values of a wrong type are refused with the line on which they are. An option " +
          "of the command line wins over the file. The keys that all of these daemons share:",
      ),
      ...COMMON_KEYS.flatMap((key) => commonKey(program, key)),
      ".PP",
      prose(
        `The ${program.configKeys.length === 1 ? "key that is" : "keys that are"} this daemon's ` +
          `own, ${
            program.configKeys.join(", ").replace(/, ([^,]*)$/, " and $1")
          }, with all that can be said:`,
      ),
      ...literal(program.configForm),
    ),
    ...section(
      "SOCKET ACTIVATION",
      prose(
        "Sockets that systemd passes (LISTEN_FDS and LISTEN_PID in the environment) take the place " +
          "of --socket-path, one guest per socket. ",
      ) + `The units ${bold(`${name}@.socket`)} and ${bold(`${name}@.service`)} do that: ` +
        prose(`for the instance NAME the configuration file is ${example}, the socket is `) +
        italic(`/run/vhost-device/${program.type}/NAME.sock`) + ".",
    ),
    ...section(
      "SIGNALS",
      ...tagged(
        `${bold("SIGTERM")}, ${bold("SIGINT")}`,
        prose("End the daemon: guests lose their device, sockets that it has made are removed."),
      ),
      ...tagged(bold("SIGPIPE"), prose("Is ignored.")),
    ),
    ...section(
      "EXIT STATUS",
      ...tagged(
        bold("0"),
        prose(
          "The daemon was ended by SIGTERM or SIGINT, or by the end of the only connection that it was given.",
        ),
      ),
      ...tagged(bold("1"), prose("Something failed at run time, and standard error says what.")),
      ...tagged(bold("2"), prose("The command line or the configuration file makes no sense.")),
    ),
    ...section(
      "FILES",
      ...[
        ...about.files,
        { path: example, meaning: `configuration of the instance NAME of ${name}@.service` },
        {
          path: `/run/vhost-device/${program.type}/NAME.sock`,
          meaning: `socket of that instance`,
        },
        {
          path: `/usr/share/qemu/vhost-user/50-${name}.json`,
          meaning: "tells management software such as libvirt that the daemon is there",
        },
      ].flatMap(({ path, meaning }) => tagged(italic(path), prose(sentence(meaning)))),
    ),
    ...section(
      "EXAMPLES",
      ...program.examples.flatMap(({ args, remark }, index) => [
        ...(index === 0 ? [] : [".PP"]),
        prose(`${remark[0].toUpperCase()}${remark.slice(1)}:`),
        ...literal([`${name} ${args}`]),
      ]),
    ),
    ...section(
      "SEE ALSO",
      [...about.seeAlso, "qemu(1)", "systemd.socket(5)"].map((page) =>
        page.replace(/^(.*)(\(\d\))$/, (_, title, part) => bold(title) + part)
      ).join(",\n"),
    ),
  ];
  return lines.join("\n") + "\n";
}
