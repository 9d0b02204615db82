/**
 * One daemon with a healthy guest and hostile ones.
 *
 * @module
 */

import { Daemon } from "../support/daemon.ts";
import type { Random } from "../support/random.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import type { DaemonFigures, Health, Tried } from "./figures.ts";
import { HostileClient } from "./hostile_client.ts";
import type { NeighbourData } from "./neighbour.ts";

/** The hostile guests; the healthy one has the first socket. */
const HOSTILE = [1, 2];
const GUESTS = 1 + HOSTILE.length;

/** A daemon's configuration, by type. All guests share the I2C adapter and the SPI bus. */
const CONFIGURATIONS: Readonly<Record<string, readonly string[]>> = {
  gpio: ["guests:", ...Array(GUESTS).fill("  - simulated: { lines: 8 }")],
  i2c: [
    "adapters:",
    "  - simulated:",
    "      parts: [{ part: registers, address: 0x50 }, { part: 24c02, address: 0x48 }]",
  ],
  spi: [
    "guests:",
    "  - simulated: { parts: [{ part: loopback }, { part: loopback }] }",
    ...HOSTILE.map(() => "  - share: 0"),
  ],
};

/** The types of the daemons. */
export const TYPES: readonly string[] = Object.keys(CONFIGURATIONS);

/** How many lines of a daemon that died are shown. */
const LAST_WORDS = 5;
/** How often memory is looked at, in milliseconds. */
const OFTEN = 500;

/** A daemon under siege. */
export class Siege implements AsyncDisposable {
  readonly program: string;
  readonly #tried: Tried = {};
  readonly #clients: HostileClient[];
  readonly #neighbour: Worker;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #health = Promise.withResolvers<Health>();
  readonly #ready = Promise.withResolvers<void>();
  #before: [descriptors: number, memory: number] = [0, 0];
  #most = 0;

  private constructor(
    readonly type: string,
    readonly daemon: Daemon,
    readonly random: Random,
  ) {
    this.program = `vhost-device-${type}`;
    this.#clients = HOSTILE.map((guest) =>
      new HostileClient(type, daemon.socket(guest), random, this.#tried)
    );
    this.#neighbour = new Worker(new URL("neighbour.ts", import.meta.url), { type: "module" });
    this.#neighbour.onmessage = ({ data }: MessageEvent<"ready" | Health>) => {
      if (data === "ready") this.#ready.resolve();
      else this.#health.resolve(data);
    };
  }

  /** Starts a daemon and its healthy guest, and looks at what the daemon has at rest. */
  static async start(type: string, random: Random): Promise<Siege> {
    using folder = new TemporaryFolder();
    const file = folder.file("config.yaml");
    Deno.writeTextFileSync(file, CONFIGURATIONS[type].join("\n") + "\n");
    const daemon = await Daemon.start(`vhost-device-${type}`, ["--config", file], {
      count: GUESTS,
    });
    const siege = new Siege(type, daemon, random);
    const data: NeighbourData = {
      type,
      socket: daemon.socket(0),
      seed: random.u32(),
      stop: siege.#stop,
    };
    siege.#neighbour.postMessage(data);
    await siege.#ready.promise;
    siege.#before = siege.#atRest();
    return siege;
  }

  get alive(): boolean {
    try {
      return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${this.daemon.pid}/stat`));
    } catch {
      return false;
    }
  }

  /** Descriptors and memory while each socket has a front-end that was answered. */
  #atRest(): [descriptors: number, memory: number] {
    const frontEnds = HOSTILE.map((guest) => this.daemon.connect(guest));
    try {
      for (const frontEnd of frontEnds) frontEnd.barrier();
      return [this.daemon.fdCount(), this.daemon.residentMemory()];
    } finally {
      for (const frontEnd of frontEnds) frontEnd.close();
    }
  }

  /** Has it besieged for some seconds. */
  async run(seconds: number): Promise<DaemonFigures> {
    const { random } = this;
    await Promise.all(this.#clients.map((client) => client.start()));
    const begin = performance.now();
    const end = begin + 1000 * seconds;
    const watch = setInterval(() => this.#look(), OFTEN);
    try {
      await Promise.all(this.#clients.map(async (client) => {
        while (performance.now() < end && this.alive) {
          await sleep(Math.min(500 + random.below(2500), end - performance.now()));
          if (random.oneIn(2)) await client.suspend(random.below(2000));
          if (random.oneIn(2) && performance.now() < end) await client.replace();
        }
        await client.end();
      }));
    } finally {
      clearInterval(watch);
    }
    return await this.#figures((performance.now() - begin) / 60_000);
  }

  #look(): void {
    if (this.alive) this.#most = Math.max(this.#most, this.daemon.residentMemory());
  }

  async #figures(minutes: number): Promise<DaemonFigures> {
    const hangs = this.#clients.flatMap(({ problems }) => problems);
    let after: [number, number] = [0, 0];
    try {
      if (this.alive) after = this.#atRest();
    } catch (error) {
      hangs.push(`after all: ${(error as Error).message}`);
    }
    Atomics.store(this.#stop, 0, 1);
    const health = await this.#health.promise;
    const lines = this.daemon.log.split("\n");
    const log = Array<number>(GUESTS + 1).fill(0);
    for (const line of lines) {
      const guest = Number(/^\S+ \S+ +guest (\d+)/.exec(line)?.[1] ?? GUESTS);
      log[guest] += line.length + 1;
    }
    return {
      program: this.program,
      alive: this.alive,
      minutes,
      tried: this.#tried,
      health,
      hangs,
      descriptors: [this.#before[0], after[0]],
      memory: [this.#before[1], after[1]],
      most: this.#most,
      log,
      errors: lines.filter((line) => line.includes("internal error")),
      lastWords: lines.filter((line) => line !== "").slice(-LAST_WORDS),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.end();
    this.#neighbour.terminate();
    await this.daemon[Symbol.asyncDispose]();
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

/** Besieges all daemons at once for some seconds. */
export async function soak(seconds: number, random: Random): Promise<DaemonFigures[]> {
  await using sieges = new AsyncDisposableStack();
  const all: Siege[] = [];
  // One after the other: each looks at what its daemon has at rest.
  for (const type of TYPES) all.push(sieges.use(await Siege.start(type, random)));
  return await Promise.all(all.map((siege) => siege.run(seconds)));
}
