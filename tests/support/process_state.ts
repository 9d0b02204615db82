/**
 * What a process holds: descriptors, memory, time on the processor.
 *
 * @module
 */

import { until } from "./wait.ts";

/** The open descriptors of a process, as a map from number to what they refer to. */
export function openFds(pid: number | "self" = "self"): Map<number, string> {
  const folder = `/proc/${pid}/fd`;
  const found = new Map<number, string>();
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      found.set(Number(name), Deno.readLinkSync(`${folder}/${name}`));
    } catch {
      // The descriptor that reads the folder itself, or one that was just closed.
    }
  }
  return found;
}

/** How many descriptors a process has open. */
export function fdCount(pid: number | "self" = "self"): number {
  return openFds(pid).size;
}

/** The resident memory of a process in bytes. */
export function residentMemory(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** The processor time that a process has used so far, in seconds. */
export function processorTime(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The processor time of each thread of a process so far, in nanoseconds. */
export function threadTimes(pid: number): Map<number, number> {
  const times = new Map<number, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const [time] = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ");
    times.set(Number(name), Number(time));
  }
  return times;
}

/** The processor time that the threads of a process have used so far, in nanoseconds. */
export function runningTime(pid: number): number {
  return [...threadTimes(pid).values()].reduce((sum, time) => sum + time, 0);
}

/** The thread of a process that works the most while `action` runs. */
export function busiestThread(pid: number, action: () => void): number {
  const before = threadTimes(pid);
  action();
  const growth = [...threadTimes(pid)]
    .map(([thread, time]) => [thread, time - (before.get(thread) ?? 0)] as const);
  return growth.reduce((a, b) => a[1] >= b[1] ? a : b)[0];
}

/** True if a thread waits for something. */
export function isAsleep(pid: number, thread: number): boolean {
  return /\) S /.test(Deno.readTextFileSync(`/proc/${pid}/task/${thread}/stat`));
}

/** True if a thread waits in the system call of that number. */
export function waitsIn(pid: number, thread: number, call: number): boolean {
  return Deno.readTextFileSync(`/proc/${pid}/task/${thread}/syscall`).startsWith(`${call} `);
}

/** How often the threads of a process have gone to sleep so far. */
export function voluntarySwitches(pid: number): number {
  let count = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const status = Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`);
    count += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  }
  return count;
}

/**
 * True if some process listens at the socket `path`: front-ends can connect. The file is there a
 * little earlier.
 */
export function isListening(path: string): boolean {
  // Num RefCount Protocol Flags Type St Inode Path, with the flag __SO_ACCEPTCON
  const pattern = /^\S+ \S+ \S+ 00010000 0001 \S+ +\d+ (.*)$/gm;
  const listening = Deno.readTextFileSync("/proc/net/unix").matchAll(pattern);
  return [...listening].some(([, at]) => at === path);
}

/** Stops a process until it gets `SIGCONT`, and waits until none of its threads runs any more. */
export function suspend(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  until(
    `process ${pid} is stopped`,
    () =>
      [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
        /\) T /.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`))
      ),
  );
}
