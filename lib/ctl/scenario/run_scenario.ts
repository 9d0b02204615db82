/**
 * Runs a scenario from its first start to the end of everything.
 *
 * @module
 */

import { adoptOrphans } from "../../../ffi/subreaper.ts";
import { RuntimeError, UsageError } from "../../errors.ts";
import { LONGEST_TIMER, showTime } from "../quantities.ts";
import { clock } from "./clock.ts";
import { Guard } from "./guard.ts";
import { junitXml } from "./junit.ts";
import { Processes } from "./processes.ts";
import { Reactor } from "./reactor.ts";
import { below, loadScenario } from "./read_scenario.ts";
import { type Failure, jsonReporter, type Result, textReporter } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { startOne } from "./start_one.ts";
import { StepFailure } from "./step.ts";
import { World } from "./world.ts";

/** So much is shown of what happened before a failure. */
const SHOWN_EVENTS = 10;
const SHOWN_LINES = 20;
/** Of the events, only those of the last so many milliseconds. */
const RECENT = 60_000;
/** How long the end of a daemon may take to be seen after the loss of its connection. */
const END_OF_DAEMON = 500;

/** The signals that end it, with the exit codes that shells have for them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** What a scenario is run with. */
export interface RunOptions {
  readonly file: string;
  /** Where results are written as JUnit's XML. */
  readonly junit: string | undefined;
  /** The folder in which logs are kept. */
  readonly keep: string | undefined;
  readonly json: boolean;
  /** The `import.meta.url` of the module that the process was started with. */
  readonly entry: string;
  /** Control sockets of daemons that run already. */
  readonly sockets: readonly string[];
}

/** It was told to end. */
class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(readonly signal: keyof typeof SIGNALS) {
    super(`interrupted by ${signal}`);
  }
}

/** A step of the scenario, or a start before them. */
interface Action {
  readonly title: string;
  readonly line: number;
  run(): Promise<void>;
}

/**
 * Runs a scenario.
 *
 * @returns the exit code
 * @throws {UsageError} for a scenario that makes no sense
 * @throws {RuntimeError} if it fails
 */
export async function runScenario(options: RunOptions): Promise<number> {
  const scenario = loadScenario(options.file);
  const { keep } = options;
  if (keep !== undefined) makeFolder(keep);
  const folder = Deno.makeTempDirSync({ prefix: "vhost-device-run-" });
  adoptOrphans();
  const guard = new Guard(folder);
  const reactor = new Reactor();
  const premises = {
    entry: options.entry,
    folder,
    logs: keep === undefined ? folder : below(Deno.cwd(), keep),
  };
  const stage = new Stage(
    scenario,
    premises,
    reactor,
    (stage) =>
      new World(reactor, () => stage.changed(), (label, why) => {
        setTimeout(() => {
          if (stage.processes.find(label)?.isDismissed) return;
          stage.breakOff(new StepFailure(`'${label}' to answer`, why.message));
        }, END_OF_DAEMON);
      }),
    (stage) => new Processes(guard, () => stage.changed()),
  );
  const release = listen(stage);
  const timer = setTimeout(() => {
    const limit = showTime(scenario.timeout);
    stage.breakOff(new StepFailure(`all to be over within ${limit}`, "it is not"));
  }, Math.min(scenario.timeout, LONGEST_TIMER));
  try {
    return await new Run(options, stage).run();
  } finally {
    clearTimeout(timer);
    stage.world.close();
    const daemons = scenario.starts.filter(({ kind }) => kind === "daemon").map(({ name }) => name);
    await stage.processes.endAll(({ name }) => !daemons.includes(name));
    await reactor.close();
    await guard.release();
    release();
  }
}

function makeFolder(path: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new RuntimeError(`folder '${path}' cannot be made: ${(error as Error).message}`);
  }
}

/** Has signals break off whatever is being done. @returns what undoes that */
function listen(stage: Stage): () => void {
  const listeners = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((signal) => {
    const listener = () => stage.breakOff(new Interrupted(signal));
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => listeners.forEach((undo) => undo());
}

/** One run. */
class Run {
  readonly #options: RunOptions;
  readonly #stage: Stage;
  readonly #scenario: Scenario;
  readonly #results: Result[] = [];

  constructor(options: RunOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
    this.#scenario = stage.scenario;
  }

  async run(): Promise<number> {
    const reporter = this.#options.json ? jsonReporter : textReporter;
    const begin = clock();
    let failure: { readonly line: number; readonly told: Failure } | undefined;
    let broken: Error | undefined;
    reporter.begin(this.#scenario);
    for (const { title, line, run } of this.#actions()) {
      const since = clock();
      const over = (verdict: Result["verdict"]) => {
        const result = { title, line, verdict, milliseconds: clock() - since };
        this.#results.push(result);
        // Steps that are left out tell nothing new.
        if (verdict !== "skipped") reporter.result(result);
      };
      if (failure !== undefined || broken !== undefined) {
        over("skipped");
        continue;
      }
      try {
        this.#stage.end.throwIfAborted();
        reporter.step(title, line);
        await this.#stage.whileRunning(run());
        this.#stage.end.throwIfAborted();
        over("passed");
      } catch (error) {
        if (error instanceof UsageError) throw error;
        over("failed");
        const { expected, seen } = error instanceof StepFailure
          ? error
          : { expected: title, seen: (error as Error).message };
        failure = { line, told: this.#failure(expected, seen) };
        if (error instanceof Interrupted) broken = error;
        else if (!(error instanceof StepFailure) && !(error instanceof RuntimeError)) throw error;
      }
    }
    const outcome = {
      scenario: this.#scenario,
      results: this.#results,
      failure: failure?.told,
      milliseconds: clock() - begin,
    };
    reporter.end(outcome);
    if (this.#options.junit !== undefined) {
      writeReport(this.#options.junit, junitXml(outcome, begin));
    }
    if (broken instanceof Interrupted) return SIGNALS[broken.signal];
    if (failure === undefined) return 0;
    const { expected, seen } = failure.told;
    throw new RuntimeError(
      `${this.#scenario.file}:${failure.line}: expected ${expected}; ${seen.split("\n")[0]}`,
    );
  }

  #actions(): Action[] {
    const { starts, steps } = this.#scenario;
    const stage = this.#stage;
    const first = starts.filter(({ later }) => !later);
    // Names can be looked for once the daemons are there; the sooner it is told, the better.
    const lastDaemon = first.findLastIndex(({ kind }) => kind === "daemon");
    return [
      ...first.map((start, index) => ({
        title: `start ${start.name}`,
        line: start.line,
        run: async () => {
          if (index === 0) await this.#connect();
          await startOne(stage, start);
          if (index === lastDaemon) this.#check();
        },
      })),
      ...steps.map((step, index) => ({
        title: step.title,
        line: step.line,
        run: async () => {
          if (index === 0 && first.length === 0) await this.#connect();
          if (index === 0 && lastDaemon < 0) this.#check();
          await step.run(stage);
        },
      })),
    ];
  }

  /** Connects to daemons that run already. */
  async #connect(): Promise<void> {
    for (const path of this.#options.sockets) await this.#stage.world.addNamed(path);
  }

  /** Finds all that steps name, unless a daemon that has it is started by a step. */
  #check(): void {
    if (this.#scenario.starts.some(({ kind, later }) => kind === "daemon" && later)) return;
    for (const step of this.#scenario.steps) step.check?.(this.#stage.world);
  }

  #failure(expected: string, seen: string): Failure {
    const { world, processes } = this.#stage;
    const { keep } = this.#options;
    const started = this.#scenario.starts.flatMap(({ name }) => processes.find(name) ?? []);
    const outputs = started.flatMap(({ name, console, output }) => [
      ...(console === output
        ? []
        : [{ name: `${name} console`, lines: console.tail(SHOWN_LINES) }]),
      { name, lines: output.tail(SHOWN_LINES) },
    ]).filter(({ lines }) => lines.length > 0);
    return {
      expected,
      seen,
      events: world.events(SHOWN_EVENTS, clock() - RECENT).map(({ text }) => text),
      outputs,
      logs: keep,
    };
  }
}

function writeReport(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw new RuntimeError(`'${path}' cannot be written: ${(error as Error).message}`);
  }
}
