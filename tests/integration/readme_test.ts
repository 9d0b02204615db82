import assert from "node:assert/strict";
import { command } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", ROOT));

/** A fenced block of the README, with the daemon that its section is about. */
interface Block {
  readonly language: string;
  readonly program: string;
  readonly text: string;
}

function blocks(): Block[] {
  const found: Block[] = [];
  let program = "vhost-device-gpio";
  for (const part of readme.split(/^(?=## )/m)) {
    const section = /^## (GPIO|I2C|SPI)$/m.exec(part)?.[1];
    if (section !== undefined) program = `vhost-device-${section.toLowerCase()}`;
    for (const [, language, text] of part.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
      found.push({ language, program, text });
    }
  }
  return found;
}

/** What a shell makes of a line, as far as the README needs it: quotes, comments, redirections. */
function words(line: string): string[] {
  const result: string[] = [];
  for (const [, single, double, plain] of line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)) {
    if (plain?.startsWith("#") || plain === "&" || plain?.startsWith("2>")) break;
    result.push(single ?? double ?? plain);
  }
  return result;
}

/** Runs a daemon until it serves or ends; in a folder in which the README's files exist. */
async function outcome(program: string, args: readonly string[], config?: string) {
  using folder = new TemporaryFolder();
  Deno.symlinkSync(new URL("examples", ROOT), folder.file("examples"));
  for (const kind of ["gpio", "i2c", "spi"]) {
    Deno.copyFileSync(new URL(`demo/${kind}.yaml`, ROOT), folder.file(`${kind}.yaml`));
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

const commandLines = blocks()
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, "").split("\n"))
  .filter((line) => /^vhost-device-\w+ /.test(line));

Deno.test("the command lines of the README are accepted", async (t) => {
  assert.ok(commandLines.length >= 10, `${commandLines.length} were found`);
  for (const line of commandLines) {
    await t.step(line, async () => {
      const [program, ...args] = words(line);
      const { code, text } = await outcome(program, args);
      // Hardware that is not there is no fault of the command line.
      assert.ok(code === 0 || code === 1, `exit status ${code}: ${text}`);
      assert.doesNotMatch(text, /internal error/);
    });
  }
});

Deno.test("the configuration files of the README are accepted", async (t) => {
  const files = blocks().filter(({ language }) => language === "yaml");
  assert.ok(files.length >= 4, `${files.length} were found`);
  for (const [index, { program, text: config }] of files.entries()) {
    await t.step(`${program}, block ${index + 1}`, async () => {
      const args = ["-s", "./socket", "--config", "config.yaml"];
      const { code, text } = await outcome(program, args, config);
      assert.ok(code === 0 || code === 1, `exit status ${code}: ${text}`);
      assert.doesNotMatch(text, /internal error/);
    });
  }
});
