/**
 * Makes small changes to the sources, one at a time in a copy of them, and sees whether the tests
 * that should notice do. A test that does not end has noticed, too.
 *
 * `FILTER=TEXT` tries only changes with this text in them or in their file's path.
 *
 * The last line is "N killed, N survived (N explained)"; the exit status is 1 where a change has
 * survived without an explanation, is explained and does not survive, or could not be tried.
 *
 * @module
 */

import { TemporaryFolder } from "../support/temporary_folder.ts";
import { filesBelow, ROOT } from "../support/tree.ts";
import { mutate, type MutatedFile, type Mutation, showMutation } from "./mutation.ts";
import { mutatedFiles } from "./table.ts";

/** What the tests need of the project. */
const NEEDED = /^(cmd|examples|ffi|lib|tests|types)\/|^[^/]+$/;
/** How much longer tests may take than before there was a change, on a machine that gets busy. */
const PATIENCE = 4;
/** And how much at least, in milliseconds. */
const LEAST_PATIENCE = 20_000;
/** As many changes are tried at a time. */
const COPIES = Math.min(2, navigator.hardwareConcurrency);
/** The sources do not even run: that is no change that a test could notice. */
const NONSENSE = /could not be parsed|SyntaxError|ReferenceError/;

const filter = Deno.env.get("FILTER") ?? "";
const decoder = new TextDecoder();

/** What became of a change. */
type Outcome = "killed" | "survived" | "nonsense";

interface Trial {
  readonly file: MutatedFile;
  readonly mutation: Mutation;
  readonly tests: readonly string[];
}

/** What the tests of a run have said. */
interface Verdict {
  readonly outcome: Outcome;
  /** The name of the first that failed, or whatever else happened. */
  readonly by: string;
  readonly output: string;
}

/** The project's sources, to be changed and tested. */
class Copy implements Disposable {
  readonly #folder = new TemporaryFolder();

  constructor() {
    for (const path of filesBelow()) {
      if (!NEEDED.test(path)) continue;
      const slash = path.lastIndexOf("/");
      if (slash > 0) Deno.mkdirSync(this.#folder.file(path.slice(0, slash)), { recursive: true });
      Deno.copyFileSync(new URL(path, ROOT), this.#folder.file(path));
    }
  }

  /**
   * Runs tests of the sources as they are.
   *
   * @param patience how long they may take, in milliseconds
   * @param only what is in the names of the tests to run
   */
  async test(tests: readonly string[], patience = Infinity, only = ""): Promise<Verdict> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-check", "--fail-fast", `--filter=${only}`, ...tests],
      cwd: this.#folder.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // So that the daemons of tests end with them.
      detached: true,
    }).spawn();
    let timedOut = false;
    const timer = patience === Infinity ? undefined : setTimeout(() => {
      timedOut = true;
      Deno.kill(-child.pid, "SIGKILL");
    }, patience);
    const { success, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    if (timedOut) return { outcome: "killed", by: "a test that did not end", output };
    if (success) return { outcome: "survived", by: "", output };
    const failed = /^(.*) \.\.\. .*FAILED/m.exec(output)?.[1];
    const nonsense = NONSENSE.test(output);
    return {
      outcome: nonsense ? "nonsense" : "killed",
      by: failed ?? "a run that broke off",
      output,
    };
  }

  /** Tests the sources with a change, which is taken back afterwards. */
  async try({ file, mutation, tests }: Trial, patience: number): Promise<Verdict> {
    const original = Deno.readTextFileSync(new URL(file.path, ROOT));
    const changed = mutate(original, mutation);
    if (changed === undefined) {
      return {
        outcome: "nonsense",
        by: "",
        output: "what is to be changed is not there, or twice",
      };
    }
    Deno.writeTextFileSync(this.#folder.file(file.path), changed);
    try {
      return await this.test(tests, patience, mutation.only);
    } finally {
      Deno.writeTextFileSync(this.#folder.file(file.path), original);
    }
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

const trials: Trial[] = mutatedFiles.flatMap((file) =>
  file.mutations.map((mutation) => ({ file, mutation, tests: mutation.tests ?? file.tests }))
).filter(({ file, mutation }) => `${file.path}: ${showMutation(mutation)}`.includes(filter));

const copies = Array.from({ length: COPIES }, () => new Copy());

function end(status: number): never {
  for (const copy of copies) copy[Symbol.dispose]();
  Deno.exit(status);
}

if (trials.length === 0) {
  console.log(`no change has "${filter}" in it`);
  end(1);
}

// Tests that fail anyway would notice everything.
const times = new Map<string, number>();
for (const test of new Set(trials.flatMap(({ tests }) => tests))) {
  const begin = performance.now();
  const { outcome, output } = await copies[0].test([test]);
  times.set(test, performance.now() - begin);
  if (outcome === "survived") continue;
  console.log(`${output}\nthe tests have to pass before anything is changed`);
  end(1);
}

const counts = { killed: 0, survived: 0, explained: 0, faults: 0 };

function tell(trial: Trial, { outcome, by, output }: Verdict): void {
  const { mutation: { survives }, mutation } = trial;
  const what = `${trial.file.path}: ${showMutation(mutation)}`;
  if (outcome === "nonsense") {
    counts.faults++;
    console.log(`CANNOT BE TRIED  ${what}\n${output}`);
  } else if (outcome === "killed") {
    counts.killed++;
    console.log(`killed    ${what}\n          by ${by}`);
    if (survives === undefined) return;
    counts.faults++;
    console.log("          ALTHOUGH IT IS EXPLAINED WHY IT SURVIVES");
  } else if (survives === undefined) {
    counts.survived++;
    counts.faults++;
    console.log(`SURVIVED  ${what}`);
  } else {
    counts.survived++;
    counts.explained++;
    console.log(`survived  ${what}\n          ${survives}`);
  }
}

async function work(copy: Copy): Promise<void> {
  for (let trial = trials.shift(); trial !== undefined; trial = trials.shift()) {
    const usual = trial.tests.reduce((sum, test) => sum + times.get(test)!, 0);
    tell(trial, await copy.try(trial, LEAST_PATIENCE + PATIENCE * usual));
  }
}

await Promise.all(copies.map(work));
const { killed, survived, explained, faults } = counts;
console.log(`${killed} killed, ${survived} survived (${explained} explained)`);
end(faults === 0 ? 0 : 1);
