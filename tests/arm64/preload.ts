/**
 * Loaded before tests on an emulated machine: those whose names are in the files that `LEFT_OUT`
 * lists are ignored, and what fails is tried once more. Many tests are about time, of which
 * everything takes ten times as much there, and other processes take their share.
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
function testWithPatience(
  what: string | Deno.TestDefinition,
  fn?: (context: Deno.TestContext) => void | Promise<void>,
): void {
  const definition = typeof what === "string" ? { name: what, fn: fn! } : what;
  const { name } = definition;
  test({
    ...definition,
    ignore: definition.ignore || names.has(name),
    async fn(context) {
      try {
        await definition.fn(context);
      } catch (error) {
        console.log(`${name}: is tried once more, after: ${(error as Error).message}`);
        await definition.fn(context);
      }
    },
  });
}

Object.defineProperty(Deno, "test", { value: Object.assign(testWithPatience, test) });
