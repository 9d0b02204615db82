/**
 * What the tests of this folder work on: the compiled programs, their documentation, and the
 * project's scripts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { findDaemons, findPrograms, findTools } from "../../tools/programs.ts";

/** The project's folder. */
export const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
/** The folder, from "make", of the executable that is installed, and of each program by itself. */
export const BIN = `${ROOT}/bin`;
/** The folder of manual pages and completions, from "make". */
export const DOCS = `${ROOT}/dist/docs`;
/** The folder of units, rules and descriptors, from "make". */
export const UNITS = `${ROOT}/dist/units`;
/** All programs. */
export const PROGRAMS = (await findPrograms()).map(({ name }) => name);
/** The devices that there are daemons for. */
export const TYPES = (await findDaemons()).map(({ type }) => type);
/** The programs that are given commands. */
export const TOOLS = (await findTools()).map(({ name }) => name);

export const isRoot = Deno.uid() === 0;

/** A configuration file of one guest that takes no hardware. */
export function configuration(type: string): string {
  return `${ROOT}/lib/${type}/demo/config.yaml`;
}

/** Configurations of one guest whose parts keep their contents in the file `kept`. */
export const KEEPING: Readonly<Record<string, string>> = {
  i2c: "adapters: [{ simulated: { parts: [{ part: 24c02, address: 0x50, file: kept }] } }]\n",
  spi: "guests: [{ simulated: { parts: [{ part: flash, size-kib: 256, file: kept }] } }]\n",
};

/** What came of a command. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Runs a command that has to succeed, and returns what it prints. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  assertEquals(code, 0, `${command} ${args.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

/** Runs one of the project's scripts. */
export function script(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  return succeed(`${ROOT}/scripts/${name}`, args, { env });
}

/** All files below a folder by their path within it. */
export function filesOf(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(`${folder}/${name}`, `${prefix}${name}/`) : [`${prefix}${name}`]
  ).sort();
}

/** A copy of the project, as it is in this folder. */
export async function copyProject(target: string): Promise<void> {
  Deno.mkdirSync(target);
  const ignored = [".git", "bin", "dist", ".toolchain"].map((name) => `--exclude=./${name}`);
  await succeed("bash", [
    "-ec",
    'tar -C "$1" -cf - "${@:3}" . | tar -C "$2" -xf -',
    "bash",
    ROOT,
    target,
    ...ignored,
  ]);
}

/** Installs into a folder. */
export async function install(destination: string, prefix = "/usr"): Promise<void> {
  await script("install.sh", ["install", BIN, DOCS, UNITS], {
    DESTDIR: destination,
    PREFIX: prefix,
  });
}

const installed = `${ROOT}/dist/shipped`;
await install(installed);

/** What is shipped: the executable, with links by the names of the programs. */
export const SHIPPED = `${installed}/usr/bin`;
