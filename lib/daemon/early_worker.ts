/**
 * The thread of the first guest, which is started before it is known what it is to serve: while it
 * comes up, the main thread reads its arguments.
 *
 * @module
 */

/** Options with which there will be no guest. */
const WITHOUT_GUESTS = /^(-[hV]|--(help|version|list|print-capabilities))$/;

let early: Worker | undefined;

function startWorker(entry: string, name: string): Worker {
  return new Worker(entry, { type: "module", name });
}

/**
 * Starts a thread for whoever comes first, where one will be needed.
 *
 * @param entry the program's own module
 */
export function startEarly(entry: string, args: readonly string[]): void {
  if (args.length === 0 || args.some((arg) => WITHOUT_GUESTS.test(arg))) return;
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
