/**
 * The kinds of steps, in the order of the guide.
 *
 * @module
 */

import type { StepKind } from "./step.ts";
import { exit } from "./steps/exit.ts";
import { expect } from "./steps/expect.ts";
import { hold } from "./steps/hold.ts";
import { inject } from "./steps/inject.ts";
import { never } from "./steps/never.ts";
import { pulse } from "./steps/pulse.ts";
import { repeat } from "./steps/repeat.ts";
import { replay } from "./steps/replay.ts";
import { run } from "./steps/run.ts";
import { set } from "./steps/set.ts";
import { sleep } from "./steps/sleep.ts";
import { start, stop } from "./steps/start.ts";
import { type } from "./steps/type.ts";

/** All of them. */
export const stepKinds: readonly StepKind[] = [
  expect,
  hold,
  never,
  set,
  pulse,
  inject,
  type,
  replay,
  run,
  sleep,
  repeat,
  exit,
  start,
  stop,
];
