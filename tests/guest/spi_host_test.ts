/** SPI on real spidev nodes, against the buses that the kernel of a guest makes believe (uml_sim). */

import { testsInGuest } from "../support/tests_in_guest.ts";

const FILE = "tests/guest/spi/host.ts";
const parameters = (...list: string[]) => ["uml_sim.spi=2", ...list].flatMap((it) => ["-a", it]);

Deno.test("spi on real nodes", (context) => testsInGuest(context, FILE, { options: parameters() }));

Deno.test("spi on real nodes of another kind", (context) =>
  testsInGuest(context, FILE, {
    // CPHA, two and four lines out, two in; words of 8 and 16 bits
    options: parameters("uml_sim.spi_mode=0x701", "uml_sim.spi_bpw=0x8080"),
    args: ["other"],
  }));
