/**
 * Prints what is inside the executables as SPDX 2.3 in JSON.
 *
 *     main.ts TARGET EXECUTABLE...
 *
 * SOURCE_DATE_EPOCH is the date of the document, DENO_DESCRIPTION the text of `deno --version` of
 * the deno that has compiled the executables, TESTED_DENO the newest version that is tested,
 * BASE_SHA256 the checksum of what it put in front of
 * them, NPM_CACHE its folder of npm packages.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { importedPackages, lockedPackages, type NpmPackage } from "./lock.ts";

const LICENSE = "Apache-2.0 OR BSD-3-Clause";

interface Package {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly licenseConcluded: string;
  readonly [key: string]: unknown;
}

function spdxPackage(
  name: string,
  version: string,
  license: string,
  purl: string,
  more: Record<string, unknown> = {},
): Package {
  return {
    SPDXID: `SPDXRef-${`${name}-${version}`.replace(/[^A-Za-z0-9.-]+/g, "-")}`,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: license,
    licenseDeclared: license,
    copyrightText: "NOASSERTION",
    externalRefs: [{
      referenceCategory: "PACKAGE-MANAGER",
      referenceType: "purl",
      referenceLocator: purl,
    }],
    ...more,
  };
}

function npmPackage({ name, version, sha512, license }: NpmPackage): Package {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return spdxPackage(name, version, license, purl, {
    // Of the package as the registry has it.
    checksums: [{ algorithm: "SHA512", checksumValue: sha512 }],
  });
}

function executable(path: string) {
  const bytes = Deno.readFileSync(path);
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  const name = path.split("/").at(-1)!;
  return {
    SPDXID: `SPDXRef-${name}`,
    fileName: `./bin/${name}`,
    fileTypes: ["BINARY"],
    checksums: [
      { algorithm: "SHA1", checksumValue: digest("sha1") },
      { algorithm: "SHA256", checksumValue: digest("sha256") },
    ],
    licenseConcluded: "NOASSERTION",
    copyrightText: "NOASSERTION",
  };
}

function version(of: string): string {
  const found = new RegExp(`^${of} (\\S+)`, "m").exec(Deno.env.get("DENO_DESCRIPTION") ?? "");
  if (found === null) throw new Error(`DENO_DESCRIPTION does not name the version of ${of}`);
  return found[1];
}

const [target, ...paths] = Deno.args;
const root = new URL("../../", import.meta.url);
const project = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
const used = importedPackages(
  project.imports,
  ["cmd/", "lib/", "ffi/"].map((folder) => new URL(folder, root)),
);
const locked = lockedPackages(new URL("deno.lock", root), used, Deno.env.get("NPM_CACHE")!);
const created = new Date(Number(Deno.env.get("SOURCE_DATE_EPOCH")) * 1000);

const baseSha256 = Deno.env.get("BASE_SHA256") ?? "";

const own = spdxPackage(
  "vhost-device",
  project.version,
  LICENSE,
  `pkg:generic/vhost-device@${project.version}`,
  { primaryPackagePurpose: "APPLICATION" },
);
const tested = Deno.env.get("TESTED_DENO") ?? version("deno");
const outdated = version("deno") !== tested;
const deno = spdxPackage(
  "deno",
  version("deno"),
  "MIT",
  `pkg:github/denoland/deno@v${version("deno")}`,
  {
    summary: `The runtime of deno compile (denort) for ${target}`,
    primaryPackagePurpose: "FRAMEWORK",
    ...(outdated && {
      comment: `Not the newest version that is tested, ${tested}, whose base binary was out of ` +
        "reach where this was built. Fixes of later versions are not in it; Deno 2.5 has had none " +
        "since the end of its long-term support on 30 April 2026.",
    }),
    // Of the base binary; not known where deno has fetched it by itself.
    ...(baseSha256 === "" ? {} : {
      checksums: [{ algorithm: "SHA256", checksumValue: baseSha256 }],
    }),
  },
);
const v8 = spdxPackage(
  "v8",
  version("v8"),
  "BSD-3-Clause",
  `pkg:generic/v8@${version("v8")}`,
);
const inside = locked.filter(({ atRunTime }) => atRunTime).map(npmPackage);
const outside = locked.filter(({ atRunTime }) => !atRunTime).map(npmPackage);
const files = paths.map(executable);

const relation = (from: string, relationshipType: string, to: string) => ({
  spdxElementId: from,
  relationshipType,
  relatedSpdxElement: to,
});

// In SPDX a document's namespace is an address that nobody else uses; none has to be there.
const identity = files.map((file) => file.checksums[1].checksumValue.slice(0, 16)).join("-");

console.log(JSON.stringify(
  {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `vhost-device-${project.version}-${target}`,
    documentNamespace: `https://example.org/spdx/vhost-device-${project.version}-${identity}`,
    creationInfo: {
      created: created.toISOString().replace(/\.\d+Z$/, "Z"),
      creators: [`Tool: vhost-device-sbom-${project.version}`],
    },
    packages: [own, deno, v8, ...inside, ...outside],
    files,
    relationships: [
      relation("SPDXRef-DOCUMENT", "DESCRIBES", own.SPDXID),
      relation(deno.SPDXID, "CONTAINS", v8.SPDXID),
      ...[deno, ...inside].map(({ SPDXID }) => relation(own.SPDXID, "CONTAINS", SPDXID)),
      ...outside.map(({ SPDXID }) => relation(SPDXID, "DEV_DEPENDENCY_OF", own.SPDXID)),
      ...files.map(({ SPDXID }) => relation(own.SPDXID, "CONTAINS", SPDXID)),
    ],
  },
  null,
  2,
));
