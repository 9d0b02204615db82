/**
 * A test's own process with few file descriptors.
 *
 * @module
 */

const library = Deno.dlopen("libc.so.6", {
  /** `int getrlimit(int resource, struct rlimit *rlim)`: getrlimit(2) */
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  /** `int setrlimit(int resource, const struct rlimit *rlim)`: getrlimit(2) */
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
});

const RLIMIT_NOFILE = 7;

/** Calls `use` while no descriptor can be had whose number is `limit` or more. */
export function withDescriptorLimit<Result>(limit: number, use: () => Result): Result {
  // struct rlimit: the soft limit, then the hard one
  const usual = new BigUint64Array(new ArrayBuffer(16));
  library.symbols.getrlimit(RLIMIT_NOFILE, usual);
  const low = BigUint64Array.of(BigInt(limit), usual[1]);
  library.symbols.setrlimit(RLIMIT_NOFILE, low);
  try {
    return use();
  } finally {
    library.symbols.setrlimit(RLIMIT_NOFILE, usual);
  }
}
