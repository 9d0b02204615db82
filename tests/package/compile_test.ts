/**
 * Compiling: the same bytes from the same sources, wherever that is done.
 *
 * @module
 */

import { assertEquals, assertMatch, assertNotEquals, assertStrictEquals } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { BIN, ROOT, run, script, succeed } from "./build.ts";

Deno.test("two builds in different folders, with different caches, give the same bytes", async () => {
  using folder = new TemporaryFolder();
  const source = folder.file("elsewhere");
  Deno.mkdirSync(source);
  const parts = ["cmd", "lib", "ffi", "scripts", "tools", "deno.json", "deno.lock"];
  await succeed("cp", ["-r", ...parts.map((part) => `${ROOT}/${part}`), source]);
  // Packages that are kept elsewhere; what is kept is copied, so that nothing has to be fetched.
  const info = JSON.parse(await succeed(Deno.execPath(), ["info", "--json"]));
  Deno.mkdirSync(folder.file("cache"));
  await succeed("cp", ["-r", info.npmCache, folder.file("cache/npm")]);

  // From the same sources at the same time, in case somebody is changing them.
  const ours = folder.file("ours"), theirs = folder.file("theirs");
  const programs = ["vhost-device", "vhost-device-gpio"];
  await succeed(`${source}/scripts/compile.sh`, [ours, ...programs]);
  await succeed("mv", [source, `${source}.moved`]);
  await succeed(`${source}.moved/scripts/compile.sh`, [theirs, ...programs], {
    env: { DENO_DIR: folder.file("cache") },
  });
  for (const program of programs) {
    await succeed("cmp", [`${ours}/${program}`, `${theirs}/${program}`]);
  }
});

Deno.test("a program says nothing of the folders it was built in", async () => {
  const home = Deno.env.get("HOME")!;
  const info = JSON.parse(await succeed(Deno.execPath(), ["info", "--json"]));
  for (const path of [ROOT, info.denoDir, `${home}/.cache`]) {
    for (const program of ["vhost-device", "vhost-device-gpio"]) {
      const { code } = await run("grep", ["-qaF", path, `${BIN}/${program}`]);
      assertEquals(code, 1, `${path} is in ${program}`);
    }
  }
});

Deno.test("of the standard library a program has only the module that it uses", async () => {
  using folder = new TemporaryFolder();
  const out = folder.file("program.js");
  // As it is compiled, but for the names of its modules, which are left out there.
  const flags = ["--quiet", "--platform", "deno", "--no-check", "--frozen", "--output", out];
  await succeed(Deno.execPath(), ["bundle", ...flags, `${ROOT}/cmd/vhost-device-gpio.ts`], {
    cwd: ROOT,
  });
  const found = Deno.readTextFileSync(out).match(/^\/\/ .*\/deno-std\/.*$/gm) ?? [];
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  const [, version, path] = /^npm:deno-std@([^/]+)(\/.*)$/.exec(imports["@std/cli/parse-args"])!;
  assertEquals(found.map((line) => line.replace(/.*\/deno-std\//, "")), [`${version}${path}`]);
});

Deno.test("another machine's base binary is refused, as is an unknown machine", async () => {
  using folder = new TemporaryFolder();
  const compile = async (env: Record<string, string>) =>
    await run(`${ROOT}/scripts/compile.sh`, [folder.path], { env });
  const wrong = await compile({ TARGET: "aarch64-unknown-linux-gnu", DENORT_BIN: "/bin/sh" });
  assertNotEquals(wrong.code, 0);
  assertMatch(wrong.stderr, /^compile: DENORT_BIN=\/bin\/sh is not for aarch64[^\n]*\n$/);
  const unknown = await compile({ TARGET: "z80" });
  assertNotEquals(unknown.code, 0);
  assertMatch(unknown.stderr, /^compile: TARGET=z80: expected [^\n]*\n$/);
});

Deno.test("what is packed depends on the files alone", async () => {
  using folder = new TemporaryFolder();
  for (const name of ["one", "two"]) {
    Deno.mkdirSync(folder.file(`${name}/sub`), { recursive: true });
    // In another order, at another time, with another mask.
    for (const file of name === "one" ? ["a", "sub/b"] : ["sub/b", "a"]) {
      Deno.writeTextFileSync(folder.file(`${name}/${file}`), file);
    }
  }
  await succeed("touch", ["-d", "2001-01-01", folder.file("one/a")]);
  Deno.chmodSync(folder.file("two/a"), 0o600);
  const [one, two] = await Promise.all(
    ["one", "two"].map((name) =>
      script("pack.sh", [folder.file(name), "."], {
        PACK: "plain",
        SOURCE_DATE_EPOCH: "1000000000",
      })
    ),
  );
  assertStrictEquals(one, two);
});
