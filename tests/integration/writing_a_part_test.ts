/**
 * The parts of the guide to writing a part, built as they stand there, on a bus in front of guests.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { type Block, documents } from "../support/documents.ts";
import { I2cGuest, read } from "../support/i2c_driver.ts";
import { SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { ROOT } from "../support/tree.ts";

const { blocks } = documents.find(({ path }) => path === "docs/writing-a-part.md")!;

function find(language: string, pattern: RegExp): Block["text"] {
  const found = blocks.filter((block) => block.language === language && pattern.test(block.text));
  assertEquals(found.length, 1, `${found.length} blocks match ${pattern}`);
  return found[0].text;
}

function copy(from: URL, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) {
    const isDirectory = Deno.statSync(new URL(name, `${from}/`)).isDirectory;
    copy(new URL(isDirectory ? `${name}/` : name, from), `${to}/${name}`);
  }
}

/** The sources with a part of the guide added: its file, and its line in the list. */
function withPart(folder: TemporaryFolder, type: string, part: string): string {
  for (const name of ["lib/", "ffi/", "cmd/", "types/", "deno.json", "deno.lock"]) {
    copy(new URL(name, ROOT), folder.file(name.replace("/", "")));
  }
  const simulated = folder.file(`lib/${type}/simulated`);
  const source = find("ts", new RegExp(`^export const ${part}:`, "m"));
  Deno.writeTextFileSync(`${simulated}/parts/${part}.ts`, source);
  const list = Deno.readTextFileSync(`${simulated}/parts.ts`);
  const line = find("ts", new RegExp(`^import \\{ ${part} \\} from`));
  const listed = list.replace("import ", `${line}import `)
    .replace(/PartModel>\(\[\n/, `$&  ${part},\n`);
  assert(listed.includes(`  ${part},\n`), "the list has no place for it");
  Deno.writeTextFileSync(`${simulated}/parts.ts`, listed);
  return `${folder.path}/cmd/vhost-device-${type}.ts`;
}

/** Starts the daemon with a part of the guide, as the guide configures it. */
async function start(folder: TemporaryFolder, type: string, part: string) {
  const entry = withPart(folder, type, part);
  const checked = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", entry],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals([checked.code, new TextDecoder().decode(checked.stderr)], [0, ""]);
  const config = folder.file("config.yaml");
  const text = find("yml", new RegExp(`part: ${part}\\b`)).replace("log.bin", folder.file("log"));
  Deno.writeTextFileSync(config, text);
  const program = folder.file("program");
  const run = `exec "${Deno.execPath()}" run --quiet --no-prompt --allow-ffi --allow-read ` +
    `--allow-write --allow-env --allow-sys=uid "${entry}" "$@"`;
  Deno.writeTextFileSync(program, `#!/bin/sh\n${run}\n`, { mode: 0o755 });
  return await Daemon.start(`vhost-device-${type}`, ["--config", config], { program });
}

Deno.test("the I2C part of the guide counts how often it is read", async () => {
  using folder = new TemporaryFolder();
  await using daemon = await start(folder, "i2c", "counter");
  using guest = new I2cGuest(daemon.connect());
  assertEquals(guest.transfer(read(0x40, 3)).map(({ data }) => data), [[0, 2, 4]]);
  assertEquals(guest.transfer(read(0x40, 1)).map(({ data }) => data), [[6]]);
  assertMatch(daemon.log, /counter at 0x40/);
});

Deno.test("the SPI part of the guide keeps what is written, also in its file", async () => {
  using folder = new TemporaryFolder();
  await using daemon = await start(folder, "spi", "sram");
  using guest = new SpiGuest(daemon.connect());
  assertEquals(guest.transfer({}, { tx: [0x02, 0x12, 0x34, 7, 8, 9] }).result, 0);
  assertEquals(guest.exchange([0x03, 0x12, 0x35, 0, 0]).rx.slice(3), [8, 9]);
  guest.transfer({}, { tx: [0x03, 0x12, 0x34] });
  assertEquals(guest.transfer({}, { rx: 2 }).rx, [7, 8]);
  const kept = Deno.readFileSync(folder.file("log"));
  assertEquals([kept.length, ...kept.subarray(0x1233, 0x1238)], [32768, 0, 7, 8, 9, 0]);
});
