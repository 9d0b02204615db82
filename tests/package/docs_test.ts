/**
 * Manual pages and completions: they say what `--help` says.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { allOptions, findPrograms } from "../../tools/docs/programs.ts";
import { findTools } from "../../tools/programs.ts";
import { DOCS, ROOT, run, SHIPPED, succeed } from "./build.ts";

const programs = await findPrograms();

/** The manual page of a program has nothing that groff and mandoc complain of. */
async function checkPage(name: string): Promise<void> {
  const page = `${DOCS}/man1/${name}.1`;
  const man = await run("man", ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], {
    env: { LC_ALL: "C.UTF-8", MANROFFSEQ: "" },
  });
  assertEquals([man.code, man.stderr], [0, ""]);
  const mandoc = await run("mandoc", ["-T", "lint", "-W", "warning", page]);
  assertEquals([mandoc.code, mandoc.stdout + mandoc.stderr], [0, ""]);
}

/** The manual page of a program as it is shown, with the hyphens that people type. */
async function shownPage(name: string): Promise<string> {
  const text = await succeed("man", ["-l", `${DOCS}/man1/${name}.1`], {
    env: { LC_ALL: "C.UTF-8", MANWIDTH: "120", MANPAGER: "cat" },
  });
  return text.replaceAll("‐", "-");
}

Deno.test("vhost-device.1: names all programs, and nothing is to complain of", async () => {
  await checkPage("vhost-device");
  const text = await shownPage("vhost-device");
  for (const { type, program } of programs) {
    assertMatch(text, new RegExp(`^ +${type} +${program}\\(1\\): `, "m"));
  }
});

for (const program of programs) {
  const name = program.program;
  const options = allOptions(program);

  Deno.test(`${name}.1: groff and mandoc have nothing to complain of`, async () => {
    await checkPage(name);
  });

  Deno.test(`${name}.1: has all sections, and all options of --help`, async () => {
    const text = await shownPage(name);
    for (
      const title of [
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "CONFIGURATION FILE",
        "SOCKET ACTIVATION",
        "SIGNALS",
        "EXIT STATUS",
        "FILES",
        "EXAMPLES",
        "SEE ALSO",
      ]
    ) assertMatch(text, new RegExp(`^${title}$`, "m"));
    const help = await succeed(`${SHIPPED}/${name}`, ["--help"]);
    const shown = [...help.matchAll(/^ {2}(?:-\w, | {4})(--[a-z-]+)/gm)].map(([, option]) =>
      option
    );
    assertEquals(shown, options.map((option) => `--${option.name}`));
    for (const option of shown) assertMatch(text, new RegExp(`^ +(-\\w, )?${option}( |$)`, "m"));
    for (const { args } of program.examples) assert(text.includes(`${name} ${args}`), args);
    for (const key of program.configKeys) assertMatch(text, new RegExp(`^ +${key}:`, "m"));
  });

  Deno.test(`bash completes ${name}`, async () => {
    const complete = (...words: string[]) =>
      succeed("bash", [
        "-ec",
        `compopt() { :; }; source "$1"; COMP_WORDS=("\${@:2}"); COMP_CWORD=$(($# - 2))
         "$(complete -p ${name} | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
         printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        `${DOCS}/bash/${name}`,
        name,
        ...words,
      ]);
    const all = (await complete("--")).trim().split("\n");
    assertEquals(all, options.map((option) => `--${option.name}`));
    assertEquals(await complete("--log-level", "d"), "debug\n");
    assertEquals(await complete("--log-format", "=", "j"), "json\n");
    assertEquals(await complete("--config", `${ROOT}/deno.js`), `${ROOT}/deno.json\n`);
  });

  Deno.test(`zsh reads the completion of ${name}`, async () => {
    const file = `${DOCS}/zsh/_${name}`;
    await succeed("zsh", ["-n", file]);
    // Its arguments, as _arguments gets them.
    const text = await succeed("zsh", ["-fc", `_arguments() { print -rl -- "$@" }; . ${file}`]);
    for (const { name } of options) assertMatch(text, new RegExp(`--${name}[=\\[]`), name);
  });

  Deno.test(`fish completes ${name}`, async () => {
    const file = `${DOCS}/fish/${name}.fish`;
    const complete = (line: string) =>
      succeed("fish", ["--no-config", "-c", `source ${file}; complete -C '${name} ${line}'`]);
    const all = (await complete("--")).trim().split("\n").map((line) => line.split(/[\t=]/)[0]);
    assertEquals(all.sort(), options.map((option) => `--${option.name}`).sort());
    assertMatch(await complete("--log-level d"), /^debug\b/);
  });
}

for (const tool of await findTools()) {
  const { name, options, commands } = tool;

  Deno.test(`${name}.1: has all commands and options, and nothing is to complain of`, async () => {
    await checkPage(name);
    const text = await shownPage(name);
    for (const { syntax } of commands) assert(text.includes(`\n       ${syntax}`), syntax);
    for (const option of options) {
      assertMatch(text, new RegExp(`^ +(-\\w, )?--${option.name}( |$)`, "m"));
    }
    for (const { args } of tool.examples) assert(text.includes(`${name} ${args}`), args);
  });

  Deno.test(`bash, zsh and fish complete ${name}`, async () => {
    const words = commands.map(({ name }) => name);
    const bash = await succeed("bash", [
      "-ec",
      `source "$1"; COMP_WORDS=("$2" ""); COMP_CWORD=1
       "$(complete -p "$2" | sed 's/.*-F \\([^ ]*\\).*/\\1/')"; printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      `${DOCS}/bash/${name}`,
      name,
    ]);
    assertEquals(bash.split("\n").slice(0, words.length), words);
    const zsh = `${DOCS}/zsh/_${name}`;
    const text = await succeed("zsh", ["-fc", `_arguments() { print -rl -- "$@" }; . ${zsh}`]);
    for (const { name } of options) assertMatch(text, new RegExp(`--${name}[=\\[]`), name);
    assert(text.includes(`1:command:(${words.join(" ")})`), text);
    const fish = await succeed("fish", [
      ...["--no-config", "-c"],
      `source ${DOCS}/fish/${name}.fish; complete -C '${name} '`,
    ]);
    for (const word of words) assertMatch(fish, new RegExp(`^${word}\t`, "m"));
    for (const { name: command } of commands.filter(({ syntax }) => syntax.includes("FILE"))) {
      const fish = await succeed("fish", [
        ...["--no-config", "-c"],
        `cd ${ROOT}; source ${DOCS}/fish/${name}.fish; complete -C '${name} ${command} READ'`,
      ]);
      assertEquals(fish, "README.md\n");
      const bash = await succeed("bash", [
        "-c",
        `compopt() { :; }; cd ${ROOT}; . ${DOCS}/bash/${name}; COMP_WORDS=(${name} ${command} READ)
         COMP_CWORD=2; _${name.replaceAll("-", "_")}; echo "\${COMPREPLY[@]}"`,
      ]);
      assertEquals(bash, "README.md\n");
    }
  });
}
