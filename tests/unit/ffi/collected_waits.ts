/** Tells whether what is waited with is collected before the wait is over. */

let collected = 0;
const registry = new FinalizationRegistry(() => collected++);
globalThis.ArrayBuffer = class extends ArrayBuffer {
  constructor(size: number) {
    super(size);
    registry.register(this, undefined);
  }
} as ArrayBufferConstructor;

const { readable } = await import("../../../ffi/poll.ts");
const { createEventfd } = await import("../../../ffi/eventfd.ts");

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
const fd = createEventfd();
// Once it is compiled, nothing is kept of what is not used any more.
for (let count = 0; count < 10_000; count++) await readable(fd, 0);
const waits = Array.from({ length: 8 }, () => readable(fd, 1000));
await pause();
(globalThis as unknown as { gc: () => void }).gc();
await pause();
const before = collected;
await Promise.all(waits);
(globalThis as unknown as { gc: () => void }).gc();
await pause();
console.log(`collected: ${before} while others wait, ${collected - before} more afterwards`);
