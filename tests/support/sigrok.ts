/**
 * Traces as other people's programs read them.
 *
 * @module
 */

function run(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} has failed:\n${text.decode(stderr)}`);
  return text.decode(stdout);
}

/**
 * What sigrok's decoders find in a trace: lines of the last one.
 *
 * @param decoders with the wires of the first, for example `i2c:scl=SCL:sda=SDA,lm75`
 * @param rows of annotations of the last
 */
export function decoded(path: string, decoders: string, ...rows: string[]): string[] {
  const last = decoders.split(",").at(-1)!.replace(/:.*/, "");
  const input = ["-I", "vcd:compress=100000", "-i", path];
  return run("sigrok-cli", ...input, "-P", decoders, "-A", `${last}=${rows.join(":")}`)
    .trim().split("\n").map((line) => line.replace(/^\w+-1: /, ""));
}

/** Has GTKWave's own converter read a trace; throws if it cannot. */
export function convertToFst(path: string): void {
  run("vcd2fst", path, `${path}.fst`);
}
