import { assert, assertEquals, assertThrows } from "@std/assert";
import { examples } from "../../../lib/ctl/about.ts";
import { readAsked } from "../../../lib/ctl/command_line.ts";
import { allOptions } from "../../../lib/ctl/options.ts";
import { verbs } from "../../../lib/ctl/verbs.ts";
import { UsageError } from "../../../lib/errors.ts";
import { readCommandLine } from "../../../lib/input/arguments.ts";
import type { OptionSpec } from "../../../lib/input/options.ts";
import { documents } from "../../support/documents.ts";

/** The line is understood, and so is what its command is told. */
function understand(args: readonly string[]): string {
  const asked = readAsked(args);
  assert(asked.kind === "run", args.join(" "));
  asked.verb.prepare(asked.invocation);
  return asked.verb.name;
}

Deno.test("the examples of the help and the command lines of the guides are understood", () => {
  for (const { args } of examples) understand(args.split(" "));
  const lines = documents.flatMap(({ text }) => [
    ...text.matchAll(/^vhost-device-ctl (.*?)( [<>].*)?$/gm),
  ]);
  const used = new Set(lines.map(([, args]) => understand(args.split(" "))));
  assertEquals(verbs.map(({ name }) => name).filter((name) => !used.has(name)), []);
});

Deno.test("every option is some command's, and is described", () => {
  const used = new Set(verbs.flatMap(({ options }) => options));
  const general = ["control", "json", "help", "version"];
  assertEquals([...used, ...general].sort(), allOptions.map(({ name }) => name).sort());
});

Deno.test("operands stand before, after and between options, and those given again are kept", () => {
  const socket: OptionSpec = { name: "socket", short: "s", value: "PATH", several: true, help: "" };
  const json: OptionSpec = { name: "json", help: "" };
  const args = ["-sa", "get", "--json", "x=-1", "--socket=b", "-s", "a", "--", "--json", "7"];
  const { values, lists, operands } = readCommandLine(args, [socket, json]);
  assertEquals(operands, ["get", "x=-1", "--json", "7"]);
  assertEquals({ ...values }, { socket: "a", json: true });
  assertEquals(lists.get(socket), ["a", "b", "a"]);
  for (const wrong of [["--jsn"], ["--json", "--json"], ["-s", ""], ["a", "–json"]]) {
    assertThrows(() => readCommandLine(wrong, [socket, json]), UsageError);
  }
});

Deno.test("nothing but the panel listens to the network", () => {
  const names = verbs.filter(({ permissions }) => permissions?.net).map(({ name }) => name);
  assertEquals(names, ["panel"]);
});
