/**
 * Starts what a scenario says is to run.
 *
 * @module
 */

import { SystemError } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import { connectTo } from "../../../ffi/socket.ts";
import { UsageError } from "../../errors.ts";
import { showTime } from "../quantities.ts";
import { Console } from "./console.ts";
import { openLog, type Process, showEnding } from "./processes.ts";
import { daemonCommand } from "./programs.ts";
import type { CommandStart, DaemonStart, Start } from "./scenario.ts";
import type { Stage } from "./stage.ts";
import { StepFailure } from "./step.ts";
import { connectTerminal, openTerminal } from "./terminal.ts";

/** How often is looked for a socket, in milliseconds. */
const PAUSE = 10;
/** Wrong usage, as all programs have it. */
const EXIT_USAGE = 2;

/** How a variable of commands is called. */
function variable(name: string): string {
  return name.replaceAll("-", "_");
}

/** The variables of commands: where the sockets of daemons are, the folder, and what runs. */
export function environmentOf(stage: Stage): Record<string, string> {
  const variables: Record<string, string> = { folder: stage.folder };
  for (const { name, pid, ended } of stage.processes.all) {
    if (ended === undefined) variables[`${variable(name)}_pid`] = `${pid}`;
  }
  for (const start of stage.scenario.starts) {
    if (start.kind !== "daemon") continue;
    const name = variable(start.name);
    const daemon = stage.world.daemons.find(({ label }) => label === start.name);
    const sockets = daemon?.described.guests.map(({ socket }) => socket) ??
      [`${stage.socket(start.name)}0`];
    variables[name] = sockets[0];
    sockets.forEach((socket, guest) => variables[`${name}_${guest}`] = socket);
    variables[`${name}_control`] = stage.control(start.name);
  }
  return variables;
}

/**
 * Starts a program, and waits until it serves.
 *
 * @throws {StepFailure} where it does not
 */
export async function startOne(stage: Stage, start: Start): Promise<void> {
  if (start.kind === "daemon") await startDaemon(stage, start);
  else await startCommand(stage, start);
}

/** True once somebody listens there. */
function connects(connect: () => void): boolean {
  try {
    connect();
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

async function startDaemon(stage: Stage, start: DaemonStart): Promise<void> {
  const { name, program, config, options } = start;
  const { scenario, processes } = stage;
  const file = `${stage.folder}/${name}.yaml`;
  if (config !== undefined) Deno.writeTextFileSync(file, config);
  const control = stage.control(name);
  const process = processes.launch({
    name,
    command: [
      ...["sh", "-c", `exec "$@" ${options}`, "sh"],
      ...daemonCommand(program, stage.entry),
      ...["--socket-path", stage.socket(name), "--control", control],
      ...(config === undefined ? [] : ["--config", file]),
    ],
    folder: scenario.folder,
    environment: environmentOf(stage),
    takesInput: false,
    log: stage.log(name),
  });
  await waitFor(stage, start, process, "to serve", () => connects(() => close(connectTo(control))));
  // Its other sockets are there before that one.
  await stage.world.add(name, control);
  stage.guard(() => {
    const { ended } = process;
    if (ended === undefined || process.isDismissed) return;
    throw new StepFailure(`'${name}' to serve`, `it has ended with ${showEnding(ended)}`);
  });
}

/** Waits for what announces itself by nothing. */
async function waitFor(
  stage: Stage,
  start: Start,
  process: Process,
  what: string,
  isOver: () => boolean,
): Promise<void> {
  const { within } = stage.scenario;
  const over = await stage.until(within, () => {
    if (process.ended !== undefined) throw failedStart(stage, start, process);
    return isOver() || PAUSE;
  });
  if (over) return;
  throw new StepFailure(`'${start.name}' ${what} within ${showTime(within)}`, "it does not");
}

/** What a program says that has ended before it served: mistakes in the scenario's own lines, too. */
function failedStart(stage: Stage, start: Start, process: Process): Error {
  const last = process.output.tail(1).join("");
  const { ended } = process;
  const { file } = stage.scenario;
  if (start.kind === "daemon" && ended?.code === EXIT_USAGE) {
    const [, line, rest] = last.match(/\.yaml:(\d+): (.*)$/) ?? [];
    if (start.config !== undefined && line !== undefined) {
      return new UsageError(`${file}:${line}: start.${start.name}.config: ${rest}`);
    }
    const message = last.replace(/^vhost-device-[\w-]+: /, "");
    return new UsageError(`${file}:${start.line}: start.${start.name}: ${message}`);
  }
  return new StepFailure(
    `'${start.name}' to serve`,
    `it has ended with ${showEnding(ended!)}${last === "" ? "" : `: ${last}`}`,
  );
}

async function startCommand(stage: Stage, start: CommandStart): Promise<void> {
  const { name, command, console, ready } = start;
  const { scenario, processes, reactor } = stage;
  const environment = environmentOf(stage);
  const screen = console === "pty" || console === "socket" ? new Console() : undefined;
  const decoder = new TextDecoder();
  const isAgain = processes.find(name) !== undefined;
  const log = screen && openLog(stage.log(`${name}-console`), isAgain);
  const print = (bytes: Uint8Array<ArrayBuffer>) => {
    log!.writeSync(bytes);
    screen!.append(decoder.decode(bytes, { stream: true }));
    stage.changed();
  };
  const pty = console === "pty" ? openTerminal(reactor, print) : undefined;
  const path = pty?.path ?? stage.socket(`${name}-console`);
  if (screen !== undefined) environment.console = path;
  const process = processes.launch({
    name,
    command: ["sh", "-c", command],
    folder: scenario.folder,
    environment,
    takesInput: console === "stdio",
    log: stage.log(name),
  });
  if (screen !== undefined) process.console = screen;
  process.terminal ??= pty;
  if (console === "socket") {
    const connect = () => {
      process.terminal = connectTerminal(reactor, path, print);
    };
    await waitFor(stage, start, process, "to listen at $console", () => connects(connect));
  }
  if (ready === undefined) return;
  const position = process.console.position;
  const shown = `to print ${ready.shown}`;
  await waitFor(stage, start, process, shown, () => process.console.has(ready, position));
}
