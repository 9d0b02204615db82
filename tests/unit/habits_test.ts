/**
 * What newcomers look for: `make help`, `deno task`, an `.editorconfig`, a workflow. They say what
 * is true.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { parse } from "yaml";
import configuration from "../../deno.json" with { type: "json" };
import { filesBelow, ROOT } from "../support/tree.ts";

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

const makefiles = read("Makefile") + read("packaging/rules.mk");

/** Targets that others need, and nobody calls. */
const INTERNAL = ["browser", "guest-tools", "package-tools"];

/** What `make help` shows: the targets, and the variables. */
async function help(): Promise<{ targets: string[]; variables: string[] }> {
  const { stdout } = await new Deno.Command("make", {
    args: ["--no-print-directory", "help"],
    cwd: ROOT,
    // Not that of a make that runs this test.
    env: { MAKEFLAGS: "", MAKELEVEL: "" },
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  const first = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  return { targets: first(/^ {2}([a-z0-9-]+) +\S/), variables: first(/^ {2}([A-Z_]+)=\S+ +\S/) };
}

Deno.test("make help shows every target, and none that is not there", async () => {
  const phony = [...makefiles.matchAll(/^\.PHONY: (.*)$/gm)].flatMap(([, names]) =>
    names.split(" ")
  );
  assert(phony.length > 15, `only ${phony.length} targets were found`);
  const { targets } = await help();
  assertEquals(targets.sort(), phony.filter((name) => !INTERNAL.includes(name)).sort());
  for (const target of targets) {
    assertMatch(makefiles, new RegExp(`^([a-z0-9-]+ )*${target}( [a-z0-9-]+)*:`, "m"));
  }
});

Deno.test("make help shows every variable that can be given", async () => {
  const exported = [...makefiles.matchAll(/^export ([A-Z_ ]+)$/gm)].flatMap(([, names]) =>
    names.split(" ")
  );
  assert(exported.includes("FILTER") && exported.includes("DESTDIR"));
  assertEquals((await help()).variables.sort(), [...exported, "QEMU"].sort());
});

Deno.test("deno task has the names of make's targets", async () => {
  const { targets } = await help();
  const expected = targets.filter((name) => name !== "help").map((name) => [name, `make ${name}`]);
  assertEquals(configuration.tasks, Object.fromEntries(expected));
});

Deno.test("the workflow runs what there is", () => {
  const workflow = parse(read(".github/workflows/ci.yml"));
  const steps = Object.values(workflow.jobs as Record<string, { steps: { run?: string }[] }>)
    .flatMap(({ steps }) => steps);
  const commands = steps.flatMap(({ run }) => run?.trim().split("\n") ?? []);
  assert(commands.includes(".ci/run") && commands.includes("make smoke"), commands.join("\n"));
});

/** A section of .editorconfig. */
interface Section {
  readonly pattern: RegExp;
  readonly values: Readonly<Record<string, string>>;
}

/** `*.ts`, `{Makefile,*.sh}`: without a slash a pattern is about names, in whatever folder. */
function patternOf(glob: string): RegExp {
  const alternatives = glob.replace(/^\{(.*)\}$/, "$1").split(",").map((one) => {
    const expression = one.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
    return one.includes("/") ? `^${expression}$` : `(^|/)${expression}$`;
  });
  return new RegExp(alternatives.join("|"));
}

function sections(): Section[] {
  return read(".editorconfig").split(/^(?=\[)/m).slice(1).map((text) => {
    const [, glob] = /^\[(.*)\]$/m.exec(text)!;
    const values = [...text.matchAll(/^(\w+) = (\S+)$/gm)].map(([, key, value]) => [key, value]);
    return { pattern: patternOf(glob), values: Object.fromEntries(values) };
  });
}

/** What in a file is not as its settings have it. */
function faults(text: string, settings: Section["values"]): string[] {
  const found = (fault: string, wrong: boolean) => wrong ? [fault] : [];
  return [
    ...found("lines end in CR LF", text.includes("\r")),
    ...found("the last line does not end", text !== "" && !text.endsWith("\n")),
    ...found(
      "blanks at the end of a line",
      settings.trim_trailing_whitespace === "true" && /[ \t]$/m.test(text),
    ),
    ...found(
      "a tab at the start of a line",
      settings.indent_style === "space" && /^\t/m.test(text),
    ),
    ...found(
      "a line is indented by spaces",
      settings.indent_style === "tab" && /^ {2}/m.test(text),
    ),
  ];
}

Deno.test(".editorconfig says how the files are", () => {
  const all = sections();
  const used = new Set<Section>();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const wrong: string[] = [];
  for (const path of filesBelow()) {
    if (path.endsWith(".png")) continue;
    const mine = all.filter(({ pattern }) => pattern.test(path));
    for (const section of mine) used.add(section);
    const settings = Object.assign({}, ...mine.map(({ values }) => values));
    const text = decoder.decode(Deno.readFileSync(new URL(path, ROOT)));
    wrong.push(...faults(text, settings).map((fault) => `${path}: ${fault}`));
  }
  assertEquals(wrong, []);
  assertStrictEquals(used.size, all.length, "a section is for no file");
});
