/**
 * A process that is one guest's front-end, and gives its daemon as much to do as it can.
 *
 * It is told on standard input what to do, a byte of {@linkcode ORDER} each, and returns each on
 * standard output once it does so.
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import { FrontEnd } from "../support/front_end.ts";
import { keepOn } from "../support/processors.ts";
import { until, waitReadable } from "../support/wait.ts";
import { Load } from "./load.ts";
import { WORKLOADS } from "./workload.ts";

const STDIN = 0;

/** What it does. */
export const DISTURBANCES = ["floods its ring", "sends messages", "breaks its ring"] as const;
export type Disturbance = typeof DISTURBANCES[number];

/** What the process is to do. */
export const ORDER = { REST: 0, DISTURB: 1 } as const;

/** Its argument, as JSON. */
export interface DisturbanceStart {
  readonly socket: string;
  readonly device: string;
  readonly disturbance: Disturbance;
  readonly processor: number;
}

/** Connects once the socket is there: some daemons make a new one for each front-end. */
function connect(socket: string): FrontEnd {
  let frontEnd: FrontEnd | undefined;
  until("the socket", () => {
    try {
      frontEnd = FrontEnd.connect(socket);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
    return frontEnd !== undefined;
  });
  return frontEnd!;
}

/** Does what is done again and again, a little of it with each call. */
function actOf({ socket, device, disturbance }: DisturbanceStart): Disposable & { act(): void } {
  const workload = WORKLOADS.find(({ name }) => name === device)!;
  if (disturbance === "breaks its ring") {
    return {
      act() {
        using guest = workload.connect(FrontEnd.connect(socket));
        const [queue] = guest.queues;
        queue.pretendAvailable(queue.availableIndex + 0x4000);
        queue.kick();
        guest.frontEnd.barrier();
      },
      [Symbol.dispose]: () => {},
    };
  }
  const load = new Load(connect(socket), workload);
  const flood = () => load.throughput(1000);
  const messages = () => {
    for (let count = 0; count < 100; count++) load.frontEnd.barrier();
  };
  return {
    act: disturbance === "floods its ring" ? flood : messages,
    [Symbol.dispose]: () => load[Symbol.dispose](),
  };
}

function disturb(start: DisturbanceStart): void {
  keepOn(Deno.pid, [start.processor]);
  using disturbance = actOf(start);
  const order = new Uint8Array(1);
  for (;;) {
    if (order[0] === ORDER.REST || waitReadable(STDIN, 0)) {
      if (Deno.stdin.readSync(order) !== 1) return;
      Deno.stdout.writeSync(order);
    }
    if (order[0] === ORDER.DISTURB) disturbance.act();
  }
}

if (import.meta.main) disturb(JSON.parse(Deno.args[0]));
