import { runModule, testCases } from "./spi/case.ts";
import { cases, otherCases } from "./spi/host.ts";

const module = new URL("./spi/host.ts", import.meta.url);
const parameters = (...list: string[]) => ["uml_sim.spi=2", ...list].flatMap((it) => ["-a", it]);

testCases(cases, () => runModule(module, { options: parameters(), limit: 120 }));

testCases(otherCases, () =>
  runModule(module, {
    // CPHA, two and four lines out, two in; words of 8 and 16 bits
    options: parameters("uml_sim.spi_mode=0x701", "uml_sim.spi_bpw=0x8080"),
    limit: 120,
  }, ["other"]));
