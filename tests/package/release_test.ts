/**
 * The release: what is in the tarball is what the checksums and the SBOM say.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { BIN, DOCS, ROOT, script, succeed, TYPES, UNITS } from "./build.ts";

interface Named {
  readonly SPDXID: string;
  readonly name?: string;
  readonly fileName?: string;
  readonly versionInfo?: string;
  readonly comment?: string;
  readonly licenseDeclared?: string;
  readonly checksums?: readonly { readonly algorithm: string; readonly checksumValue: string }[];
}

Deno.test("a release has programs, documents, units, checksums and an SBOM", async (test) => {
  using folder = new TemporaryFolder();
  await script("release.sh", [BIN, DOCS, UNITS, folder.path], { PACK: "quick" });
  const [archive] = [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => name.endsWith(".tar.xz"));
  const name = archive.replace(".tar.xz", "");
  const sbom = JSON.parse(Deno.readTextFileSync(folder.file(`${name}.spdx.json`)));
  const packages = sbom.packages as Named[];

  await test.step("the checksums are right", async () => {
    await succeed("sha256sum", ["--quiet", "--check", "SHA256SUMS"], { cwd: folder.path });
    const sums = Deno.readTextFileSync(folder.file("SHA256SUMS"));
    assertEquals(sums.match(/\S+$/gm)!.sort(), [archive, `${name}.spdx.json`].sort());
  });

  await test.step("the tarball unpacks to what can be put below /usr/local", async () => {
    const root = folder.file("root");
    Deno.mkdirSync(root);
    const tarball = folder.file(archive);
    await succeed("tar", ["-xJf", tarball, "--strip-components=1", "-C", root]);
    for (const type of TYPES) {
      const program = `vhost-device-${type}`;
      assertStrictEquals(Deno.readLinkSync(`${root}/bin/${program}`), "vhost-device");
      assertMatch(await succeed(`${root}/bin/${program}`, ["--version"]), new RegExp(program));
      const unit = Deno.readTextFileSync(`${root}/lib/systemd/system/${program}@.service`);
      assertMatch(unit, new RegExp(`^ExecStart=/usr/local/bin/${program} `, "m"));
    }
    // The executable of the SBOM is this one.
    const [file, ...others] = sbom.files as Named[];
    const [sum] = (await succeed("sha256sum", [`${root}/bin/vhost-device`])).split(" ");
    const named = file.checksums!.find(({ algorithm }) => algorithm === "SHA256")?.checksumValue;
    assertEquals([file.fileName, named, others], ["./bin/vhost-device", sum, []]);
    assert(Deno.statSync(`${root}/share/doc/vhost-device/${name}.spdx.json`).isFile);
    const owners = await succeed("tar", ["--numeric-owner", "-tvJf", tarball]);
    for (const line of owners.trim().split("\n")) assertMatch(line, /^\S+ 0\/0 /);
  });

  await test.step("the SBOM names the runtime and all packages of the lock file", () => {
    assertEquals(sbom.spdxVersion, "SPDX-2.3");
    const lock = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.lock`));
    for (const [key, { integrity }] of Object.entries<{ integrity: string }>(lock.npm)) {
      const at = key.indexOf("@", 1);
      // What follows is the packages that it was resolved beside.
      const [version] = key.slice(at + 1).split("_");
      const found = packages.find((entry) =>
        entry.name === key.slice(0, at) && entry.versionInfo === version
      );
      assert(found, `${key} is missing`);
      const sum = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
      assertEquals(found.checksums, [{ algorithm: "SHA512", checksumValue: sum }]);
    }
    assertEquals(packages.slice(0, 3).map(({ name }) => name), ["vhost-device", "deno", "v8"]);
  });

  await test.step("the SBOM has the version of the runtime that is in the executable", async () => {
    const inside = await succeed("grep", [
      "-aoE",
      "Deno/[0-9]+\\.[0-9]+\\.[0-9]+",
      `${BIN}/vhost-device`,
    ]);
    const { versionInfo, comment } = packages.find(({ name }) => name === "deno")!;
    assertStrictEquals(`Deno/${versionInfo}`, inside.trim().split("\n").sort().at(-1));
    const tested = await succeed(await script("toolchain.sh", ["tested"]).then((it) => it.trim()), [
      "--version",
    ]);
    const isTested = tested.startsWith(`deno ${versionInfo} `);
    assertStrictEquals(comment === undefined, isTested, "says that there is a newer one");
  });

  await test.step("every relationship is between things that there are", () => {
    const known = new Set(["SPDXRef-DOCUMENT", ...packages.map(({ SPDXID }) => SPDXID)]);
    for (const { SPDXID } of sbom.files) known.add(SPDXID);
    assertStrictEquals(
      known.size,
      1 + packages.length + sbom.files.length,
      "an identifier stands twice",
    );
    for (const { spdxElementId, relatedSpdxElement } of sbom.relationships) {
      assert(known.has(spdxElementId), spdxElementId);
      assert(known.has(relatedSpdxElement), relatedSpdxElement);
    }
    for (const id of known) assertMatch(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
  });

  await test.step("what is in the programs has a licence, and its text is there", () => {
    const texts = Deno.readTextFileSync(`${ROOT}/packaging/LICENSES-BUNDLED`);
    for (const { relationshipType, relatedSpdxElement } of sbom.relationships) {
      const part = packages.find(({ SPDXID }) => SPDXID === relatedSpdxElement);
      if (relationshipType !== "CONTAINS" || part === undefined) continue;
      assertNotEquals(part.licenseDeclared, "NOASSERTION", part.name);
      const words = new RegExp(`^${part.name}\\b.*\\(${part.licenseDeclared}\\)$`, "mi");
      assertMatch(texts, words);
    }
  });
});
