/**
 * Completions for bash, zsh and fish.
 *
 * @module
 */

import type { OptionSpec } from "../../lib/input/options.ts";
import { allOptions, type Program } from "./programs.ts";

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
export function bashCompletion(program: Program): string {
  const options = allOptions(program);
  const name = `_${program.program.replaceAll("-", "_")}`;
  const cases = options.filter(({ value }) => value !== undefined).map((option) => {
    const reply = option.choices !== undefined
      ? `mapfile -t COMPREPLY < <(compgen -W ${quoted(option.choices.join(" "))} -- "$word")`
      : takesPath(option)
      ? `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")`
      : "COMPREPLY=()";
    return `    ${forms(option).join(" | ")}) ${reply} ;;`;
  });
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
    quoted(options.flatMap(forms).join(" "))
  } -- "$word") ;;
  esac
}
complete -F ${name} ${program.program}
`;
}

/** A description within an argument of _arguments. */
function zshText(text: string): string {
  return text.replace(/[\\:[\]]/g, (char) => `\\${char}`);
}

function zshOption(option: OptionSpec): string {
  const [first, second] = forms(option);
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

/** A function for a folder of zsh's fpath. */
export function zshCompletion(program: Program): string {
  const lines = allOptions(program).map((option) => `  ${zshOption(option)}`);
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
export function fishCompletion(program: Program): string {
  const lines = allOptions(program).map((option) =>
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
${lines.join("\n")}
`;
}
