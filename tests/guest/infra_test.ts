/** The guest itself: what the other tests in this folder take for granted. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput, runInGuest } from "../support/uml.ts";

const runScript = fileURLToPath(new URL("uml/run.sh", import.meta.url));

/** Calls run.sh just so. */
function run(
  args: string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Deno.CommandOutput> {
  const child = new Deno.Command(runScript, {
    args,
    env: options.env ?? {},
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (options.stdin !== undefined) {
    new Blob([options.stdin]).stream().pipeTo(child.stdin);
  }
  return child.output();
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("guest: exit status, standard output and standard error arrive as they are", async () => {
  // Every byte but those that printf of the shell cannot say, many lines, and no newline at the end.
  const { code, stdout, stderr } = await run([
    ...["--", "bash", "-c"],
    String.raw`printf '\001\002\003\004\021\023\032\033\177\200\377\t\r\n'; seq 5000
      echo warning >&2; printf end; exit 42`,
  ]);
  const lines = Array.from({ length: 5000 }, (_, i) => `${i + 1}\n`).join("");
  assertEquals(code, 42);
  assertEquals([...stdout.subarray(0, 14)], [
    ...[1, 2, 3, 4, 0o21, 0o23, 0o32, 0o33, 0o177, 0o200, 0o377],
    ...[9, 13, 10],
  ]);
  assertStrictEquals(text(stdout.subarray(14)), lines + "end");
  assertEquals(text(stderr), "warning\n");
});

Deno.test("guest: what is printed arrives at once", async () => {
  const child = new Deno.Command(runScript, {
    args: ["--", "bash", "-c", "echo ready; sleep 30"],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(text(value!), "ready\n");
  child.kill("SIGTERM");
  await reader.cancel();
  assertEquals((await child.status).code, 143);
});

Deno.test("guest: the command may be a script on standard input, with arguments", async () => {
  const { code, stdout } = await run(["-f", "-", "one", "two words"], {
    stdin: 'for word; do echo "$word"; done; exit 3\n',
  });
  assertEquals(text(stdout), "one\ntwo words\n");
  assertEquals(code, 3);
});

Deno.test("guest: folders of the host are mounted read-only, writable or copy-on-write", async () => {
  using folder = new TemporaryFolder();
  for (const name of ["ro", "rw", "cow and spaces"]) {
    Deno.mkdirSync(folder.file(name));
    Deno.writeTextFileSync(folder.file(`${name}/given`), `${name}\n`);
  }
  const output = await guestOutput(
    `
    cat /in/*/given '${folder.file("ro")}/given'
    ! touch /in/ro/new 2>/dev/null
    touch /in/rw/new /in/cow/new
    ls /in/cow
    ! touch /usr/new 2>/dev/null
    touch /tmp/new /run/new /dev/shm/new
    `,
    {
      options: [
        ...["-M", folder.file("ro"), "-M", `${folder.file("ro")}:/in/ro`],
        ...["-M", `${folder.file("rw")}:/in/rw:rw`],
        ...["-M", `${folder.file("cow and spaces")}:/in/cow:cow`],
      ],
    },
  );
  assertEquals(output, "cow and spaces\nro\nrw\nro\ngiven\nnew\n");
  assertEquals([...Deno.readDirSync(folder.file("rw"))].map((e) => e.name).sort(), [
    ...["given", "new"],
  ]);
  assertEquals([...Deno.readDirSync(folder.file("cow and spaces"))].length, 1);
});

Deno.test("guest: one that takes too long is killed, one that dies is told from one that fails", async () => {
  const [late, dead] = await Promise.all([
    run(["-t", "1", "--", "sleep", "20"]),
    run(["--", "poweroff", "-f"]),
  ]);
  assertEquals(late.code, 124);
  assertMatch(text(late.stderr), /killed after 1 seconds/);
  assertEquals(dead.code, 125);
  assertMatch(text(dead.stderr), /the guest died/);
});

Deno.test("guest: SIGKILL leaves no process behind", async () => {
  const child = new Deno.Command(runScript, {
    args: ["-a", "marked=for-the-kill", "--", "bash", "-c", "echo ready; sleep 30"],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const kernels = () =>
    [...Deno.readDirSync("/proc")].filter(({ name }) => {
      try {
        return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes("marked=for-the-kill");
      } catch {
        return false;
      }
    }).length;
  assert(kernels() > 0);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  for (let tries = 0; kernels() > 0; tries++) {
    assert(tries < 100, "the guest outlived run.sh");
    await new Promise((wake) => setTimeout(wake, 20));
  }
});

Deno.test("guest: misuse is one line and exit status 2", async () => {
  for (
    const [args, complaint] of [
      [["-d", "/nowhere:gpio", "--", "true"], /\/nowhere is not a socket/],
      [["-M", "/nowhere", "--", "true"], /\/nowhere: no such folder/],
      [[], /no command/],
    ] as const
  ) {
    const { code, stderr } = await run([...args]);
    assertEquals(code, 2);
    assertMatch(text(stderr), /^run\.sh: .*\n$/);
    assertMatch(text(stderr), complaint);
  }
  const { code, stderr } = await run(["true"], { env: { XDG_CACHE_HOME: "/nowhere" } });
  assertEquals(code, 2);
  assertEquals(text(stderr), "run.sh: the guest is not built yet (run: make guest)\n");
});

Deno.test("guest: it has buses and lines of its own for daemons inside", async () => {
  const output = await guestOutput(
    `
    chip=/sys/kernel/config/gpio-sim/chip
    mkdir -p $chip/bank; echo 4 >$chip/bank/num_lines; echo 1 >$chip/live
    gpioget -c 0 0
    i2ctransfer -y 0 w3@0x50 0x10 1 2
    i2ctransfer -y 0 w1@0x50 0x10 r3
    i2cget -y 1 0x50 0x20
    i2cset -y 2 0x50 3 0x1234 w
    i2cget -y 2 0x50 3 w
    printf hello | spi-pipe -d /dev/spidev0.1 -b 5 -n 1; echo
    cd /sys/kernel/debug/uml_sim
    cat i2c0/log
    tail -n 2 spi0/log
    exec 3</dev/i2c-1
    echo 0 >i2c1/present
    while [ -e /dev/i2c-1 ]; do :; done
    ls /dev/i2c-*
    `,
    { options: ["-a", "uml_sim.i2c=2", "-a", "uml_sim.smbus=1", "-a", "uml_sim.spi=1"] },
  );
  assertEquals(
    output,
    `"0"=inactive
0x01 0x02 0xff
0xff
0x1234
hello
w3@0x50 = 1
w1@0x50 r3@0x50 = 2
txrx len 5 mode 0x0 hz 10000000 bpw 8 nbits 1/1 delays 0/0/0 = 0
cs 1 off
/dev/i2c-0
/dev/i2c-2
`,
  );
});

Deno.test("guest: deno runs inside", async () => {
  const deno = Deno.execPath();
  const output = await guestOutput(`/opt/deno/deno eval 'console.log(Deno.pid > 1)'`, {
    options: ["-m", "1G", "-M", `${deno.slice(0, deno.lastIndexOf("/"))}:/opt/deno`],
  });
  assertEquals(output, "true\n");
});

Deno.test("guest: several at once do not mix", async () => {
  const outcomes = await Promise.all(
    [1, 2, 3, 4].map((n) => runInGuest(`echo ${n} >/tmp/n; sleep 0.2; cat /tmp/n; exit ${n}`)),
  );
  assertEquals(outcomes.map(({ status, output }) => [status, output]), [
    ...[[1, "1\n"], [2, "2\n"], [3, "3\n"], [4, "4\n"]],
  ]);
});
