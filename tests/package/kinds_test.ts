/**
 * A fourth device costs a folder and a file: with these two everything that is made for each device
 * is made for it as well, and a program that is no daemon gets none of it.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { copyProject, filesOf, PROGRAMS, run, succeed } from "./build.ts";

/** Adds a device of that type: GPIO by another name. */
function addDevice(project: string, type: string): void {
  const replace = (text: string) =>
    text.replaceAll("vhost-device-gpio", `vhost-device-${type}`)
      .replaceAll("lib/gpio", `lib/${type}`)
      .replaceAll('"GPIO"', '"Dummy"').replaceAll('type: "gpio"', `type: "${type}"`)
      .replaceAll('"char-gpiochip"', '"char-dummy"').replaceAll('"gpiochip[0-9]*"', '"dummy*"');
  for (const name of filesOf(`${project}/lib/gpio`)) {
    const path = `${project}/lib/${type}/${name}`;
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    const text = Deno.readTextFileSync(`${project}/lib/gpio/${name}`);
    Deno.writeTextFileSync(path, replace(text));
  }
  const entry = Deno.readTextFileSync(`${project}/cmd/vhost-device-gpio.ts`);
  Deno.writeTextFileSync(`${project}/cmd/vhost-device-${type}.ts`, replace(entry));
}

/** Adds a program that serves nothing. */
function addTool(project: string, name: string): void {
  Deno.writeTextFileSync(
    `${project}/cmd/${name}.ts`,
    `export const program = { name: "${name}", permissions: {}, run: async () => {} };\n`,
  );
}

Deno.test("with a folder and a file there is a fourth device everywhere", async (test) => {
  using folder = new TemporaryFolder();
  const project = folder.file("project");
  await copyProject(project);
  addDevice(project, "dummy");
  addTool(project, "vhost-device-tool");
  const env = { MAKEFLAGS: "", MAKELEVEL: "", SOURCE_DATE_EPOCH: "1000000000" };
  const make = (...args: string[]) =>
    succeed("make", ["--no-print-directory", ...args], { cwd: project, env });

  await test.step("make builds its program, and the other one", async () => {
    const { stdout } = await run("make", ["-n", "all"], { cwd: project, env });
    const [, programs] = /^scripts\/compile\.sh bin (.*)$/m.exec(stdout)!;
    assertEquals(
      programs.split(" ").sort(),
      ["vhost-device", "vhost-device-dummy", "vhost-device-tool", ...PROGRAMS].sort(),
    );
  });

  await test.step("it is installed with all that comes with a daemon", async () => {
    await make("dist/docs/.made", "dist/units/.made");
    // The executable is not what this is about.
    Deno.mkdirSync(`${project}/bin`);
    Deno.writeTextFileSync(`${project}/bin/vhost-device`, "#!/bin/sh\n", { mode: 0o755 });
    const root = folder.file("root");
    await succeed(`${project}/scripts/install.sh`, ["install", "bin", "dist/docs", "dist/units"], {
      cwd: project,
      env: { DESTDIR: root, PREFIX: "/usr" },
    });
    const files = filesOf(root);
    assertEquals(files.filter((name) => name.includes("dummy")), [
      "usr/bin/vhost-device-dummy",
      "usr/lib/systemd/system/vhost-device-dummy@.service",
      "usr/lib/systemd/system/vhost-device-dummy@.socket",
      "usr/share/bash-completion/completions/vhost-device-dummy",
      "usr/share/fish/vendor_completions.d/vhost-device-dummy.fish",
      "usr/share/man/man1/vhost-device-dummy.1",
      "usr/share/qemu/vhost-user/50-vhost-device-dummy.json",
      "usr/share/zsh/site-functions/_vhost-device-dummy",
    ]);
    assertEquals(files.filter((name) => /vhost-device-tool/.test(name)), [
      "usr/bin/vhost-device-tool",
    ]);
    const read = (path: string) => Deno.readTextFileSync(`${root}/usr/${path}`);
    const service = read("lib/systemd/system/vhost-device-dummy@.service");
    assertMatch(service, /^DeviceAllow=char-dummy rw$/m);
    assertMatch(read("lib/udev/rules.d/60-vhost-device.rules"), /KERNEL=="dummy\*"/);
    const descriptor = JSON.parse(read("share/qemu/vhost-user/50-vhost-device-dummy.json"));
    assertEquals([descriptor.type, descriptor.binary], [
      "dummy",
      "/usr/bin/vhost-device-dummy",
    ]);
    assertMatch(Deno.readTextFileSync(`${project}/dist/units/control.in`), /Dummy, GPIO, I2C and/);
  });

  await test.step("the project's own checks take it in", async () => {
    const tests = ["tests/unit/arrows_test.ts", "tests/unit/daemon/help_test.ts"];
    await succeed(Deno.execPath(), ["test", "--quiet", "--allow-all", "--no-check", ...tests], {
      cwd: project,
      env,
    });
  });
});
