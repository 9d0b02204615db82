/**
 * A thread that is one guest's front-end, and gives its daemon as much to do as it can.
 *
 * @module
 */

import { FrontEnd } from "../support/front_end.ts";
import { stayOn } from "../support/processors.ts";
import { Load } from "./load.ts";
import { WORKLOADS } from "./workload.ts";

/** What it does. */
export const DISTURBANCES = ["floods its ring", "sends messages", "breaks its ring"] as const;
export type Disturbance = typeof DISTURBANCES[number];

/** What the thread is told. */
export interface DisturbanceStart {
  readonly socket: string;
  readonly device: string;
  readonly disturbance: Disturbance;
  readonly processor: number;
  /** A word that is not 0 once it is to end. */
  readonly end: SharedArrayBuffer;
}

function disturb({ socket, device, disturbance, processor, end }: DisturbanceStart): void {
  using _place = stayOn(processor);
  const workload = WORKLOADS.find(({ name }) => name === device)!;
  const over = new Int32Array(end);
  const isOver = () => Atomics.load(over, 0) !== 0;
  if (disturbance === "breaks its ring") {
    while (!isOver()) {
      using guest = workload.connect(FrontEnd.connect(socket));
      const [queue] = guest.queues;
      queue.pretendAvailable(queue.availableIndex + 0x4000);
      queue.kick();
      guest.frontEnd.barrier();
    }
    return;
  }
  using load = new Load(FrontEnd.connect(socket), workload);
  while (!isOver()) {
    if (disturbance === "floods its ring") load.throughput(1000);
    else for (let count = 0; count < 100; count++) load.frontEnd.barrier();
  }
}

self.onmessage = ({ data }: MessageEvent<DisturbanceStart>) => {
  self.postMessage("begins");
  disturb(data);
  self.postMessage("ended");
  self.close();
};
