/**
 * How long a compiled daemon takes to its first answer, and how much memory it and each further
 * guest take, beside a program of the same compiler that does nothing but start threads.
 *
 * @module
 */

import { FrontEnd } from "../support/front_end.ts";
import { residentMemory } from "../support/process_state.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { pause, until } from "../support/wait.ts";
import { listOf } from "../support/ways.ts";
import { median } from "./statistics.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const ROUNDS = Number(Deno.env.get("BENCH_ROUNDS") ?? 9);
/** The only guest has no thread of its own, which two have: what one more takes shows from there on. */
const FEW = 2;
const GUESTS = 5;
/** All daemons in one file, and one by itself. */
const PROGRAMS = [`${ROOT}bin/vhost-device`, `${ROOT}bin/vhost-device-gpio`];
const MEBIBYTE = 2 ** 20;

/** The least that a program with threads can be: each says that it is there. */
const EMPTY = `
if ("DedicatedWorkerGlobalScope" in globalThis) postMessage(0);
else {
  let left = Number(Deno.args[0]);
  for (let count = left; count > 0; count--) {
    const worker = new Worker(import.meta.url, { type: "module" });
    worker.onmessage = () => --left || console.log("here");
  }
}
`;

/** What is to be kept, in one run with the program that does nothing. */
const GOALS = { ratio: 1.35, memory: 4, guest: 1 };

interface Sample {
  /** To the first answer, in milliseconds. */
  readonly time: number;
  /** Resident, in MiB. */
  readonly memory: number;
}

async function compileEmpty(folder: TemporaryFolder): Promise<string> {
  Deno.writeTextFileSync(folder.file("empty.js"), EMPTY);
  const run = async (command: string, args: string[], env: Record<string, string> = {}) => {
    const options = { args, env: { NO_COLOR: "1", ...env }, cwd: folder.path };
    const { success, stdout, stderr } = await new Deno.Command(command, options).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (!success) throw new Error(`${command}: ${decode(stderr)}`);
    return decode(stdout);
  };
  const target = `${Deno.build.arch}-unknown-linux-gnu`;
  const [deno, base] = (await run(`${ROOT}scripts/compiler.sh`, [target])).split("\n");
  const flags = ["--quiet", "--no-config", "--no-lock", "--no-check", "--no-code-cache"];
  const args = ["compile", ...flags, "--output", folder.file("empty"), folder.file("empty.js")];
  await run(deno, args, base ? { DENORT_BIN: base } : {});
  return folder.file("empty");
}

async function ended(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
}

async function startEmpty(program: string, threads: number): Promise<Sample> {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args: [`${threads}`],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const time = performance.now() - begin;
  pause(50);
  const memory = residentMemory(child.pid) / MEBIBYTE;
  await ended(child);
  await reader.cancel();
  return { time, memory };
}

async function startDaemon(program: string, guests: number): Promise<Sample> {
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-c", `${guests}`, "-l", listOf("s8", guests)];
  // The file with all programs.
  if (program.endsWith("/vhost-device")) args.unshift("gpio");
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let frontEnd: FrontEnd | undefined;
  until("the socket", () => {
    try {
      frontEnd = FrontEnd.connect(folder.file(`socket${guests - 1}`));
      return true;
    } catch {
      return false;
    }
  });
  frontEnd!.getFeatures();
  const time = performance.now() - begin;
  pause(50);
  const memory = residentMemory(child.pid) / MEBIBYTE;
  frontEnd![Symbol.dispose]();
  await ended(child);
  return { time, memory };
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function row(cells: readonly string[]): void {
  const [name, ...rest] = cells;
  console.log(name.padEnd(30) + rest.map((cell) => cell.padStart(16)).join(""));
}

/** Measures the programs that `make` has built, and says which goals are missed. */
export async function start(): Promise<unknown> {
  const missing = PROGRAMS.find((program) => !isThere(program));
  if (missing !== undefined) {
    console.log(`there is no ${missing}; run make first`);
    return undefined;
  }
  using folder = new TemporaryFolder();
  const empty = await compileEmpty(folder);
  const contenders = [
    { name: "empty program", start: (count: number) => startEmpty(empty, count) },
    ...PROGRAMS.map((program) => ({
      name: program.replace(/.*\/(?=.*\/)/, ""),
      start: (count: number) => startDaemon(program, count),
    })),
  ];
  const samples = contenders.map(() => ({
    one: [] as Sample[],
    few: [] as Sample[],
    several: [] as Sample[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { start }] of contenders.entries()) {
      samples[index].one.push(await start(1));
      // Memory varies less than time.
      if (round % 4 !== 0) continue;
      samples[index].few.push(await start(FEW));
      samples[index].several.push(await start(GUESTS));
    }
  }
  const figures = samples.map(({ one, few, several }) => {
    const memoryOf = (samples: readonly Sample[]) => median(samples.map(({ memory }) => memory));
    const two = memoryOf(few);
    return {
      time: median(one.map(({ time }) => time)),
      memory: memoryOf(one),
      two,
      guest: (memoryOf(several) - two) / (GUESTS - FEW),
    };
  });
  row(["", "first answer", "of the empty", "memory", "with two guests", "each guest more"]);
  const [least] = figures;
  for (const [index, { time, memory, two, guest }] of figures.entries()) {
    const ratio = time / least.time;
    row([
      contenders[index].name,
      `${time.toFixed(1)} ms`,
      ratio.toFixed(2),
      `${memory.toFixed(1)} MiB`,
      `${two.toFixed(1)} MiB`,
      `${guest.toFixed(1)} MiB`,
    ]);
    const over = [
      ratio > GOALS.ratio && `time: ${ratio.toFixed(2)}, at most ${GOALS.ratio}`,
      memory - least.memory > GOALS.memory &&
      `memory: ${(memory - least.memory).toFixed(1)} MiB more, at most ${GOALS.memory}`,
      two - least.two > GOALS.memory &&
      `memory with two guests: ${(two - least.two).toFixed(1)} MiB more, at most ${GOALS.memory}`,
      guest - least.guest > GOALS.guest &&
      `each guest: ${(guest - least.guest).toFixed(1)} MiB more, at most ${GOALS.guest}`,
    ].filter((goal) => goal !== false);
    for (const goal of over) console.log(`  missed: ${goal}`);
  }
  return Object.fromEntries(figures.map((figure, index) => [contenders[index].name, figure]));
}
