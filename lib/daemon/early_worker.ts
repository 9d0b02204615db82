/**
 * The thread of the first guest, which is started before it is known what it is to serve: while it
 * comes up, the main thread reads its arguments.
 *
 * @module
 */

/** Options with which there will be no guest. */
const WITHOUT_GUESTS = /^(-[hV]|--(help|version|list|print-capabilities))$/;
/** Options with which there will be threads, and the one that has a value for which there are not. */
const WITH_THREADS = /^(-c|--(socket-count|control|trace)(=|$))/;
const ONE_GUEST = /^(-c|--socket-count) ?=?1 /;

let early: Worker | undefined;

function startWorker(entry: string, name: string): Worker {
  return new Worker(entry, { type: "module", name });
}

/** True if it can be seen so early that the main thread will not do. */
function needsThreads(args: readonly string[]): boolean {
  return args.some((arg, index) =>
    WITH_THREADS.test(arg) && !ONE_GUEST.test(`${arg} ${args[index + 1] ?? ""} `)
  );
}

/**
 * Starts a thread for whoever comes first, where one will be needed.
 *
 * @param entry the program's own module
 */
export function startEarly(entry: string, args: readonly string[]): void {
  if (args.some((arg) => WITHOUT_GUESTS.test(arg)) || !needsThreads(args)) return;
  early = startWorker(entry, "guest 0");
}

/**
 * A thread that runs the program's module: the one that was started early, or a new one.
 *
 * @param name for people, for example `guest 0`, which is asked for first
 */
export function takeWorker(entry: string, name: string): Worker {
  const worker = early ?? startWorker(entry, name);
  early = undefined;
  return worker;
}

/** Nobody will come. */
export function dropWorker(): void {
  early?.terminate();
  early = undefined;
}
