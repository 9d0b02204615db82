/** The standard library comes in by its own names, with its types, and tests assert with it. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const { imports, compilerOptions }: {
  imports: Record<string, string>;
  compilerOptions: { types: string[] };
} = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}

/** What the files of folders import that is no file of the project, as `path: specifier`. */
function foreignImports(...folders: string[]): string[] {
  return folders.flatMap((folder) => [...sources(folder)]).flatMap((path) => {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    return [...text.matchAll(/^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"([^."][^"]*)"/gm)]
      .map(([, specifier]) => `${path}: ${specifier}`);
  });
}

Deno.test("tests assert with the standard library", () => {
  const found = foreignImports("tests", "examples", "tools");
  assert(found.length > 100, `only ${found.length} imports were found`);
  assertEquals(found.filter((it) => / node:assert/.test(it)), []);
});

Deno.test("packages are imported by the names that deno.json has for them", () => {
  const names = Object.keys(imports);
  const found = foreignImports("cmd", "lib", "ffi", "tools", "examples", "tests");
  const unknown = found.filter((it) => {
    const [, specifier] = it.split(": ");
    return !specifier.startsWith("node:") && !names.includes(specifier);
  });
  assertEquals(unknown, []);
});

Deno.test("a module that comes without types has them in one file, which the compiler is told of", () => {
  const untyped = Object.keys(imports).filter((name) => imports[name].startsWith("npm:deno-std@"));
  assert(untyped.length > 0);
  const declared = compilerOptions.types.map((path) => {
    const text = Deno.readTextFileSync(new URL(path, ROOT));
    return [...text.matchAll(/^declare module "([^"]+)"/gm)].map(([, name]) => name);
  });
  assertEquals(declared, declared.map(([name]) => [name]), "one module a file");
  assertEquals(declared.flat().sort(), untyped.sort());
});
