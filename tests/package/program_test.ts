/**
 * The compiled programs: they serve, ask for nothing, and leave nothing behind.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { FrontEnd } from "../support/front_end.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { NOT_FOR_USERS, Served } from "./served.ts";
import { BIN, configuration, filesOf, isRoot, ROOT, run, SHIPPED, TYPES } from "./build.ts";

for (const type of TYPES) {
  const program = `${SHIPPED}/vhost-device-${type}`;
  const simulated = ["--config", configuration(type)];

  for (
    const [what, file] of [["the program", program], [
      "the program by itself",
      `${BIN}/vhost-device-${type}`,
    ]]
  ) {
    Deno.test(`${type}: ${what} answers a front-end, and writes nothing but its socket`, async () => {
      await using served = Served.start(file, simulated);
      using frontEnd = FrontEnd.connect(served.socket);
      assert(frontEnd.getFeatures() > 0n);
      assertEquals(filesOf(served.folder.path), ["socket0"]);
      frontEnd[Symbol.dispose]();
      await served.stop();
      assertEquals(filesOf(served.folder.path), []);
    });
  }

  Deno.test(`${type}: the program takes the example configuration`, async () => {
    await using served = Served.start(program, ["--config", `${ROOT}/examples/${type}.yaml`]);
    using frontEnd = FrontEnd.connect(served.socket);
    assert(frontEnd.getFeatures() > 0n);
    await served.stop();
  });

  Deno.test(`${type}: the program needs no permission that it does not have`, async () => {
    using folder = new TemporaryFolder();
    Deno.writeTextFileSync(folder.file("file0"), "");
    const lines = [
      ["--help"],
      ["--version"],
      ["--list"],
      ["--print-capabilities"],
      ["--nonsense"],
      [],
      ["--config", "/nonexistent.yaml"],
      ["--config", "/proc/self/environ"],
      ["-s", "/nonexistent/socket", ...simulated],
      ["-s", folder.file("file"), ...simulated],
      ["-s", "/proc/socket", ...simulated],
      ["-s", folder.file("s"), "-l", "7"],
      ["-s", folder.file("s"), "-l", "7:8"],
      ["-s", folder.file("s"), "-l", "/dev/null"],
      ["--fd", "99", ...simulated],
    ];
    await Promise.all(lines.map(async (args) => {
      const { code, stdout, stderr } = await run(program, args, { clearEnv: true });
      const what = `${type} ${args.join(" ")}: ${code}\n${stderr}`;
      assertNotMatch(stdout + stderr, NOT_FOR_USERS, what);
      if (code !== 0) assertMatch(stderr, /^vhost-device-\w+: [^\n]+\n$/, what);
    }));
  });

  Deno.test({
    name: `${type}: without the right to make its socket the program says so`,
    ignore: !isRoot,
    async fn() {
      using folder = new TemporaryFolder();
      Deno.chmodSync(folder.path, 0o755);
      // A copy where everybody can reach it.
      const copy = folder.file(`vhost-device-${type}`);
      Deno.copyFileSync(program, copy);
      Deno.chmodSync(copy, 0o755);
      const { code, stderr } = await run(
        copy,
        ["-s", folder.file("socket"), ...simulated],
        { uid: 65534, gid: 65534, cwd: "/" },
      );
      assertEquals(code, 1);
      assertMatch(
        stderr,
        /^vhost-device-\w+: no permission to create socket [^\n]+ 65534[^\n]*\n$/,
      );
    },
  });
}

Deno.test("V13 a program raises its limit on open files as far as it may", async () => {
  const wrapper = ["/bin/sh", "-c", 'ulimit -Sn 64; exec "$@"', "sh"];
  const simulated = ["--config", configuration("gpio")];
  // With as many as that it would not even begin.
  await using served = Served.start(`${SHIPPED}/vhost-device-gpio`, simulated, wrapper);
  using frontEnd = FrontEnd.connect(served.socket);
  assert(frontEnd.getFeatures() > 0n);
  await served.stop();
});
