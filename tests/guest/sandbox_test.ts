import { testsInGuest } from "../support/tests_in_guest.ts";

Deno.test("with a newer Landlock than this host's, threads connect where they may", async (context) => {
  await testsInGuest(context, "tests/guest/sandbox/connecting.ts");
});
