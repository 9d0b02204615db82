/**
 * The RPM package: rpmlint accepts it, it is installed into an empty tree, from which its programs
 * serve, and beside other packages it does what is due at installation, upgrade and removal.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { findDaemons } from "../../tools/programs.ts";
import { FrontEnd } from "../support/front_end.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { copies, Copy } from "./copy.ts";
import {
  BIN,
  configuration,
  DOCS,
  filesOf,
  isRoot,
  PROGRAMS,
  ROOT,
  run,
  script,
  succeed,
  TYPES,
  UNITS,
} from "./build.ts";
import { Served } from "./served.ts";

async function build(out: string): Promise<string> {
  await script("rpm.sh", [BIN, DOCS, UNITS, out], { PACK: "quick" });
  const [name] = filesOf(out);
  return `${out}/${name}`;
}

/** rpm, with the data base where distributions that use it have it. */
function rpm(root: string, ...args: string[]): Promise<string> {
  return succeed("rpm", [`--root=${root}`, "--dbpath=/var/lib/rpm", ...args]);
}

Deno.test({
  name: "the RPM package pleases rpmlint, and its programs serve from an empty tree",
  ignore: !isRoot,
  async fn(test) {
    using out = new TemporaryFolder();
    const path = await build(out.file("one"));

    await test.step("the same sources give the same bytes", async () => {
      await succeed("cmp", [path, await build(out.file("two"))]);
    });

    await test.step("rpmlint finds no error and nothing to warn of", async () => {
      const args = ["--config", `${ROOT}/packaging/rpm/rpmlint.toml`, path];
      const { code, stdout } = await run("rpmlint", args);
      assertEquals([code, stdout.match(/^.*: [EW]: .*$/gm) ?? []], [0, []]);
    });

    await test.step("it says what the executable needs of others", async () => {
      const needed = await succeed("rpm", ["-qp", "--requires", path]);
      for (const library of ["libc.so.6", "libgcc_s.so.1"]) {
        assertMatch(needed, new RegExp(`^${library}\\(.*64bit\\)$`, "m"));
      }
      const recommended = await succeed("rpm", ["-qp", "--recommends", path]);
      assertStrictEquals(recommended, "libgpiod.so.3()(64bit)\n");
    });

    const root = out.file("root");
    Deno.mkdirSync(root);

    await test.step("it is installed into an empty tree", async () => {
      // What it needs of others is not there.
      await rpm(root, "--install", "--nodeps", path);
      assertStrictEquals(await rpm(root, "--verify", "--nodeps", "vhost-device"), "");
      assertEquals(
        [...Deno.readDirSync(`${root}/usr/bin`)].map(({ name }) => name).sort(),
        ["vhost-device", ...PROGRAMS],
      );
      for (const type of TYPES) {
        assert(Deno.statSync(`${root}/etc/vhost-device/${type}`).isDirectory);
        const unit = `usr/lib/systemd/system/vhost-device-${type}@.service`;
        const [, program] = /^ExecStart=(\S+)/m.exec(Deno.readTextFileSync(`${root}/${unit}`))!;
        assert(Deno.statSync(`${root}${program}`).isFile);
      }
      const licences = await rpm(root, "--query", "--licensefiles", "vhost-device");
      assertStrictEquals(licences.trim().split("\n").length, 4);
    });

    for (const type of TYPES) {
      await test.step(`${type}: it is run from there`, async () => {
        const program = `${root}/usr/bin/vhost-device-${type}`;
        await using served = Served.start(program, ["--config", configuration(type)]);
        using frontEnd = FrontEnd.connect(served.socket);
        assert(frontEnd.getFeatures() > 0n);
        assertMatch(await served.stop(), /front-end connected/);
      });
    }

    await test.step("nothing but folders is left when it is removed", async () => {
      await rpm(root, "--erase", "--nodeps", "vhost-device");
      const left = filesOf(root).filter((name) => !name.startsWith("var/lib/rpm/"));
      assertEquals(left, []);
    });
  },
});

Deno.test({
  name: "the RPM package makes groups, and stops instances when it is removed, not when upgraded",
  ignore: !copies,
  async fn() {
    using out = new TemporaryFolder();
    const path = await build(out.path);
    await using copy = await Copy.make();
    Deno.copyFileSync(path, `${copy.root}/package.rpm`);
    const groups = (await findDaemons())
      .map(({ about }) => about.nodes?.group)
      .filter((group) => group !== undefined);
    // The copy is not booted: this tells what systemd would have been asked for.
    await copy.in(`
      mkdir -p /run/systemd/system
      printf '#!/bin/sh\\necho "\${0##*/} $*" >>/asked\\n' >/told
      chmod +x /told
      ln -sf /told /usr/bin/systemctl
      ln -sf /told /usr/bin/udevadm
      for group in ${groups.join(" ")}; do groupdel $group 2>/dev/null || :; done
    `);
    const asked = async (command: string) => {
      Deno.writeTextFileSync(`${copy.root}/asked`, "");
      await copy.in(`rpm --dbpath=/var/lib/rpm --nodeps ${command}`);
      return Deno.readTextFileSync(`${copy.root}/asked`).trim().split("\n");
    };
    const reloaded = ["systemctl daemon-reload", "udevadm control --reload"];
    assertEquals(await asked("--install /package.rpm"), reloaded);
    for (const group of groups) await copy.in(`getent group ${group}`);
    assertEquals(
      await asked("--upgrade --force /package.rpm"),
      [...reloaded, "systemctl daemon-reload"],
    );
    assertEquals(await asked("--erase vhost-device"), [
      "systemctl stop vhost-device-*@*.socket vhost-device-*@*.service",
      "systemctl daemon-reload",
    ]);
  },
});
