/**
 * Makes what packages have for each device, from what `cmd/` has and the templates in `packaging/`.
 *
 *     main.ts FOLDER
 *
 * FOLDER gets `systemd/`, `qemu/`, `control.in` and `vhost-device.spec`. In some of them are marks
 * that are filled in as they are installed: where the programs are, for example.
 *
 * @module
 */

import { findDaemons, ROOT } from "../programs.ts";
import { fill } from "./templates.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  console.error("usage: main.ts FOLDER");
  Deno.exit(2);
}

const daemons = await findDaemons();

function make(path: string, template: string, of = daemons): void {
  const text = Deno.readTextFileSync(new URL(`packaging/${template}`, ROOT));
  Deno.mkdirSync(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
  Deno.writeTextFileSync(`${folder}/${path}`, fill(text, of));
}

make("systemd/sysusers.conf", "systemd/sysusers.conf.in");
make("systemd/udev.rules", "systemd/udev.rules.in");
make("control.in", "deb/control.in");
make("vhost-device.spec", "rpm/vhost-device.spec.in");
for (const daemon of daemons) {
  const { program } = daemon;
  for (const unit of ["service", "socket"]) {
    make(`systemd/${program}@.${unit}`, `systemd/vhost-device@.${unit}.in`, [daemon]);
  }
  make(`qemu/50-${program}.json`, "qemu/vhost-user.json.in", [daemon]);
}
