/**
 * The Debian package, on a copy of this machine: lintian accepts it, it is installed, systemd
 * starts its programs when somebody connects, and nothing stays when it is purged.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { findDaemons } from "../../tools/programs.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { copies, Copy } from "./copy.ts";
import { BIN, configuration, DOCS, filesOf, KEEPING, run, script, TYPES, UNITS } from "./build.ts";

/** Folders that a package may put files in. */
const PLACES = ["etc", "lib/systemd", "lib/udev", "usr/bin", "usr/lib/sysusers.d", "usr/share/doc"];

async function build(out: string): Promise<string> {
  await script("deb.sh", [BIN, DOCS, UNITS, out], { PACK: "quick" });
  const [name] = filesOf(out);
  return `${out}/${name}`;
}

/** Runs at the boot of the copy: connects to each instance, and says what came of it. */
const CHECK = `
import socket, struct, subprocess, sys
def systemctl(*args):
    return subprocess.run(["systemctl", *args], capture_output=True, text=True).stdout.strip()
for kind in sys.argv[1:]:
    unit = "vhost-device-%s@test" % kind
    systemctl("start", unit + ".socket")
    print(kind, "before", systemctl("is-active", unit + ".service"))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        try:
            s.connect("/run/vhost-device/%s/test.sock" % kind)
            s.send(struct.pack("<III", 1, 1, 0))  # GET_FEATURES
            print(kind, "reply", len(s.recv(100)))
        except OSError as error:
            print(kind, error)
    print(kind, "then", systemctl("is-active", unit + ".service"))
    pid = systemctl("show", "--value", "-p", "MainPID", unit + ".service")
    status = dict(line.split(":\\t", 1) for line in open("/proc/%s/status" % pid) if ":\\t" in line)
    print(kind, "filter", status["Seccomp"].strip(), "capabilities", int(status["CapEff"], 16),
          "root", status["Uid"].split()[0] == "0")
    systemctl("stop", unit + ".service", unit + ".socket")
    print(kind, "result", systemctl("show", "--value", "-p", "ExecMainStatus", unit + ".service"))
`;

Deno.test({
  name: "the package pleases lintian, is installed, serves under systemd and is purged",
  ignore: !copies,
  async fn(test) {
    using out = new TemporaryFolder();
    const deb = await build(out.path);

    await test.step("lintian finds no error and nothing to warn of", async () => {
      const { stdout } = await run("lintian", ["--allow-root", "--tag-display-limit=0", deb]);
      const found = stdout.split("\n").filter((line) => /^[EW]: /.test(line));
      assertEquals(found.filter((line) => !line.includes("maintainer-script-calls-")), []);
    });

    await using copy = await Copy.make();
    const list = () => PLACES.flatMap((place) => filesOf(`${copy.root}/${place}`, `${place}/`));
    const before = list();

    await test.step("the package is installed and its programs run", async () => {
      Deno.copyFileSync(deb, `${copy.root}/package.deb`);
      await copy.in("dpkg -i /package.deb && rm /package.deb");
      for (const type of TYPES) {
        const program = `vhost-device-${type}`;
        assertMatch(await copy.in(`${program} --version`), new RegExp(`^${program} \\d`));
      }
      for (const { about } of await findDaemons()) {
        if (about.nodes !== undefined) await copy.in(`getent group ${about.nodes.group}`);
      }
      await copy.in("cd / && md5sum --quiet -c /var/lib/dpkg/info/vhost-device.md5sums");
    });

    await test.step("systemd starts each program for whoever connects", async () => {
      for (const type of TYPES) {
        Deno.writeTextFileSync(
          `${copy.root}/etc/vhost-device/${type}/test.yaml`,
          KEEPING[type] ?? Deno.readTextFileSync(configuration(type)),
        );
      }
      // Nothing of this machine's own services is to start in its copy.
      const system = `${copy.root}/etc/systemd/system`;
      Deno.writeTextFileSync(`${copy.root}/check.py`, CHECK);
      Deno.writeTextFileSync(
        `${system}/check.service`,
        `[Service]\nType=oneshot\nExecStart=python3 /check.py ${TYPES.join(" ")}\n` +
          "StandardOutput=append:/check.log\nStandardError=inherit\n" +
          "ExecStopPost=sh -c 'systemctl --no-block poweroff 2>/dev/null'\n",
      );
      Deno.writeTextFileSync(
        `${system}/check.target`,
        "[Unit]\nRequires=basic.target check.service\nAfter=basic.target\n",
      );
      const boot = await run("timeout", [
        "60",
        "systemd-nspawn",
        `--directory=${copy.root}`,
        "--register=no",
        "--keep-unit",
        "--machine=vhost-device-test",
        "--boot",
        "--",
        "systemd.unit=check.target",
      ]);
      let log = "";
      try {
        log = Deno.readTextFileSync(`${copy.root}/check.log`);
      } catch {
        // Said below.
      }
      assertEquals(
        log.split("\n"),
        TYPES.map((type) =>
          `${type} before inactive\n${type} reply 20\n${type} then active\n` +
          `${type} filter 2 capabilities 0 root False\n${type} result 0\n`
        ).join("").split("\n"),
        `${log}\n${boot.stdout}${boot.stderr}`,
      );
      for (const type of Object.keys(KEEPING)) {
        const kept = `${copy.root}/var/lib/private/vhost-device/${type}/test/kept`;
        assert(Deno.statSync(kept).size > 0);
      }
      for (const name of ["check.service", "check.target"]) Deno.removeSync(`${system}/${name}`);
      for (const type of TYPES) Deno.removeSync(`${copy.root}/etc/vhost-device/${type}/test.yaml`);
    });

    await test.step("nothing of the package is left after a purge", async () => {
      await copy.in("dpkg -P vhost-device");
      // Groups stay, as they may own files.
      const left = list().filter((file) => !before.includes(file));
      assertEquals(left.filter((file) => file.includes("vhost")), []);
      for (const path of ["var/lib/vhost-device", "var/lib/private/vhost-device"]) {
        assertThrows(() => Deno.lstatSync(`${copy.root}/${path}`), Deno.errors.NotFound);
      }
    });
  },
});
