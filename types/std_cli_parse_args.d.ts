/**
 * The types of `@std/cli/parse-args`: the package that deno.json maps it to has none.
 *
 * Of the standard library's options these are the ones that are used here.
 */
declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    /** Names of options without a value. */
    readonly boolean?: readonly string[];
    /** Names of options whose value is kept as it is; `_` for the other arguments. */
    readonly string?: readonly string[];
    /** Names of options that can be given more than once; each is a list in the result. */
    readonly collect?: readonly string[];
    /** Called for each argument that is none of these; false keeps it out of the result. */
    readonly unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }

  /** By name; what follows no option and what follows `--` is in `_`. */
  // deno-lint-ignore no-explicit-any
  export type Args = { _: (string | number)[] } & Record<string, any>;

  export function parseArgs(args: string[], options?: ParseOptions): Args;
}
