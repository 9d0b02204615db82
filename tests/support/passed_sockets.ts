/**
 * Sockets that a program is started with, as systemd and VMMs do it.
 *
 * @module
 */

import { libc } from "../../ffi/libc.ts";
import { command } from "./daemon.ts";

const F_SETFD = 2;

/** Lets programs that are started from now on have a descriptor of this process. */
export function makeInheritable(fd: number): void {
  libc.fcntl(fd, F_SETFD, 0);
}

/**
 * A script that runs a program with sockets passed as by systemd: as descriptors 3, 4, …
 *
 * @param fds inheritable
 * @param environment assignments; `LISTEN_PID=$$` unless it says otherwise
 */
export function activation(
  path: string,
  program: string,
  fds: readonly number[],
  environment = "LISTEN_PID=$$",
): string {
  // By way of high numbers, so that none is overwritten before it is copied.
  const up = fds.map((fd, index) => `${100 + index}<&${fd} ${fd}<&-`);
  const down = fds.map((_, index) => `${3 + index}<&${100 + index} ${100 + index}<&-`);
  const words = command(program).map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(
    path,
    [
      "#!/bin/bash",
      ...(fds.length > 0 ? [`exec ${up.join(" ")}`, `exec ${down.join(" ")}`] : []),
      `export LISTEN_FDS=${fds.length} ${environment}`,
      `exec ${words} "$@"`,
      "",
    ].join("\n"),
    { mode: 0o755 },
  );
  return path;
}
