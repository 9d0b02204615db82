/** I2C on real adapters, against those that the kernel of a guest makes believe. */

import { testsInGuest } from "../support/tests_in_guest.ts";

const subjects: Readonly<Record<string, readonly string[]>> = {
  messages: ["uml_sim.i2c=2", "uml_sim.i2c_name=main,spare", "uml_sim.smbus=1"],
  smbus: ["uml_sim.smbus=1", "i2c_stub.chip_addr=0x50,0x51"],
  special: [
    ...["uml_sim.i2c=2", "uml_sim.smbus=1"],
    ...["uml_sim.i2c_10bit=1", "uml_sim.i2c_noquick=1", "uml_sim.i2c_max=16"],
  ],
};

for (const [subject, parameters] of Object.entries(subjects)) {
  Deno.test(`i2c on real adapters: ${subject}`, (context) =>
    testsInGuest(context, `tests/guest/i2c_host/${subject}.ts`, {
      options: parameters.flatMap((parameter) => ["-a", parameter]),
    }));
}
