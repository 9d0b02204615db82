/** What modules show to others: no more than others use. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
/** What is found by its name, or by what is made at compile time. */
const FOUND = /^lib\/(\w+\/about\.ts: about|one_file\.ts: runOneOf)$/;

interface Export {
  readonly module: string;
  readonly name: string;
  readonly isType: boolean;
  readonly users: string[];
}

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}

const files = ["cmd", "lib", "ffi", "tools", "examples", "tests"].flatMap((it) => [...sources(it)]);
const texts = new Map(
  files.map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]),
);

function names(list: string): string[] {
  return list.split(",").map((name) => name.trim().replace(/^type /, "")).filter((it) => it !== "");
}

function exportsOf(module: string): Export[] {
  const text = texts.get(module)!;
  const declared = [
    ...text.matchAll(
      /^export (?:abstract |async )*(function\*?|class|const|let|interface|type) (\w+)/gm,
    ),
  ].map(([, kind, name]) => ({ name, isType: kind === "interface" || kind === "type" }));
  const listed = [...text.matchAll(/^export (?:const )?(type )?\{([^}]*)\}/gm)].flatMap(
    ([, type, list]) =>
      names(list).map((name) => ({
        name: name.replace(/^.*( as |: )/, ""),
        isType: type !== undefined,
      })),
  );
  return [...declared, ...listed].map((it) => ({ ...it, module, users: [] }));
}

/** By module and name. */
const all = new Map(
  files.filter((path) => /^(lib|ffi)\//.test(path)).flatMap(exportsOf)
    .map((it) => [`${it.module} ${it.name}`, it]),
);

for (const [path, text] of texts) {
  const use = (specifier: string, name: string) => {
    const { pathname } = new URL(specifier, new URL(path, ROOT));
    all.get(`${pathname.slice(ROOT.pathname.length)} ${name}`)?.users.push(path);
  };
  const imports = text.matchAll(
    /(?:import|export)\s+(?:type\s+)?(?:\* as (\w+)|\{([^}]*)\}|\*)\s+from\s+"(\.[^"]+)"/g,
  );
  for (const [, space, list = "", specifier] of imports) {
    for (const name of names(list)) use(specifier, name.replace(/ as .*/, ""));
    if (space === undefined) continue;
    for (const [, name] of text.matchAll(new RegExp(`\\b${space}\\.(\\w+)`, "g"))) {
      use(specifier, name);
    }
  }
  for (const [, list, specifier] of text.matchAll(/\{([^{}]*)\} = await import\("(\.[^"]+)"\)/g)) {
    for (const name of names(list)) use(specifier, name.replace(/:.*/, ""));
  }
}

/** True if a module has another use for what it exports than to export it. */
function usesItself({ module, name }: Export): boolean {
  const code = texts.get(module)!.replaceAll(/\/\*\*[^]*?\*\/|\/\/.*/g, "");
  return [...code.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length > 1;
}

function listed(exports: Export[]): string[] {
  return exports.map(({ module, name }) => `${module}: ${name}`).filter((it) => !FOUND.test(it));
}

Deno.test("exports and their users are found", () => {
  assert(all.size > 300, `only ${all.size} exports were found`);
  const users = (name: string) => all.get(name)?.users ?? [];
  assert(users("lib/errors.ts UsageError").length > 10);
  assert(users("ffi/errno.ts EAGAIN").length > 0);
  assert(users("lib/gpio/kind.ts gpio").includes("cmd/vhost-device-gpio.ts"));
});

Deno.test("what a module exports is used by another, and a type at least by what it exports", () => {
  const unused = [...all.values()].filter((it) =>
    it.users.length === 0 && !(it.isType && usesItself(it))
  );
  assertEquals(listed(unused), []);
});

Deno.test("what only tests use is a part of something, or in tests/", () => {
  const foreign = [...all.values()].filter((it) =>
    it.users.length > 0 && it.users.every((path) => path.startsWith("tests/")) && !usesItself(it)
  );
  assertEquals(listed(foreign), []);
});
