/**
 * Domain 0 of an emulated Xen host, for tests to run in.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { testsInGuest } from "./tests_in_guest.ts";
import type { GuestBoot, GuestOutcome } from "./uml.ts";

const run = fileURLToPath(new URL("../guest/xen/run.sh", import.meta.url));

async function runOnXen(script: string, boot: GuestBoot): Promise<GuestOutcome> {
  const { options = [], limit = 60 } = boot;
  const { code, stdout, stderr } = await new Deno.Command(run, {
    args: ["-t", String(limit), ...options, "--", "bash", "-c", script],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  return {
    status: code,
    output: text.decode(stdout).replaceAll("\r\n", "\n"),
    errors: text.decode(stderr),
  };
}

/** Runs a file of tests in domain 0, with the programs that are tested outside as well. */
export function testsOnXen(context: Deno.TestContext, file: string): Promise<void> {
  const programs = Deno.env.get("VHOST_DEVICE_BIN_DIR");
  const options = [
    // Everything takes ten times as long there.
    ...["-e", "PATIENCE=100"],
    ...(programs === undefined ? [] : ["-M", programs, "-e", `VHOST_DEVICE_BIN_DIR=${programs}`]),
  ];
  return testsInGuest(context, file, { run: runOnXen, options, limit: 600 });
}
