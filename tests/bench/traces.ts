/**
 * What a trace costs the guest: round trips with and without it, by turns, and system calls.
 *
 * @module
 */

import { Daemon } from "../support/daemon.ts";
import { GPIO, gpioRequest } from "../support/gpio_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { systemCallsPerRequest } from "./costs.ts";
import { Load } from "./load.ts";
import { microseconds, ratio, table } from "./report.ts";
import { median, percentile } from "./statistics.ts";
import { placed, type Workload, WORKLOADS } from "./workload.ts";

const ROUNDS = 7;
const ROUND_TRIPS = 5000;
/** A round trip with a trace may take so many times as long as one without. */
const LIMIT = 1.5;

/** What was measured of a device. */
interface Traces {
  readonly device: string;
  /** Medians in microseconds. */
  readonly off: number;
  readonly on: number;
  /** Of what was asked, the share that is not in the trace. */
  readonly leftOut: number;
  /** System calls of the daemon per request, one request at a time. */
  readonly systemCallsOff: number;
  readonly systemCallsOn: number;
}

/** Requests that a trace shows: the level of a line is asked for without any change. */
const toggling: Workload = {
  ...WORKLOADS[0],
  request: "a line set to 0 and to 1",
  descriptors: 4,
  place(guest, queue) {
    const asks = [0, 1].map((value) =>
      placed(guest, queue, gpioRequest(GPIO.SET_VALUE, 1, value), 2, [0, 0])
    );
    return {
      heads: asks.flatMap(({ heads }) => heads),
      written: 2,
      isRight: () => asks.every((ask) => ask.isRight()),
      spoil: () => asks.forEach((ask) => ask.spoil()),
    };
  },
};

/** How many events a trace says that it has left out. */
function leftOutOf(path: string): number {
  const text = Deno.readTextFileSync(path);
  const code = /\$var real 64 (\S+) left_out/.exec(text)![1];
  const counts = text.split("\n").filter((line) =>
    line.startsWith("r") && line.endsWith(` ${code}`)
  );
  return Number(counts.at(-1)!.slice(1).split(" ")[0]);
}

async function measure(workload: Workload): Promise<Traces> {
  using folder = new TemporaryFolder();
  const path = folder.file("trace.vcd");
  const start = (...args: string[]) =>
    Daemon.start(workload.program, [...workload.arguments(1), ...args]);
  await using plain = await start();
  await using traced = await start("--trace", path);
  const loads = [plain, traced].map((daemon) => new Load(daemon.connect(), workload, 1));
  const samples = new Float64Array(ROUND_TRIPS);
  const medians: number[][] = [[], []];
  for (let round = -1; round < ROUNDS; round++) {
    loads.forEach((load, index) => {
      load.roundTrips(samples);
      // The first round lets all sides compile what they will run.
      if (round >= 0) medians[index].push(percentile(samples, 0.5));
    });
  }
  const [systemCallsOff, systemCallsOn] = [
    await systemCallsPerRequest(plain, loads[0]),
    await systemCallsPerRequest(traced, loads[1]),
  ];
  for (const load of loads) load[Symbol.dispose]();
  await traced.stop();
  return {
    device: workload.name,
    off: median(medians[0]),
    on: median(medians[1]),
    leftOut: leftOutOf(path) / ((ROUNDS + 1) * ROUND_TRIPS),
    systemCallsOff,
    systemCallsOn,
  };
}

/** Measures all devices. */
export async function traces(): Promise<Traces[]> {
  const all: Traces[] = [];
  for (const workload of [toggling, ...WORKLOADS.slice(1)]) all.push(await measure(workload));
  table(
    ["", "off", "on", "on / off", "left out", "system calls off", "on"],
    all.map(({ device, off, on, leftOut, systemCallsOff, systemCallsOn }) => [
      device,
      ...[microseconds(off), microseconds(on), ratio(on / off), `${(100 * leftOut).toFixed(0)} %`],
      ...[systemCallsOff.toFixed(3), systemCallsOn.toFixed(3)],
    ]),
  );
  for (const { device, off, on } of all.filter(({ off, on }) => on > LIMIT * off)) {
    console.error(`${device}: a round trip takes ${ratio(on / off)} times as long with a trace`);
    Deno.exitCode = 1;
  }
  return all;
}
