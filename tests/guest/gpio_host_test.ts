/** GPIO on real lines, against the chips that the kernel of a guest simulates (gpio-sim). */

import { testsInGuest } from "../support/tests_in_guest.ts";

for (const subject of ["lines", "edges", "configured", "inventory", "trouble", "watched"]) {
  Deno.test(`gpio on real lines: ${subject}`, (context) =>
    testsInGuest(context, `tests/guest/gpio_host/${subject}.ts`));
}
