/**
 * The npm packages of deno.lock.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** One package. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Of its archive, in hexadecimal. */
  readonly sha512: string;
  /** As its package.json declares it, an SPDX expression. */
  readonly license: string;
  /** False for what is used by tests alone, or read by the type checker only. */
  readonly atRunTime: boolean;
}

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
  readonly workspace: { readonly dependencies: readonly string[] };
}

/** `@scope/name@1.2.3` in two. A suffix of peer dependencies is left out. */
function split(key: string): [string, string] {
  const at = key.indexOf("@", 1);
  return [key.slice(0, at), key.slice(at + 1).split("_")[0]];
}

function hexadecimal(integrity: string): string {
  const [, base64] = /^sha512-(.*)$/.exec(integrity) ?? [];
  if (base64 === undefined) throw new Error(`deno.lock: '${integrity}' is no SHA-512`);
  return Buffer.from(base64, "base64").toString("hex");
}

/** Finds the registry's folder in the cache that has a package. */
function readLicense(cache: string, name: string, version: string): string {
  for (const { name: registry } of Deno.readDirSync(cache)) {
    try {
      const text = Deno.readTextFileSync(`${cache}/${registry}/${name}/${version}/package.json`);
      return JSON.parse(text).license ?? "NOASSERTION";
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  // Not fetched, because no build has needed it.
  return "NOASSERTION";
}

function* modulesBelow(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* modulesBelow(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/**
 * The packages that modules import, as a lock file calls them.
 *
 * @param imports what the names that they use stand for
 * @param folders where the modules are
 */
export function importedPackages(
  imports: Readonly<Record<string, string>>,
  folders: readonly URL[],
): Set<string> {
  const found = new Set<string>();
  for (const module of folders.flatMap((folder) => [...modulesBelow(folder)])) {
    const text = Deno.readTextFileSync(module);
    for (const [, name] of text.matchAll(/\b(?:from |import\()"([^"]+)"/g)) {
      const [, specifier] = /^(npm:(?:@[^/]+\/)?[^/]+)/.exec(imports[name] ?? "") ?? [];
      if (specifier !== undefined) found.add(specifier);
    }
  }
  return found;
}

/**
 * Reads the lock file.
 *
 * @param used the packages that the programs import
 * @param cache the folder that deno keeps npm packages in
 */
export function lockedPackages(
  file: URL,
  used: ReadonlySet<string>,
  cache: string,
): NpmPackage[] {
  const lock: Lock = JSON.parse(Deno.readTextFileSync(file));
  const keyOf = (dependency: string) =>
    Object.keys(lock.npm).find((key) => key === dependency || split(key)[0] === dependency)!;
  const needed = new Set<string>();
  const visit = (key: string) => {
    if (needed.has(key)) return;
    needed.add(key);
    for (const dependency of lock.npm[key].dependencies ?? []) visit(keyOf(dependency));
  };
  for (const specifier of lock.workspace.dependencies) {
    if (!used.has(specifier)) continue;
    const [name] = split(specifier.replace(/^npm:/, ""));
    visit(keyOf(`${name}@${lock.specifiers[specifier]}`));
  }
  return Object.entries(lock.npm).map(([key, { integrity }]) => {
    const [name, version] = split(key);
    return {
      name,
      version,
      sha512: hexadecimal(integrity),
      license: readLicense(cache, name, version),
      atRunTime: needed.has(key),
    };
  });
}
