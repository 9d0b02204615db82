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
 * Runs an example in a folder of its own, with what is in its `bin` found first.
 *
 * @param change of its text
 * @returns what it prints
 * @throws {Error} if it does not pass
 */
export async function runExample(
  folder: TemporaryFolder,
  example: string,
  change = (text: string) => text,
): Promise<string> {
  const text = Deno.readTextFileSync(new URL(`examples/scenarios/${example}.yaml`, ROOT));
  Deno.writeTextFileSync(folder.file(`${example}.yaml`), change(text));
  const path = Deno.env.get("PATH")!;
  const args = ["run", folder.file(`${example}.yaml`)];
  const { code, stdout, stderr } = await ctl(args, undefined, {
    PATH: `${folder.file("bin")}:${path}`,
  });
  if (code !== 0) throw new Error(`${example}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}
