/** What is said where libgpiod is not there, or not the one that it takes. */

import assert from "node:assert/strict";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

const LIBGPIOD = new URL("../../../ffi/libgpiod.ts", import.meta.url).href;
const CHIPS = new URL("../../../lib/gpio/chips.ts", import.meta.url).href;

/** Runs code in a process that looks for libraries in this folder first. */
function run(folder: TemporaryFolder, code: string): string {
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    env: { LD_LIBRARY_PATH: folder.path },
  }).outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** A libgpiod of version 2 that cannot be loaded, so that the system's is not found either. */
function breakNew(folder: TemporaryFolder): void {
  Deno.writeTextFileSync(folder.file("libgpiod.so.3"), "broken");
}

/** A libgpiod of version 1, as far as it is asked anything. */
function makeOld(folder: TemporaryFolder): void {
  const source = folder.file("old.c");
  Deno.writeTextFileSync(source, 'const char *gpiod_version_string(void) { return "1.6.3"; }\n');
  const args = ["-shared", "-o", folder.file("libgpiod.so.2"), source];
  const { success } = new Deno.Command("gcc", { args }).outputSync();
  assert.ok(success);
}

const OPEN = `const { openChip } = await import("${CHIPS}");
  try { openChip("/dev/null") } catch (error) { console.log(error.name + ": " + error.message) }`;

Deno.test("nothing is loaded before a chip is asked for", () => {
  using folder = new TemporaryFolder();
  breakNew(folder);
  const output = run(
    folder,
    `await import("${LIBGPIOD}"); await import("${CHIPS}");
    console.log(Deno.readTextFileSync("/proc/self/maps").includes("libgpiod"))`,
  );
  assert.equal(output, "false\n");
});

Deno.test("version 1 is named with the version that was found, and what to install", () => {
  using folder = new TemporaryFolder();
  breakNew(folder);
  makeOld(folder);
  assert.equal(
    run(folder, OPEN),
    "RuntimeError: the GPIO lines of this host need libgpiod version 2 (libgpiod.so.3), and only " +
      "version 1.6.3 is installed; install the package libgpiod3 (Debian, Ubuntu) or libgpiod " +
      "(Fedora, Alpine)\n",
  );
});

Deno.test("a library that cannot be loaded is named with the reason", () => {
  using folder = new TemporaryFolder();
  breakNew(folder);
  const output = run(folder, OPEN);
  assert.match(output, /^RuntimeError: .* and it cannot be loaded: .*file too short.*\n$/);
});
