/**
 * Hostile front-ends on all daemons at once, for minutes: `MINUTES` of them, with the cases of
 * `SEED`. The same seed makes the same cases, but not the same timing.
 *
 * Prints figures; the exit status is 1 if a daemon has died, hung, kept a descriptor or memory,
 * flooded its log, or failed its healthy guest.
 *
 * @module
 */

import { Random } from "../support/random.ts";
import { complaints, report } from "./figures.ts";
import { soak } from "./siege.ts";

function setting(name: string, fallback: number): number {
  const text = Deno.env.get(name) || `${fallback}`;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`${name}=${text} is not a number; give one, for example ${name}=${fallback}`);
  Deno.exit(2);
}

const minutes = setting("MINUTES", 5);
const seed = setting("SEED", Math.floor(Math.random() * 2 ** 32));
console.log(`MINUTES=${minutes} SEED=${seed}`);
const figures = await soak(60 * minutes, new Random(seed));
for (const daemon of figures) console.log(`\n${report(daemon)}`);
const found = figures.flatMap(complaints);
console.log(found.length === 0 ? "\nall is well" : `\n${found.join("\n")}`);
Deno.exit(found.length === 0 ? 0 : 1);
