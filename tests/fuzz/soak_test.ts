import { assertEquals } from "@std/assert";
import { Random } from "../support/random.ts";
import { complaints, report } from "../soak/figures.ts";
import { soak } from "../soak/siege.ts";

const SECONDS = 15;
const SEED = 7;

Deno.test("V12 all daemons serve a healthy guest beside hostile ones (make soak, in short)", async () => {
  const figures = await soak(SECONDS, new Random(SEED));
  for (const daemon of figures) console.log(report(daemon));
  assertEquals(figures.flatMap(complaints), []);
});
