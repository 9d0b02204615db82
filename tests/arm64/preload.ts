/**
 * Loaded before tests on an emulated machine: those whose names are in the files that `LEFT_OUT`
 * lists are ignored.
 *
 * @module
 */

const names = new Set(
  Deno.env.get("LEFT_OUT")!.split(" ").flatMap((path) =>
    Deno.readTextFileSync(path).split("\n").filter((line) => !/^(#|$)/.test(line))
  ),
);

const { test } = Deno;

/** The forms of `Deno.test` that this project uses: a name and a function, or a definition. */
function testUnlessLeftOut(
  what: string | Deno.TestDefinition,
  fn?: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const definition = typeof what === "string" ? { name: what, fn: fn! } : what;
  test({ ...definition, ignore: definition.ignore || names.has(definition.name) });
}

Object.defineProperty(Deno, "test", { value: Object.assign(testUnlessLeftOut, test) });
