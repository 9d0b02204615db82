/**
 * The programs that `cmd/` has, and which of them are daemons: those that serve a kind of device.
 *
 * A daemon `vhost-device-TYPE` has the file of that name in `cmd/` and the folder `lib/TYPE/`.
 *
 * @module
 */

import type { DeviceAbout, DeviceKind } from "../lib/daemon/device_kind.ts";
import type { Tool } from "../lib/ctl/main.ts";
import type { Daemon } from "../lib/daemon/main.ts";
import type { Program } from "../lib/program.ts";

/** The project's folder. */
export const ROOT: URL = new URL("../", import.meta.url);

/** A daemon, with what is said about it. */
export interface KnownDaemon {
  /** Its name. */
  readonly program: string;
  /** What its file in `cmd/` and its folder in `lib/` are named after, for example `gpio`. */
  readonly type: string;
  readonly kind: DeviceKind<unknown>;
  readonly about: DeviceAbout;
}

/**
 * All programs, in alphabetical order.
 *
 * @throws {Error} if a module of `cmd/` exports none, or one of another name
 */
export async function findPrograms(): Promise<Program[]> {
  const names = [...Deno.readDirSync(new URL("cmd/", ROOT))]
    .map(({ name }) => /^(vhost-device-[\w-]+)\.ts$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort();
  return await Promise.all(names.map(async (name) => {
    const { program } = await import(new URL(`cmd/${name}.ts`, ROOT).href);
    if (program?.name !== name) {
      throw new Error(`cmd/${name}.ts: its export 'program' is not the program ${name}`);
    }
    return program as Program;
  }));
}

/** The daemons among them. */
export async function findDaemons(): Promise<KnownDaemon[]> {
  const daemons = (await findPrograms()).filter((program): program is Daemon => "kind" in program);
  return await Promise.all(daemons.map(async ({ name, kind }) => {
    const type = name.replace("vhost-device-", "");
    const { about } = await import(new URL(`lib/${type}/about.ts`, ROOT).href);
    return { program: name, type, kind, about };
  }));
}

/** Those that are given commands. */
export async function findTools(): Promise<Tool[]> {
  return (await findPrograms()).filter((program): program is Tool => "commands" in program);
}
