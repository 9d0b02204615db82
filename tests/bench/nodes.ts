/**
 * The daemons on real I2C and SPI nodes, which a guest's kernel makes believe: they and our driver
 * run inside of User-Mode Linux.
 *
 * @module
 */

import { denoInGuest } from "../support/tests_in_guest.ts";
import { guestOutput } from "../support/uml.ts";
import type { NodeFigure } from "./nodes_inside.ts";
import { count, microseconds, ratio, table } from "./report.ts";

/** Where the peer's folder is in the guest. */
const PEER = "/peer";

/** The folder of a path that may be a program's. */
function folderOf(path: string): string {
  const real = Deno.realPathSync(path);
  return Deno.statSync(real).isDirectory ? real : real.slice(0, real.lastIndexOf("/"));
}

/** Measures both devices. */
export async function nodes(): Promise<NodeFigure[]> {
  const [peer, rounds] = ["PEER", "BENCH_ROUNDS"].map((name) => Deno.env.get(name));
  const { deno, options } = denoInGuest();
  const program = new URL("./nodes_inside.ts", import.meta.url).pathname;
  const output = await guestOutput(`${deno} run -A --no-check --quiet --no-lock ${program}`, {
    options: [
      ...options,
      ...["-a", "uml_sim.i2c=1", "-a", "uml_sim.i2c_name=main", "-a", "uml_sim.spi=1"],
      ...(rounds ? ["-e", `BENCH_ROUNDS=${rounds}`] : []),
      ...(peer ? ["-M", `${folderOf(peer)}:${PEER}`, "-e", `PEER=${PEER}`] : []),
    ],
    limit: 180,
  });
  const lines = output.split("\n");
  const all: NodeFigure[] = JSON.parse(lines.find((line) => line.startsWith("["))!);
  for (const line of lines) if (line.startsWith("  (")) console.log(line);
  const rows = all.map((one) => [
    `${one.device}, ${one.contender}`,
    ...[one.median, one.p99].map(microseconds),
    ...[1, 16, 64].map((depth) =>
      one.rates[depth] === undefined ? "cannot" : count(one.rates[depth])
    ),
    microseconds(one.processor),
  ]);
  for (const ours of all.filter(({ contender }) => contender === "ours")) {
    const other = all.find((one) => one.device === ours.device && one.contender === "peer");
    if (other === undefined) continue;
    const of = (pick: (one: NodeFigure) => number | undefined) => {
      const [a, b] = [pick(ours), pick(other)];
      return a === undefined || b === undefined ? "" : ratio(a / b);
    };
    rows.push([
      `${ours.device}, ours / peer`,
      of(({ median }) => median),
      of(({ p99 }) => p99),
      ...[1, 16, 64].map((depth) => of(({ rates }) => rates[depth])),
      of(({ processor }) => processor),
    ]);
  }
  table(["", "median", "99 %", "1 at a time", "16", "64", "CPU, 1"], rows);
  return all;
}
