/** The lists of tests that an emulated arm64 machine is not given. */

import { assertEquals } from "@std/assert";

const TESTS = new URL("../", import.meta.url);

function* testFiles(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* testFiles(new URL(`${name}/`, folder));
    else if (name.endsWith("_test.ts")) yield new URL(name, folder);
  }
}

/** Names of tests that are made from a template, of which enough is not made. */
function templates(source: string): RegExp[] {
  return [...source.matchAll(/Deno\.test\(`([^`]+)`/g)]
    .map(([, template]) => template.split(/\$\{[^}]*\}/))
    .filter((parts) => parts.join("").length > 20)
    .map((parts) => new RegExp(`^${parts.map((part) => RegExp.escape(part)).join(".+")}$`));
}

Deno.test("each test that arm64 is not given is there, under that name", () => {
  const files = ["unit/", "integration/"].flatMap((name) => [...testFiles(new URL(name, TESTS))]);
  const paths = files.map(({ href }) => href.replace(TESTS.href, "tests/"));
  const sources = files.map((file) => Deno.readTextFileSync(file));
  const patterns = sources.flatMap(templates);
  const isThere = (name: string) =>
    paths.includes(name) || sources.some((text) => text.includes(`"${name}"`)) ||
    patterns.some((pattern) => pattern.test(name));
  for (const list of ["left_out", "long", "machine/left_out", "machine/integration"]) {
    const names = Deno.readTextFileSync(new URL(`arm64/${list}`, TESTS)).split("\n")
      .filter((line) => !/^(#|$)/.test(line));
    assertEquals(names.filter((name) => !isThere(name)), []);
  }
});
