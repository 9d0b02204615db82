/**
 * Which Deno is taken, on machines of both kinds and whatever the registry has for them.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { ROOT, run } from "./build.ts";

/** An arm64 machine without deno, with a registry that has these versions for it. */
function machine(folder: TemporaryFolder, versions: readonly string[]): Record<string, string> {
  const program = (name: string, text: string) =>
    Deno.writeTextFileSync(folder.file(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  Deno.mkdirSync(folder.file("bin"));
  program("uname", '[ "$1" = -sm ] && echo Linux aarch64 || echo aarch64');
  // As npm does where a package is optional and not there: nothing, with success.
  program(
    "npm",
    `while [ $# -gt 0 ]; do
       case $1 in --prefix) prefix=$2 ;; deno@*) version=\${1#deno@} ;; esac
       shift
     done
     case " ${versions.join(" ")} " in *" $version "*) ;; *) exit 0 ;; esac
     mkdir -p "$prefix/node_modules/@deno/linux-arm64-glibc"
     echo "deno $version" >"$prefix/node_modules/@deno/linux-arm64-glibc/deno"`,
  );
  return { XDG_CACHE_HOME: folder.file("cache"), PATH: `${folder.file("bin")}:/usr/bin:/bin` };
}

function toolchain(env: Record<string, string>) {
  return run(`${ROOT}/scripts/toolchain.sh`, ["tested"], { clearEnv: true, env });
}

Deno.test("on arm64 the newest version is taken that the registry has for it", async () => {
  using folder = new TemporaryFolder();
  const env = machine(folder, ["2.9.5", "2.7.7"]);
  const first = await toolchain(env);
  assertStrictEquals(first.code, 0, first.stderr);
  assertStrictEquals(Deno.readTextFileSync(first.stdout.trim()), "deno 2.9.5\n");
  assertStrictEquals(Deno.statSync(first.stdout.trim()).mode! & 0o111, 0o111);
  // The registry is not asked a second time for what it does not have.
  Deno.removeSync(folder.file("bin/npm"));
  assertEquals((await toolchain(env)).stdout, first.stdout);
});

Deno.test("where it has none, the last line says what to do", async () => {
  using folder = new TemporaryFolder();
  const { code, stdout, stderr } = await toolchain(machine(folder, ["2.5.7"]));
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^toolchain: the registry has no deno 2\.9\.6 for aarch64$/m);
  assertMatch(
    stderr,
    /\ntoolchain: npm could not install deno [0-9., ]+ or [0-9.]+ \(see above\); install one, or set DENO=\n$/,
  );
});
