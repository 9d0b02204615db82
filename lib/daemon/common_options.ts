/**
 * The options that all three daemons share.
 *
 * @module
 */

import { LOG_FORMATS, LOG_LEVELS } from "./log.ts";
import type { OptionSpec } from "../input/options.ts";

/** The most guests that one daemon serves: each has a thread of its own. */
export const MAX_GUESTS = 256;
/** The longest time that a guest's thread may look for work before it sleeps, in microseconds. */
export const MAX_POLL_MICROSECONDS = 1_000_000;

/** Whether the daemon confines itself. */
export const SANDBOX = ["on", "off"] as const;

/** Options before those of the device, in the order of `--help`. */
export const socketOptions: readonly OptionSpec[] = [
  {
    name: "socket-path",
    short: "s",
    value: "PATH",
    help: "listen on the sockets PATH0, PATH1, … one per guest",
    details:
      "The number of the guest, from 0 on, is always appended, for a single guest as well. " +
      "A socket that another process still holds is left alone, and so is anything that is not " +
      "a socket; a stale socket is replaced.",
  },
  {
    name: "socket-count",
    short: "c",
    value: "N",
    help: "number of guests, and so of sockets",
  },
  {
    name: "fd",
    value: "N",
    help: "serve one socket that is already open as descriptor N",
    details: "The socket may be listening or connected; the daemon ends when the front-end of a " +
      "connected one goes away.",
  },
];

/** Options after those of the device. */
export const generalOptions: readonly OptionSpec[] = [
  {
    name: "config",
    value: "FILE",
    file: true,
    help: "read the configuration from a YAML file; options win over it",
  },
  {
    name: "control",
    value: "PATH",
    help: "serve control clients at this socket",
    details: "Only the daemon's own user may connect. What is simulated can be read, set and " +
      "watched there while guests run; what is real can be watched.",
  },
  {
    name: "trace",
    value: "FILE",
    file: true,
    help: "record what guests do as wires in this file, a value change dump (VCD)",
    details:
      "GPIO lines, SCL and SDA, SCLK, MOSI, MISO and chip selects, for GTKWave, sigrok and " +
      "other logic analysers. A file that is there already is replaced; it may be a pipe that is " +
      "read. What guests do faster than it can be drawn is left out, and counted in the file.",
  },
  {
    name: "list",
    help: "show what this host has for the daemon to serve, and exit",
  },
  {
    name: "print-capabilities",
    help: "print the back-end's capabilities as JSON, and exit",
  },
  {
    name: "poll-us",
    value: "N",
    help: "look for requests for N microseconds before sleeping (default 0)",
    details: "Saves the wake-up where requests follow each other closely and each guest has a " +
      "processor to spare; a loss where it has not.",
  },
  {
    name: "sandbox",
    value: "on|off",
    choices: SANDBOX,
    help: "give up what is not needed to serve guests (default on)",
    details: "Capabilities, files that the configuration does not name, and system calls that a " +
      "daemon does not make, by means of the kernel: no_new_privs, Landlock and seccomp. What the " +
      "kernel cannot do is told in the log.",
  },
  {
    name: "log-level",
    value: "LEVEL",
    choices: LOG_LEVELS,
    help: "error, warn, info (default), debug or trace",
  },
  {
    name: "log-format",
    value: "FORMAT",
    choices: LOG_FORMATS,
    help: "text (default) or json, one object a line",
  },
  { name: "help", short: "h", help: "show this help, and exit" },
  { name: "version", short: "V", help: "show the version, and exit" },
];
