import { assert, assertEquals } from "@std/assert";
import { documents } from "../support/documents.ts";
import { exists } from "../support/exists.ts";
import { filesBelow, ROOT } from "../support/tree.ts";

const readme = documents.find(({ path }) => path === "README.md")!;

for (const { path, links } of documents) {
  Deno.test(`${path}: its links lead somewhere`, () => {
    for (const link of links) {
      assert(exists(new URL(link.path, ROOT)), `${link.target}: there is no ${link.path}`);
      if (link.anchor === undefined) continue;
      const anchors = documents.find(({ path }) => path === link.path)?.anchors;
      assert(anchors?.includes(link.anchor), `${link.target}: there is no such heading`);
    }
  });
}

Deno.test("the README links every guide", () => {
  const linked = new Set(readme.links.map(({ path }) => path));
  const missing = documents.map(({ path }) => path).filter((path) =>
    path !== readme.path && !linked.has(path)
  );
  assertEquals(missing, []);
});

Deno.test("the README is short enough to be read", () => {
  const lines = readme.text.split("\n").length - 1;
  assert(lines <= 250, `${lines} lines, of at most 250`);
});

/** Where the project's own files are; what else looks like a path is somebody's system. */
const FILE = "`((?:cmd|demo|docs|examples|ffi|lib|packaging|scripts|tests|tools)/[^`<> ]*)`";
const SOURCE = new RegExp(FILE, "g");
/** A file with what is to be found in it: `path` (`name`, `name`), with words between the two. */
const FOUND_IN = new RegExp(FILE + "[^`(]*\\(((?:`[^`/]+`(?:,\\s*)?)+)\\)", "g");
/** The other way round: `name` in `path`. */
const NAME_IN = new RegExp("`([^`/]+)`(?:\\s\\([^)`]*\\))?\\sin\\s" + FILE, "g");

/** What a text says of files: each with a name that has to be in it. */
function named(prose: string): { file: string; name: string }[] {
  return [
    ...[...prose.matchAll(FOUND_IN)].flatMap(([, file, names]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => ({ file, name }))
    ),
    ...[...prose.matchAll(NAME_IN)].map(([, name, file]) => ({ file, name })),
  ].filter(({ file }) => !file.endsWith("/"));
}

for (const { path, prose } of documents) {
  Deno.test(`${path}: the files that it names are there`, () => {
    for (const [, file] of prose.matchAll(SOURCE)) {
      // {a,b} and a|b stand for several.
      if (/[{|*]|[A-Z]{4}/.test(file)) continue;
      assert(exists(new URL(file, ROOT)), `there is no ${file}`);
    }
  });

  Deno.test(`${path}: what it names is in those files`, () => {
    for (const { file, name } of named(prose)) {
      const text = Deno.readTextFileSync(new URL(file, ROOT));
      assert(text.includes(name), `there is no ${name} in ${file}`);
    }
  });
}

/** The daemons' sources as one text, with strings that go over several lines in one. */
const sources = ["lib/", "ffi/"].flatMap((folder) => [...filesBelow(folder)])
  .map((path) => Deno.readTextFileSync(new URL(path, ROOT)).replaceAll(/["`] \+\s+["`]/g, ""))
  .join("\n");

/** The first cells of the tables of messages. */
function messagesOf(prose: string): string[] {
  return [...prose.matchAll(/^\| message .*\n\|.*\n((?:\|.*\n)+)/gm)].flatMap(([, rows]) =>
    [...rows.matchAll(/^\| `([^`]+)`/gm)].map(([, message]) => message)
  );
}

/** True if three words of a message follow each other in the sources: the rest may be filled in. */
function isPrinted(message: string): boolean {
  const words = message.split(/[\s,;]+/);
  return words.slice(2).some((_, at) => sources.includes(words.slice(at, at + 3).join(" ")));
}

for (const { path, prose } of documents) {
  const messages = messagesOf(prose);
  if (messages.length === 0) continue;
  Deno.test(`${path}: the daemons print the messages that it explains`, () => {
    assertEquals(messages.filter((message) => !isPrinted(message)), []);
  });
}

Deno.test("the README shows three ways through the sources", () => {
  const [, ways] = readme.text.split(/^## Contributing$/m);
  for (
    const question of [
      "Where does a GPIO edge become a used buffer?",
      "Where is the EEPROM's page wrap?",
      "Where is `--poll-us` read?",
    ]
  ) {
    const way = ways.split(/^- (?=\*\*)/m).find((way) => way.startsWith(`**${question}**`));
    assert(way !== undefined, question);
    assert(named(way).length > 0, `${question}: no file with a name in it`);
  }
});
