/** SPI on real spidev nodes, against the buses that the kernel of a guest makes believe (uml_sim). */

import { testsInGuest } from "../support/tests_in_guest.ts";

const subjects: Readonly<Record<string, readonly string[]>> = {
  nodes: [],
  // CPHA, two and four lines out, two in; words of 8 and 16 bits
  limits: ["uml_sim.spi_mode=0x701", "uml_sim.spi_bpw=0x8080"],
};

for (const [subject, parameters] of Object.entries(subjects)) {
  Deno.test(`spi on real nodes: ${subject}`, (context) =>
    testsInGuest(context, `tests/guest/spi_host/${subject}.ts`, {
      options: ["uml_sim.spi=2", ...parameters].flatMap((parameter) => ["-a", parameter]),
    }));
}
