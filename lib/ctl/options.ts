/**
 * The options of `vhost-device-ctl`.
 *
 * @module
 */

import type { OptionSpec } from "../input/options.ts";

/** The sockets of the daemons. */
export const controlOption: OptionSpec = {
  name: "control",
  short: "c",
  value: "PATH",
  several: true,
  help: "the control socket of a daemon; may be given several times",
  details: "It is what the daemon's own option --control says. With several daemons, names that " +
    "occur in more than one are told apart by what the daemon serves: gpio:lid.",
};

/** Options of all commands. */
export const generalOptions: readonly OptionSpec[] = [
  { name: "json", help: "print JSON, one value a line, for machines" },
  { name: "help", short: "h", help: "show this help, or that of a command, and exit" },
  { name: "version", short: "V", help: "show the version, and exit" },
];

/** Options of some commands. */
export const verbOptions: readonly OptionSpec[] = [
  {
    name: "for",
    value: "TIME",
    help: "pulse: how long it lasts; wait: how long it has to hold",
    details: "Times have a unit: us, ms, s, m or h. Without one they are milliseconds.",
  },
  { name: "timeout", value: "TIME", help: "wait: give up after that time, with exit status 124" },
  {
    name: "count",
    value: "N",
    help: "inject: how often the fault strikes (default 1; 0: no more)",
  },
  { name: "num-events", short: "n", value: "N", help: "mon: exit after N lines" },
  { name: "transactions", help: "mon: show what goes over buses as well" },
  { name: "banner", help: "mon: print a first line as soon as changes are seen" },
  { name: "range", value: "AT:LENGTH", help: "read: which bytes (default all)" },
  {
    name: "junit",
    value: "PATH",
    help: "run: write the results as JUnit's XML, a test case for each step",
  },
  {
    name: "keep",
    value: "PATH",
    help: "run: the folder in which the logs of all that is started are kept",
  },
  { name: "at", value: "N", help: "write: the first byte that is written (default 0)" },
  {
    name: "listen",
    value: "ADDRESS",
    help: "panel: where it listens, for example 127.0.0.1:8080 (default 127.0.0.1, any port)",
  },
];

/** All of them, in the order of `--help`. */
export const allOptions: readonly OptionSpec[] = [controlOption, ...verbOptions, ...generalOptions];
