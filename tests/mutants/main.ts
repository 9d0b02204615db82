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
/** Longer than any of the tests takes on a busy machine, in milliseconds. */
const PATIENCE = 120_000;
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

  /** Tests the sources as they are. */
  async test(tests: readonly string[]): Promise<Verdict> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-check", "--fail-fast", ...tests],
      cwd: this.#folder.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, PATIENCE);
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
  async try({ file, mutation, tests }: Trial): Promise<Verdict> {
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
      return await this.test(tests);
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

using copy = new Copy();
// Tests that fail anyway would notice everything.
const sound = await copy.test([...new Set(trials.flatMap(({ tests }) => tests))]);
if (trials.length === 0 || sound.outcome !== "survived") {
  console.log(trials.length === 0 ? `no change has "${filter}" in it` : sound.output);
  console.log("the tests have to pass before anything is changed");
  Deno.exit(1);
}

const counts = { killed: 0, survived: 0, explained: 0, faults: 0 };
for (const trial of trials) {
  const { path } = trial.file;
  const { survives } = trial.mutation;
  const { outcome, by, output } = await copy.try(trial);
  const what = `${path}: ${showMutation(trial.mutation)}`;
  if (outcome === "nonsense") {
    counts.faults++;
    console.log(`CANNOT BE TRIED  ${what}\n${output}`);
  } else if (outcome === "killed") {
    counts.killed++;
    console.log(`killed    ${what}\n          by ${by}`);
    if (survives === undefined) continue;
    counts.faults++;
    console.log("          ALTHOUGH IT IS EXPLAINED WHY IT SURVIVES");
  } else {
    counts.survived++;
    if (survives === undefined) counts.faults++;
    else counts.explained++;
    console.log(`${survives === undefined ? "SURVIVED" : "survived"}  ${what}`);
    if (survives !== undefined) console.log(`          ${survives}`);
  }
}
const { killed, survived, explained, faults } = counts;
console.log(`${killed} killed, ${survived} survived (${explained} explained)`);
copy[Symbol.dispose]();
Deno.exit(faults === 0 ? 0 : 1);
