/**
 * A C library of which each thread opens a function where it uses it first.
 *
 * To open a function takes Deno a quarter of a millisecond and pages of memory: it compiles code
 * for the fast way to it. It does so unless a struct goes in or out by value. What is called seldom
 * is opened as returning a struct of one member, which comes back from C just as the member does
 * (System V ABI for x86-64, 3.2.3; AAPCS64, 6.9): twenty times as fast to open, a microsecond
 * slower to call.
 *
 * @module
 */

type Functions = Readonly<Record<string, Deno.ForeignFunction>>;

/** What is called as often as guests ask for something. */
type Hot<Table extends Functions> = readonly (keyof Table & string)[];

/** Takes the only member out of the bytes of a struct. */
const unwrap = {
  i32: (bytes: Uint8Array) => new Int32Array(bytes.buffer)[0],
  pointer: (bytes: Uint8Array) => Deno.UnsafePointer.create(new BigUint64Array(bytes.buffer)[0]),
} as const;

function openCold(
  path: string,
  definition: Deno.ForeignFunction,
  result: keyof typeof unwrap,
): unknown {
  const { symbols } = Deno.dlopen(path, { it: { ...definition, result: { struct: [result] } } });
  const call = symbols.it as unknown as (...args: unknown[]) => Uint8Array;
  const take = unwrap[result];
  return (...args: unknown[]) => take(call(...args));
}

function open(path: string, name: string, definition: Deno.ForeignFunction, hot: boolean): unknown {
  // As the name is another here, the C function has to be named.
  const named = { name, ...definition };
  const { result, nonblocking } = named;
  if (!hot && !nonblocking && (result === "i32" || result === "pointer")) {
    return openCold(path, named, result);
  }
  return Deno.dlopen(path, { it: named }).symbols.it;
}

/**
 * The functions of a library, callable.
 *
 * @param table what is used of it
 * @param hot what is called often
 */
export function openWhenUsed<const Table extends Functions>(
  path: string,
  table: Table,
  hot: Hot<Table> = [],
): Deno.DynamicLibrary<Table>["symbols"] {
  const functions = {};
  for (const [name, definition] of Object.entries(table)) {
    Object.defineProperty(functions, name, {
      configurable: true,
      get() {
        const value = open(path, name, definition, hot.includes(name));
        Object.defineProperty(functions, name, { value });
        return value;
      },
    });
  }
  return functions as Deno.DynamicLibrary<Table>["symbols"];
}
