/**
 * Waiting for descriptors while Deno's event loop goes on.
 *
 * Opened apart from the rest of the C library: only a program that has no thread to spare for waiting
 * needs it.
 *
 * @module
 */

const functions = {
  /** `int poll(struct pollfd *fds, nfds_t nfds, int timeout)`: poll(2), on another thread */
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32", nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof functions> | undefined;

const POLLIN = 0x1;

/** What the kernel still writes to: a call on another thread keeps nothing from being collected. */
const lent = new Set<DataView>();

/**
 * Waits until `fd` can be read, or until the time is up.
 *
 * @param timeout in milliseconds; -1 waits without a limit
 */
export async function readable(fd: number, timeout: number): Promise<void> {
  library ??= Deno.dlopen("libc.so.6", functions);
  // struct pollfd: i32 fd, i16 events, i16 revents
  const entry = new DataView(new ArrayBuffer(8));
  entry.setInt32(0, fd, true);
  entry.setInt16(4, POLLIN, true);
  lent.add(entry);
  try {
    await library.symbols.poll(entry.buffer, 1, timeout);
  } finally {
    lent.delete(entry);
  }
}
