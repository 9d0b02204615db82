import { assertEquals } from "@std/assert";
import { callsOf, missingCalls } from "../../../lib/daemon/sandbox/system_calls.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** The numbers of these calls in the kernel's headers for a machine; -1 where it has none such. */
function numbersOf(machine: string, names: readonly string[]): number[] {
  using folder = new TemporaryFolder();
  const source = folder.file("calls.c");
  const lines = names.map((name) => `= __NR_${name}`);
  Deno.writeTextFileSync(source, ["#include <asm/unistd.h>", ...lines, ""].join("\n"));
  const { stdout, stderr } = new Deno.Command(`${machine}-linux-gnu-gcc`, {
    args: ["-E", "-P", source],
  }).outputSync();
  assertEquals(new TextDecoder().decode(stderr), "");
  const found = [...new TextDecoder().decode(stdout).matchAll(/^= (?:(\d+)|__NR_\w+)$/gm)];
  return found.map(([, number]) => number === undefined ? -1 : Number(number));
}

const calls = [...callsOf(1, true), ...missingCalls];
const names = calls.map(({ name }) => name);

for (const [machine, key] of [["x86_64", "x86"], ["aarch64", "arm64"]] as const) {
  Deno.test(`system calls have the numbers of the kernel's headers, on ${machine}`, () => {
    const numbers = numbersOf(machine, names);
    assertEquals(
      calls.map((call) => `${call.name} ${call[key]}`),
      names.map((name, index) => `${name} ${numbers[index]}`),
    );
  });
}
