/**
 * The commands of `vhost-device-ctl`, in the order of `--help`.
 *
 * @module
 */

import type { Verb } from "./verb.ts";
import { get } from "./verbs/get.ts";
import { info } from "./verbs/info.ts";
import { inject } from "./verbs/inject.ts";
import { mon } from "./verbs/mon.ts";
import { panel } from "./verbs/panel.ts";
import { pulse } from "./verbs/pulse.ts";
import { read } from "./verbs/read.ts";
import { run } from "./verbs/run.ts";
import { set } from "./verbs/set.ts";
import { wait } from "./verbs/wait.ts";
import { write } from "./verbs/write.ts";

/** The commands. */
export const verbs: readonly Verb[] = [
  info,
  get,
  set,
  pulse,
  inject,
  wait,
  mon,
  read,
  write,
  panel,
  run,
];
