/**
 * The example scenarios, and what they find where they run.
 *
 * @module
 */

import type { Device } from "./board.ts";
import { ctl } from "./ctl.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);

/** The examples, with the devices that their guests have. */
export const EXAMPLES: Readonly<Record<string, readonly Device[]>> = {
  button: ["gpio"],
  fan: ["gpio", "i2c"],
  firmware: ["spi"],
};

/** A part of the devicetree that an example says its guest has. */
export function partOf(example: string): string {
  return Deno.readTextFileSync(new URL(`examples/scenarios/${example}.dtsi`, ROOT));
}

/** A folder `bin` with `vhost-device-ctl`, for commands of scenarios. */
export function installCtl(folder: TemporaryFolder): void {
  Deno.mkdirSync(folder.file("bin"), { recursive: true });
  const installed = Deno.env.get("VHOST_DEVICE_BIN_DIR");
  const program = installed
    ? `"${installed}/vhost-device-ctl"`
    : `"${Deno.execPath()}" run --quiet --allow-all "${ROOT.pathname}cmd/vhost-device-ctl.ts"`;
  Deno.writeTextFileSync(
    folder.file("bin/vhost-device-ctl"),
    `#!/bin/sh\nexec ${program} "$@"\n`,
    { mode: 0o755 },
  );
}

/**
 * Runs a scenario in a folder of its own, with what is in its `bin` found first.
 *
 * @param path from the root of the tree
 * @param change of its text
 * @returns what it prints
 * @throws {Error} if it does not pass
 */
export async function runScenario(
  folder: TemporaryFolder,
  path: string,
  change = (text: string) => text,
): Promise<string> {
  const file = folder.file("scenario.yaml");
  Deno.writeTextFileSync(file, change(Deno.readTextFileSync(new URL(path, ROOT))));
  const { code, stdout, stderr } = await ctl(["run", file], undefined, {
    PATH: `${folder.file("bin")}:${Deno.env.get("PATH")}`,
  });
  if (code !== 0) throw new Error(`${path}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs an example: {@linkcode runScenario}. */
export function runExample(
  folder: TemporaryFolder,
  example: string,
  change?: (text: string) => string,
): Promise<string> {
  return runScenario(folder, `examples/scenarios/${example}.yaml`, change);
}
