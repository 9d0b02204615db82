/**
 * Random tests, bounded in time and repeatable from their seed.
 *
 * `FUZZ_SECONDS` sets how long each runs, `FUZZ_SEED` repeats one case.
 *
 * @module
 */

import { Random } from "./random.ts";

const SECONDS = Number(Deno.env.get("FUZZ_SECONDS") ?? 2);
const SEED = Deno.env.get("FUZZ_SEED");

/** Runs cases with ever new seeds until time is up; a failure tells the seed. */
export function fuzz(run: (random: Random) => void): void {
  const first = SEED === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(SEED);
  const end = performance.now() + SECONDS * 1000;
  let cases = 0;
  do {
    const seed = (first + cases++) >>> 0;
    try {
      run(new Random(seed));
    } catch (error) {
      throw new Error(`case ${cases} failed; FUZZ_SEED=${seed} repeats it`, { cause: error });
    }
  } while (SEED === undefined && performance.now() < end);
}
