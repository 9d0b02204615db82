/** The QEMU guest itself: what the other tests in this folder take for granted. */

import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const runScript = fileURLToPath(new URL("../guest/qemu/run.sh", import.meta.url));

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(runScript, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

for (const version of ["10", "11"]) {
  Deno.test(`QEMU ${version}: exit status and output arrive as they are`, async () => {
    const script = "printf 'tab\\tCR\\r\\n'; seq 2000; echo warning >&2; printf end; exit 42";
    const lines = Array.from({ length: 2000 }, (_, i) => `${i + 1}\n`).join("");
    assertEquals(await run("-q", version, "--", "bash", "-c", script), {
      code: 42,
      stdout: `tab\tCR\r\n${lines}end`,
      stderr: "warning\n",
    });
  });
}

Deno.test("QEMU: folders of the host are mounted read-only or writable", async () => {
  using folder = new TemporaryFolder();
  for (const name of ["ro", "rw"]) {
    Deno.mkdirSync(folder.file(name));
    Deno.writeTextFileSync(folder.file(`${name}/given`), `${name}\n`);
  }
  const { stdout } = await run(
    ...["-M", `${folder.file("ro")}:/in/ro`, "-M", `${folder.file("rw")}:/in/rw:rw`],
    ...["--", "bash", "-c", "cat /in/*/given; touch /in/ro/new /in/rw/new 2>/dev/null; ls /in/*"],
  );
  assertEquals(stdout, "ro\nrw\n/in/ro:\ngiven\n\n/in/rw:\ngiven\nnew\n");
  assertEquals([...Deno.readDirSync(folder.file("rw"))].length, 2);
});

Deno.test("QEMU: a guest that takes too long is killed, one that dies is told from one that fails", async () => {
  const [late, dead] = await Promise.all([
    run("-t", "4", "--", "sleep", "60"),
    run("--", "poweroff", "-f"),
  ]);
  assertEquals(late.code, 124);
  assertMatch(late.stderr, /killed after 4 seconds/);
  assertEquals(dead.code, 125);
  assertMatch(dead.stderr, /the guest died/);
});

Deno.test("QEMU: the guest has a devicetree and lines of its own, and a kernel without complaints", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(
    folder.file("board.dts"),
    '/dts-v1/; / { model = "a board"; #address-cells = <2>; #size-cells = <2>; };',
  );
  const { code, stdout } = await run(
    ...["-b", folder.file("board.dts"), "-a", "i2c_stub.chip_addr=0x50", "--", "bash", "-ec"],
    `chip=/sys/kernel/config/gpio-sim/chip
     mkdir -p $chip/bank; echo 4 >$chip/bank/num_lines; echo 1 >$chip/live
     tr '\\0' '\\n' </proc/device-tree/model; gpioget -c 0 0; i2cget -y 0 0x50 0x20; ! dmesg | grep -E 'WARNING|BUG'`,
  );
  assertEquals(stdout, 'a board\n"0"=inactive\n0x00\n');
  assertEquals(code, 0);
});
