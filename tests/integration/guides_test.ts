import { assert, assertNotMatch } from "@std/assert";
import { findDaemons } from "../../tools/programs.ts";
import { command } from "../support/daemon.ts";
import { type Document, documents, isScenario } from "../support/documents.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const daemons = await findDaemons();

/** What a shell makes of a line, as far as the guides need it: quotes, comments, redirections. */
function words(line: string): string[] {
  const result: string[] = [];
  for (const [, single, double, plain] of line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)) {
    if (/^(?:#|&$|2?>|<|\|)/.test(plain ?? "")) break;
    result.push(single ?? double ?? plain);
  }
  return result;
}

/** Runs a daemon until it serves or ends; in a folder in which the guides' files exist. */
async function outcome(program: string, args: readonly string[], config?: string) {
  using folder = new TemporaryFolder();
  Deno.symlinkSync(new URL("examples", ROOT), folder.file("examples"));
  for (const { type } of daemons) {
    const config = new URL(`lib/${type}/demo/config.yaml`, ROOT);
    Deno.copyFileSync(config, folder.file(`${type}.yaml`));
  }
  if (config !== undefined) Deno.writeTextFileSync(folder.file("config.yaml"), config);
  const child = new Deno.Command(command(program)[0], {
    args: [...command(program).slice(1), ...args.map((arg) => arg.replace(/^\/(tmp|run)/, "."))],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/guest \d+: .* at /.test(text)) child.kill("SIGTERM");
  }
  return { code: (await child.status).code, text };
}

function commandLinesOf({ blocks }: Document): string[] {
  return blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, "").split("\n"))
    // Scenarios are run with what they name.
    .filter((line) => /^vhost-device-\w+ (?!run )/.test(line));
}

for (const document of documents) {
  for (const line of new Set(commandLinesOf(document))) {
    Deno.test(`${document.path}: ${line.replace(/ +#.*/, "")} is accepted`, async () => {
      const [program, ...args] = words(line);
      const { code, text } = await outcome(program, args);
      // Hardware that is not there is no fault of the command line.
      assert(code === 0 || code === 1, `exit status ${code}: ${text}`);
      assertNotMatch(text, /internal error/);
    });
  }
  const files = document.blocks.filter(({ language, text }) =>
    language === "yaml" && !isScenario(text)
  );
  for (const [index, { program, text: config }] of files.entries()) {
    Deno.test(`${document.path}: configuration file ${index + 1} is accepted`, async () => {
      const args = ["-s", "./socket", "--config", "config.yaml"];
      const { code, text } = await outcome(program, args, config);
      assert(code === 0 || code === 1, `exit status ${code}: ${text}`);
      assertNotMatch(text, /internal error/);
    });
  }
}

Deno.test("the guides have command lines and configuration files", () => {
  for (const { type } of daemons) {
    const guide = documents.find(({ path }) => path === `docs/${type}.md`);
    if (guide === undefined) continue;
    assert(commandLinesOf(guide).length >= 3, type);
    assert(guide.blocks.some(({ language }) => language === "yaml"), type);
  }
});
