/**
 * Completions for bash, zsh and fish.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";

/** A program as far as its command line is concerned. */
export interface Completed {
  readonly program: string;
  readonly options: readonly OptionSpec[];
  /** What it can be told to do, where the first word that is no option says that. */
  readonly commands?: readonly Command[];
}

/** One of these. */
interface Command {
  readonly name: string;
  readonly help: string;
  /** With its operands: FILE is one that exists. */
  readonly syntax: string;
}

/** The names of the commands that take a file. */
function takingFiles(commands: readonly Command[]): string[] {
  return commands.filter(({ syntax }) => /\bFILE\b/.test(syntax)).map(({ name }) => name);
}

/** Options whose value is a path, of a file that exists or one that is to be made. */
function takesPath(option: OptionSpec): boolean {
  return option.file === true || option.value === "PATH";
}

/** In single quotes, for any shell but fish. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function forms(option: OptionSpec): string[] {
  return [...(option.short === undefined ? [] : [`-${option.short}`]), `--${option.name}`];
}

/** To be sourced by bash-completion when the program's name is completed for the first time. */
export function bashCompletion(program: Completed): string {
  const { options, commands = [] } = program;
  const name = `_${program.program.replaceAll("-", "_")}`;
  const cases = options.filter(({ value }) => value !== undefined).map((option) => {
    const reply = option.choices !== undefined
      ? `mapfile -t COMPREPLY < <(compgen -W ${quoted(option.choices.join(" "))} -- "$word")`
      : takesPath(option)
      ? `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")`
      : "COMPREPLY=()";
    return `    ${forms(option).join(" | ")}) ${reply} ;;`;
  });
  const files = takingFiles(commands).map((name) =>
    `  if [[ $word != -* && " \${COMP_WORDS[*]:1:COMP_CWORD-1} " == *' ${name} '* ]]; then
    compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi`
  );
  return `# bash completion of ${program.program}

${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD - 1]}
  # --option=value comes as three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $option in
${cases.join("\n")}
    *) mapfile -t COMPREPLY < <(compgen -W ${
    quoted([...commands.map(({ name }) => name), ...options.flatMap(forms)].join(" "))
  } -- "$word") ;;
  esac
${files.map((line) => `${line}\n`).join("")}}
complete -F ${name} ${program.program}
`;
}

/** A description within an argument of _arguments. */
function zshText(text: string): string {
  return text.replace(/[\\:[\]]/g, (char) => `\\${char}`);
}

function zshOption(option: OptionSpec): string {
  const [first, second] = forms(option);
  if (option.several) return zshRepeated(option);
  const excluded = option.name === "help" || option.name === "version"
    ? "(- *)"
    : second === undefined
    ? ""
    : `(${first} ${second})`;
  // "+" and "=": the value may be the next word as well as part of this one.
  const mark = (form: string) =>
    option.value === undefined ? form : form + (form.startsWith("--") ? "=" : "+");
  const action = option.choices !== undefined
    ? `(${option.choices.join(" ")})`
    : takesPath(option)
    ? "_files"
    : " ";
  const value = option.value === undefined ? "" : `:${zshText(option.value)}:${action}`;
  const text = quoted(`[${zshText(option.help)}]${value}`);
  if (second === undefined) return quoted(excluded) + mark(first) + text;
  return `${quoted(excluded)}{${mark(first)},${mark(second)}}${text}`;
}

/** One that may come again. */
function zshRepeated(option: OptionSpec): string {
  const { several: _, ...once } = option;
  return zshOption(once).replace(/^'\([^)]*\)'/, "'*'");
}

/** A function for a folder of zsh's fpath. */
export function zshCompletion(program: Completed): string {
  const { commands = [] } = program;
  const lines = [
    ...program.options.map((option) => `  ${zshOption(option)}`),
    ...(commands.length === 0 ? [] : [
      `  ${quoted(`1:command:(${commands.map(({ name }) => name).join(" ")})`)} '*::operand: '`,
    ]),
  ];
  return `#compdef ${program.program}
# zsh completion of ${program.program}

_arguments -s -S \\
${lines.join(" \\\n")}
`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, (char) => `\\${char}`)}'`;
}

/** Commands for a file in fish's completions folder. */
export function fishCompletion(program: Completed): string {
  const { commands = [] } = program;
  const names = commands.map(({ name }) => name).join(" ");
  const first = commands.map(({ name, help }) =>
    [
      `complete -c ${program.program}`,
      `-n ${fishQuoted(`not __fish_seen_subcommand_from ${names}`)}`,
      `-a ${name}`,
      `-d ${fishQuoted(help)}`,
    ].join(" ")
  );
  const files = takingFiles(commands).map((name) =>
    `complete -c ${program.program} -n ${fishQuoted(`__fish_seen_subcommand_from ${name}`)} -F`
  );
  const lines = program.options.map((option) =>
    [
      `complete -c ${program.program}`,
      ...(option.short === undefined ? [] : [`-s ${option.short}`]),
      `-l ${option.name}`,
      ...(option.value === undefined ? [] : ["-r"]),
      ...(option.choices === undefined ? [] : [`-a ${fishQuoted(option.choices.join(" "))}`]),
      ...(takesPath(option) ? ["-F"] : []),
      `-d ${fishQuoted(option.help)}`,
    ].join(" ")
  );
  return `# fish completion of ${program.program}

complete -c ${program.program} -f
${[...lines, ...first, ...files].join("\n")}
`;
}
