/**
 * The instructions that a daemon executes, where the machine counts them: perf-stat(1).
 *
 * @module
 */

/** True if this machine counts instructions. */
export function countsInstructions(): boolean {
  try {
    const { success, stderr } = new Deno.Command("perf", {
      args: ["stat", "-x,", "-e", "instructions:u", "true"],
      stdout: "null",
    }).outputSync();
    return success && /^\d+,/m.test(new TextDecoder().decode(stderr));
  } catch {
    return false;
  }
}

/** Counts those that all threads of a process execute in user space while `action` runs. */
export async function instructionsOf(pid: number, action: () => void): Promise<number> {
  const child = new Deno.Command("perf", {
    args: ["stat", "-x,", "-e", "instructions:u", "-p", `${pid}`],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  // It says nothing when it has begun.
  await new Promise((resolve) => setTimeout(resolve, 500));
  action();
  child.kill("SIGINT");
  const { stderr } = await child.output();
  const counted = /^(\d+),/m.exec(new TextDecoder().decode(stderr));
  if (counted === null) throw new Error("perf has counted nothing");
  return Number(counted[1]);
}
