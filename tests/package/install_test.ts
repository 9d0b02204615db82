/**
 * make install and make uninstall: what lands where, and that nothing stays.
 *
 * @module
 */

import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { documents } from "../support/documents.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import {
  BIN,
  DOCS,
  filesOf,
  install,
  PROGRAMS,
  ROOT,
  script,
  SHIPPED,
  succeed,
  TOOLS,
  TYPES,
  UNITS,
} from "./build.ts";

Deno.test("install puts everything below DESTDIR and PREFIX, and uninstall takes it away", async () => {
  using folder = new TemporaryFolder();
  const root = folder.file("root");
  await install(root, "/opt/vhost");
  const files = filesOf(root);
  const expected = TYPES.flatMap((type) => [
    `lib/systemd/system/vhost-device-${type}@.service`,
    `lib/systemd/system/vhost-device-${type}@.socket`,
    `share/bash-completion/completions/vhost-device-${type}`,
    `share/doc/vhost-device/examples/${type}.yaml`,
    `share/fish/vendor_completions.d/vhost-device-${type}.fish`,
    `share/man/man1/vhost-device-${type}.1`,
    `share/qemu/vhost-user/50-vhost-device-${type}.json`,
    `share/zsh/site-functions/_vhost-device-${type}`,
  ]).concat([
    "bin/vhost-device",
    ...PROGRAMS.map((name) => `bin/${name}`),
    ...TOOLS.flatMap((name) => [
      `share/bash-completion/completions/${name}`,
      `share/fish/vendor_completions.d/${name}.fish`,
      `share/man/man1/${name}.1`,
      `share/zsh/site-functions/_${name}`,
    ]),
    "share/man/man1/vhost-device.1",
    "lib/sysusers.d/vhost-device.conf",
    "lib/udev/rules.d/60-vhost-device.rules",
    "share/doc/vhost-device/CHANGELOG.md",
    "share/doc/vhost-device/CONTRIBUTING.md",
    "share/doc/vhost-device/LICENSE",
    "share/doc/vhost-device/LICENSE-APACHE",
    "share/doc/vhost-device/LICENSE-BSD-3-Clause",
    "share/doc/vhost-device/LICENSES-BUNDLED",
    "share/doc/vhost-device/README.md",
    "share/doc/vhost-device/examples/ci/github-actions.yml",
    "share/doc/vhost-device/examples/part/thermometer.py",
    ...["device", "scenarios"].flatMap((folder) =>
      filesOf(`${ROOT}/examples/${folder}`)
        .map((name) => `share/doc/vhost-device/examples/${folder}/${name}`)
    ),
    ...["bench/results", "docs"].flatMap((folder) =>
      filesOf(`${ROOT}/${folder}`).map((name) => `share/doc/vhost-device/${folder}/${name}`)
    ),
  ]).map((path) => `opt/vhost/${path}`).sort();
  assertEquals(files, expected);
  const size = await succeed("du", ["--bytes", "--summarize", root]);
  assert(parseInt(size) <= 100e6, `${size.trim()} bytes`);
  for (const file of files) {
    const mode = Deno.statSync(`${root}/${file}`).mode! & 0o777;
    assertEquals(mode, file.includes("/bin/") ? 0o755 : 0o644, file);
    if (file.includes("/bin/") || file.endsWith(".png")) continue;
    assertNotMatch(Deno.readTextFileSync(`${root}/${file}`), /@[A-Z]+@/, `${file}: a mark`);
  }
  for (const { path, links } of documents) {
    for (const link of links) {
      const target = `opt/vhost/share/doc/vhost-device/${link.path}`;
      const isThere = files.some((file) => file === target || file.startsWith(`${target}/`));
      assert(isThere, `${path}: ${link.target} is not installed`);
    }
  }
  await script("install.sh", ["uninstall", BIN, DOCS, UNITS], {
    DESTDIR: root,
    PREFIX: "/opt/vhost",
  });
  assertEquals(filesOf(root), []);
});

Deno.test("QEMU's descriptors name the programs, with the type that these print themselves", async () => {
  using folder = new TemporaryFolder();
  await install(folder.path);
  for (const type of TYPES) {
    const program = `vhost-device-${type}`;
    const path = folder.file(`usr/share/qemu/vhost-user/50-${program}.json`);
    const descriptor = JSON.parse(Deno.readTextFileSync(path));
    assertEquals(descriptor.binary, `/usr/bin/${program}`);
    const printed = JSON.parse(await succeed(`${SHIPPED}/${program}`, ["--print-capabilities"]));
    assertStrictEquals(descriptor.type, printed.type);
    assert(descriptor.description.length > 0);
  }
});
