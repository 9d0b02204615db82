/**
 * Waiting without Deno's event loop: for a descriptor or a condition, never without a bound.
 *
 * @module
 */

const library = Deno.dlopen("libc.so.6", {
  /** `int poll(struct pollfd *fds, nfds_t nfds, int timeout)`: poll(2) */
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  /** `int sched_yield(void)`: sched_yield(2) */
  sched_yield: { parameters: [], result: "i32" },
});

const POLLIN = 0x1;
const POLLOUT = 0x4;

/**
 * Long enough for a loaded machine; a test that waits for this has failed. In milliseconds; the
 * variable `PATIENCE` says it in seconds, for machines that are slower still.
 */
export const PATIENCE: number = 1000 * Number(Deno.env.get("PATIENCE") || 10);

/** So many times as long as on usual machines may take what a test gives less time than that. */
export const SLOWNESS: number = Math.max(1, PATIENCE / 10_000);

// struct pollfd: i32 fd, i16 events, i16 revents
const entry = new DataView(new ArrayBuffer(8));

function wait(fd: number, events: number, milliseconds: number): boolean {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    entry.setInt32(0, fd, true);
    entry.setInt16(4, events, true);
    entry.setInt16(6, 0, true);
    const rest = Math.max(0, Math.ceil(deadline - performance.now()));
    const count = library.symbols.poll(entry.buffer, 1, rest);
    if (count > 0) return true;
    if (performance.now() >= deadline) return false;
  }
}

/** True once `fd` has something to read, or its other end is gone; false when time is up. */
export function waitReadable(fd: number, milliseconds = PATIENCE): boolean {
  return wait(fd, POLLIN, milliseconds);
}

/** True once `fd` can take something; false when time is up. */
export function waitWritable(fd: number, milliseconds = PATIENCE): boolean {
  return wait(fd, POLLOUT, milliseconds);
}

/** Passes the time without giving up the processor, some nanoseconds a turn. */
export function spin(turns: number): void {
  for (let turn = 0; turn < turns; turn++) Math.random();
}

/** Lets another thread have the processor, if one wants it. */
export function yieldProcessor(): void {
  library.symbols.sched_yield();
}

/** Blocks the thread. For conditions that announce themselves on no descriptor. */
export function pause(milliseconds: number): void {
  library.symbols.poll(new ArrayBuffer(0), 0, milliseconds);
}

/**
 * Looks at a condition again and again until it holds.
 *
 * @throws {Error} when time is up
 */
export function until(what: string, condition: () => boolean, milliseconds = PATIENCE): void {
  const deadline = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${milliseconds} ms`);
    pause(1);
  }
}
