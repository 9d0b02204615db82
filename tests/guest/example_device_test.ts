/**
 * The device of examples/device, in front of it Linux' own driver: a device that is made of nothing
 * but what lib/ has to offer.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotEquals, assertNotMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { moduleProgram } from "../support/module_program.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

const MODULE = new URL("../../examples/device/vhost-device-entropy.ts", import.meta.url);
/** virtio entropy. */
const ID = "4";

function start(folder: TemporaryFolder, args: readonly string[] = []): Promise<Daemon> {
  const program = moduleProgram(folder.file("program"), MODULE);
  return Daemon.start("vhost-device-entropy", args, { program });
}

/** Of how many pieces of `source`, in their order, a text is made; infinitely many if it is not. */
function piecesOf(text: string, source: string): number {
  let [at, from, count] = [0, 0, 0];
  for (; at < text.length; count++) {
    const found = source.indexOf(text.slice(at, at + 16), from);
    if (found < 0) return Infinity;
    let length = 0;
    while (at + length < text.length && source[found + length] === text[at + length]) length++;
    at += length;
    from = found + length;
  }
  return count;
}

Deno.test("example: /dev/hwrng of the guest reads the daemon's source, byte for byte", async () => {
  using folder = new TemporaryFolder();
  // Numbered lines: whatever piece of it the guest's kernel has taken before, this is no other file.
  const lines = Array.from({ length: 65536 }, (_, n) => `${String(n).padStart(7, "0")}\n`).join("");
  Deno.writeTextFileSync(folder.file("source"), lines);
  await using daemon = await start(folder, ["--source", folder.file("source")]);
  const output = await guestOutput(
    `cat /sys/class/misc/hw_random/rng_current
     head -c 20000 /dev/hwrng`,
    { devices: [[daemon.socket(), ID]] },
  );
  const end = output.indexOf("\n");
  const [current, bytes] = [output.slice(0, end), output.slice(end + 1)];
  assertMatch(current, /^virtio_rng/);
  assertEquals(bytes.length, 20000);
  // The driver asks for a page or less at a time, and drops the rest of one where a reader ends. As
  // it comes up, the kernel takes some for itself, which may be in the middle of all this.
  const pieces = piecesOf(bytes, lines);
  assert(pieces <= 3, `${pieces} pieces: ${bytes.slice(0, 80)}`);
  daemon.untilLogged(/front-end gone/);
  assertNotMatch(daemon.log, /warn|error/);
});

Deno.test("example: a guest gets random bytes, and a second one others", async () => {
  using folder = new TemporaryFolder();
  await using daemon = await start(folder);
  const read = () =>
    guestOutput("head -c 4096 /dev/hwrng | od -An -v -tx1", { devices: [[daemon.socket(), ID]] });
  const first = await read();
  daemon.untilLogged(/front-end gone/);
  const second = await read();
  for (const text of [first, second]) {
    const bytes = text.trim().split(/\s+/);
    assertEquals(bytes.length, 4096);
    // 256 values, each 16 times on average: that fewer than 240 occur has a chance below 1 in 10^9.
    assert(new Set(bytes).size > 240);
  }
  assertNotEquals(first, second);
  assertEquals((await daemon.stop()).code, 0);
});

Deno.test("example: a source that ends costs the guest its device, and is told of", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("source"), "short");
  await using daemon = await start(folder, ["--source", folder.file("source")]);
  await guestOutput("timeout 5 head -c 4096 /dev/hwrng >/dev/null || :", {
    devices: [[daemon.socket(), ID]],
  });
  daemon.untilLogged(
    /error guest 0: source '\S+' cannot be read: it has come to its end; choose one that does not end\n/,
  );
  assertEquals((await daemon.stop()).code, 0);
});

Deno.test("example: a source that is not there is refused at the start", async () => {
  using folder = new TemporaryFolder();
  const { code, stderr } = await new Deno.Command(
    moduleProgram(folder.file("program"), MODULE),
    { args: ["-s", folder.file("socket"), "-f", "/nowhere"], stderr: "piped" },
  ).output();
  assertEquals(code, 1);
  assertMatch(
    new TextDecoder().decode(stderr),
    /^vhost-device-entropy: source '\/nowhere' cannot be opened: [^\n]*; choose another file\n$/,
  );
});
