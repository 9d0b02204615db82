import { assertEquals } from "@std/assert";
import { callsHandler } from "../../../ffi/every_thread.ts";
import { watchRoutine } from "../../../ffi/guard_thread.ts";
import { codeOf, type Listings } from "../../../ffi/machine_code.ts";
import { faultHandler } from "../../../ffi/memory_fault_handler.ts";
import { endHandler, stopHandler } from "../../../ffi/stop_signals.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** Binary utilities of each machine, with what makes them read what listings say. */
const MACHINES = [
  ["x86_64", ".intel_syntax noprefix"],
  ["aarch64", ""],
] as const;

/** What the assembler makes of a listing and of the data after it. */
function assembled(machine: string, head: string, listing: string, data: string): Uint8Array {
  using folder = new TemporaryFolder();
  const [source, object, code] = ["source", "object", "code"].map((name) => folder.file(name));
  const lines = listing.split("\n").map((line) => line.split("|").slice(1).join("|"));
  const text = [head, ...lines, ".balign 8, 0", data.replaceAll("; ", "\n"), ""].join("\n");
  Deno.writeTextFileSync(source, text);
  const run = (tool: string, ...args: string[]) => {
    const { stderr } = new Deno.Command(`${machine}-linux-gnu-${tool}`, { args }).outputSync();
    assertEquals(new TextDecoder().decode(stderr), "");
  };
  run("as", "-o", object, source);
  run("objcopy", "-O", "binary", "-j", ".text", object, code);
  return Deno.readFileSync(code);
}

const listings: readonly (readonly [name: string, Listings, data: string])[] = [
  [
    "the handler of memory faults",
    faultHandler,
    "threads: .quad 0; end: .quad 0; action: .zero 32",
  ],
  ["the handler that makes calls", callsHandler, "calls: .quad 0; end: .quad 0"],
  [
    "the routine of the thread that watches",
    watchRoutine,
    "interval: .zero 16; process: .quad 0; name: .quad 0",
  ],
  ["the handler of signals to end", stopHandler, "memory: .quad 0; stop: .quad 0"],
  ["the handler that ends", endHandler, "memory: .quad 0"],
];

for (const [name, listing, data] of listings) {
  for (const [machine, head] of MACHINES) {
    Deno.test(`${name} is what its listing says, on ${machine}`, () => {
      const code = codeOf(listing[machine]);
      const expected = assembled(machine, head, listing[machine], data);
      assertEquals(code, expected.subarray(0, code.length));
      // What follows is data alone.
      assertEquals(expected.subarray(code.length).every((byte) => byte === 0), true);
    });
  }
}
