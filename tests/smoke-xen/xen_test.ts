/** The daemons in domain 0 of Xen, with a front-end of our own for the memory of other domains. */

import { testsOnXen } from "../support/xen_guest.ts";

for (const subject of ["devices", "trouble"]) {
  Deno.test(`on Xen: ${subject}`, (context) =>
    testsOnXen(context, `tests/smoke-xen/inside/${subject}.ts`));
}
