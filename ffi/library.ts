/**
 * A C library of which each thread opens a function where it uses it first.
 *
 * To open a function takes Deno a quarter of a millisecond and pages of memory, the first time 1.4
 * MiB of them: it compiles code for the fast way to it. It does so unless a struct goes in or out by
 * value. What is called seldom is opened as returning a struct of one member, which comes back from C
 * just as the member does (System V ABI for x86-64, 3.2.3; AAPCS64, 6.9): twenty times as fast to
 * open, a microsecond slower to call.
 *
 * @module
 */

type Functions = Readonly<Record<string, Deno.ForeignFunction>>;

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

function openFast(path: string, definition: Deno.ForeignFunction): unknown {
  return Deno.dlopen(path, { it: definition }).symbols.it;
}

function open(path: string, definition: Deno.ForeignFunction): unknown {
  const { result, nonblocking } = definition;
  return !nonblocking && (result === "i32" || result === "pointer")
    ? openCold(path, definition, result)
    : openFast(path, definition);
}

/** The functions of a library, callable; for what is called seldom. */
export function openWhenUsed<const Table extends Functions>(
  path: string,
  table: Table,
): Deno.DynamicLibrary<Table>["symbols"] {
  const functions = {};
  for (const [name, definition] of Object.entries(table)) {
    Object.defineProperty(functions, name, {
      configurable: true,
      get() {
        // As the name is another here, the C function has to be named.
        const value = open(path, { name, ...definition });
        Object.defineProperty(functions, name, { value });
        return value;
      },
    });
  }
  return functions as Deno.DynamicLibrary<Table>["symbols"];
}

/** A function for which there is a fast way once it has been called. */
export interface FastFunction<Call> {
  /**
   * The function itself. To look at it opens it, so that no call goes to anything else: V8 makes a
   * call fast if it has always led to the same function.
   */
  readonly invoke: Call;
}

/** A function of a library that is called as often as guests ask for something. */
export function openFastWhenUsed<
  const Table extends Functions,
  const Name extends keyof Table & string,
>(
  path: string,
  table: Table,
  name: Name,
): FastFunction<Deno.DynamicLibrary<Table>["symbols"][Name]> {
  // The function becomes a property in front of this one: to change a property itself is what V8
  // answers with slower objects.
  const unopened = {
    get invoke(): unknown {
      const value = openFast(path, { name, ...table[name] });
      Object.defineProperty(opened, "invoke", { value });
      return value;
    },
  };
  const opened = Object.create(unopened);
  return opened;
}
