/** What is said where libgpiod is not there, or not the one that it takes. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

const LIBGPIOD = new URL("../../../ffi/libgpiod.ts", import.meta.url).href;
const CHIPS = new URL("../../../lib/gpio/host/find_chips.ts", import.meta.url).href;

/** Runs code in a process that looks for libraries in this folder first. */
function run(folder: TemporaryFolder, code: string, ...flags: string[]): string {
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", ...flags, code],
    env: { LD_LIBRARY_PATH: folder.path },
  }).outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** A libgpiod of version 2 that cannot be loaded, so that the system's is not found either. */
function breakNew(folder: TemporaryFolder): void {
  Deno.writeTextFileSync(folder.file("libgpiod.so.3"), "broken");
}

/** Makes a library of C code. */
function compile(folder: TemporaryFolder, library: string, code: string): void {
  const source = folder.file("library.c");
  Deno.writeTextFileSync(source, code);
  const args = ["-shared", "-fPIC", "-w", "-o", folder.file(library), source];
  const { success } = new Deno.Command("gcc", { args }).outputSync();
  assert(success);
}

/** A libgpiod of version 1, as far as it is asked anything. */
function makeOld(folder: TemporaryFolder): void {
  const code = 'const char *gpiod_version_string(void) { return "1.6.3"; }\n';
  compile(folder, "libgpiod.so.2", code);
}

/** A libgpiod of version 2 that answers everything with 1. */
function makeObliging(folder: TemporaryFolder): void {
  const table = Deno.readTextFileSync(new URL(LIBGPIOD));
  const names = new Set(table.match(/^ {2}gpiod_\w+/gm)?.map((name) => name.trim()));
  const code = [...names].map((name) => `long ${name}(void) { return 1; }\n`).join("");
  compile(folder, "libgpiod.so.3", code);
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
  assertEquals(output, "false\n");
});

Deno.test("version 1 is named with the version that was found, and what to install", () => {
  using folder = new TemporaryFolder();
  breakNew(folder);
  makeOld(folder);
  assertStrictEquals(
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
  assertMatch(output, /^RuntimeError: .* and it cannot be loaded: .*file too short.*\n$/);
});

Deno.test("reading and setting values and reading edges cause no collection of garbage", () => {
  using folder = new TemporaryFolder();
  makeObliging(folder);
  const output = run(
    folder,
    `import { EdgeEvents, GpioChip } from "${LIBGPIOD}";
    const line = new GpioChip("any").request(0, { direction: "input" }, "me");
    const events = new EdgeEvents(16);
    let sum = 0;
    console.log("begin");
    for (let count = 0; count < 1_000_000; count++) {
      sum += line.value() + line.setValue(1) + line.readEdges(events) + events.sequence(0);
      sum += events.isRising(0) ? 1 : 0;
    }
    console.log(sum);`,
    // Room for what loading the modules leaves behind, which is collected otherwise; one object per
    // turn would still fill it several times.
    "--v8-flags=--trace-gc,--min-semi-space-size=4",
  );
  assertEquals(output.slice(output.indexOf("begin")), "begin\n5000000\n");
});
