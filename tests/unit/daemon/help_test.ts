import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import metadata from "../../../deno.json" with { type: "json" };
import { allOptions, helpText, versionText } from "../../../lib/daemon/help.ts";
import { readArguments } from "../../../lib/input/arguments.ts";
import { optionSyntax } from "../../../lib/input/options.ts";
import { findDaemons } from "../../../tools/programs.ts";

const kinds = (await findDaemons()).map(({ kind }) => kind);

Deno.test("the help shows every option, in lines that fit a terminal", () => {
  for (const kind of kinds) {
    const text = helpText(kind);
    for (const option of allOptions(kind)) {
      assert(text.includes(`\n  ${optionSyntax(option)}  `), option.name);
    }
    const tooLong = text.split("\n").filter((line) => line.length > 110);
    assertEquals(tooLong, [], kind.program);
  }
});

Deno.test("the examples of the help are understood", () => {
  for (const kind of kinds) {
    for (const { args } of kind.examples) {
      const words = (args.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) =>
        word.replaceAll(/['"]/g, "")
      );
      readArguments(words, allOptions(kind));
    }
  }
});

Deno.test("no two options of a program have the same name or letter", () => {
  for (const kind of kinds) {
    const options = allOptions(kind);
    const names = options.flatMap(({ name, short }) =>
      short === undefined ? [name] : [name, short]
    );
    assertStrictEquals(new Set(names).size, names.length, kind.program);
  }
});

Deno.test("the version is that of the project", () => {
  const program = "vhost-device-gpio";
  assertEquals(versionText({ program }), `${program} ${metadata.version}`);
});
