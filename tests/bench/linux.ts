/**
 * What a guest gets through Linux's own drivers, in User-Mode Linux and QEMU.
 *
 * @module
 */

import { ControlClient } from "../support/control_client.ts";
import { Daemon } from "../support/daemon.ts";
import { qemuOutput, startQemuGuest } from "../support/qemu.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput, startGuest } from "../support/uml.ts";
import { type Contender, contenders, start } from "./contender.ts";
import { count, microseconds, table } from "./report.ts";
import { percentile } from "./statistics.ts";
import { WORKLOADS } from "./workload.ts";

/** What was measured. */
export interface LinuxFigure {
  readonly guest: string;
  readonly contender: string;
  readonly what: string;
  /** How often a second; or, of a latency, microseconds. */
  readonly value: number;
  readonly unit: "1/s" | "µs";
}

type Device = "gpio" | "i2c" | "spi";

/** A guest with one device. */
interface System {
  readonly name: string;
  run(script: string, socket: string, device: Device): Promise<string>;
  start(script: string, socket: string, device: Device): Deno.ChildProcess;
}

const SYSTEMS: readonly System[] = [
  {
    name: "User-Mode Linux",
    run: (script, socket, device) =>
      guestOutput(script, { devices: [[socket, device]], limit: 120 }),
    start: (script, socket, device) => startGuest(script, { devices: [[socket, device]] }),
  },
  {
    name: "QEMU",
    run: (script, socket, device) =>
      qemuOutput(script, { version: "11", devices: [[socket, device]], limit: 120 }),
    start: (script, socket, device) =>
      startQemuGuest(script, { version: "11", devices: [[socket, device]] }),
  },
];

/**
 * Shell functions: `measure NAME COUNT COMMAND…` prints how often a second something happens that
 * the command does so many times, in the kernel's time.
 */
const MEASURE = `
  measure() {
    local name=$1 count=$2 begin=$EPOCHREALTIME end
    shift 2
    "$@" >/dev/null || { echo "$name: failed"; return 0; }
    end=$EPOCHREALTIME
    echo "$name: $count in $((\${end/./} - \${begin/./})) us"
  }
`;

/** Each line is asked for on its own; a change is followed by a sleep of a microsecond. */
const GPIO = `${MEASURE}
  periods=$(yes 1us | head -n 2000 | tr '\\n' ,)0
  lines=$(seq 0 63)
  sets() { gpioset -t $periods -c 0 1=0; }
  gets() { for i in $(seq 20); do gpioget -c 0 $lines || return 1; done; }
  measure "GPIO: values set by gpioset, at first" 2000 sets
  for i in $(seq 5); do sets >/dev/null || break; done
  measure "GPIO: values set by gpioset" 2000 sets
  measure "GPIO: values got by gpioget" 1280 gets`;

const I2C = `${MEASURE}
  cd /sys/bus/i2c/devices
  echo 24c512 0x50 >i2c-0/new_device
  reads() { dd if=0-0050/eeprom of=/dev/null bs=$1 count=$2 2>/dev/null; }
  for size in 1 16 256; do
    measure "I2C: reads of $size bytes" 200 reads $size 200
  done`;

const SPI = `${MEASURE}
  [ -e /dev/spidev0.0 ] || echo spidev 0 100000000 >/sys/class/spi_master/spi0/new_device
  transfers() { spi-pipe -d /dev/spidev0.0 -b $1 -n $2 </dev/zero; }
  for size in 16 4096; do
    measure "SPI: transfers of $size bytes" 500 transfers $size 500
  done`;

function figures(guest: string, contender: string, output: string): LinuxFigure[] {
  return [...output.matchAll(/^(.*): (\d+) in (\d+) us$/gm)].map(([, what, times, time]) => ({
    guest,
    contender,
    what,
    value: Number(times) / Number(time) * 1e6,
    unit: "1/s",
  }));
}

async function measure(system: System, contender: Contender): Promise<LinuxFigure[]> {
  const all: LinuxFigure[] = [];
  const scripts = { gpio: GPIO, i2c: I2C, spi: SPI } as const;
  for (const workload of WORKLOADS) {
    if (contenders(workload).every(({ name }) => name !== contender.name)) continue;
    const device = workload.name as keyof typeof scripts;
    using folder = new TemporaryFolder();
    const config = folder.file("config.yaml");
    Deno.writeTextFileSync(
      config,
      "adapters: [{ simulated: { parts: [{ part: 24c512, address: 0x50 }] } }]\n",
    );
    const args = { gpio: ["-l", "s64"], i2c: ["--config", config], spi: workload.arguments(1) };
    const work = { ...workload, arguments: () => args[device] };
    const peer = contenders(workload).find(({ name }) => name === contender.name)!;
    await using daemon = await start(work, peer);
    if (daemon === undefined) continue;
    const output = await system.run(scripts[device], daemon.socket(), device);
    for (const [line, what] of output.matchAll(/^(.*): failed$/gm)) {
      if (contender.program === undefined) throw new Error(line);
      console.log(`  (in ${system.name}, with the peer, this fails: ${what})`);
    }
    all.push(...figures(system.name, contender.name, output));
  }
  return all;
}

/** How many edges are timed one by one, and for how long as many come as can. */
const EDGES = 300;
const BURST_TIME = 2000;

/** Counts the lines that a guest prints. */
class Lines {
  #count = 0;
  #ended = false;
  #reached = Promise.withResolvers<void>();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#read();
  }

  get count(): number {
    return this.#count;
  }

  async #read(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      const before = this.#count;
      for (const byte of value) if (byte === 0x0a) this.#count++;
      if (this.#count === before) continue;
      this.#reached.resolve();
      this.#reached = Promise.withResolvers();
    }
    this.#ended = true;
    this.#reached.resolve();
  }

  async until(count: number): Promise<void> {
    while (this.#count < count) {
      if (this.#ended) throw new Error("the guest has ended");
      await this.#reached.promise;
    }
  }
}

/** From a change on the control socket to gpiomon's line: how long, and how many a second. */
async function edges(system: System): Promise<LinuxFigure[]> {
  using folder = new TemporaryFolder();
  const [config, control] = [folder.file("config.yaml"), folder.file("control")];
  Deno.writeTextFileSync(config, "guests: [{ simulated: { lines: [{ name: button }] } }]\n");
  const args = ["--config", config, "--control", control];
  await using daemon = await Daemon.start("vhost-device-gpio", args);
  using client = await ControlClient.connect(control);
  const script = "gpiomon --banner -c 0 -e both -F %e 0";
  const guest = system.start(script, daemon.socket(), "gpio");
  const lines = new Lines(guest.stdout);
  await lines.until(1);
  let level = 0;
  const change = () => client.call("set", { values: { button: level ^= 1 } });
  const samples = new Float64Array(EDGES);
  for (let index = 0; index < EDGES; index++) {
    const [begin, seen] = [performance.now(), lines.count];
    await change();
    await lines.until(seen + 1);
    samples[index] = (performance.now() - begin) * 1000;
  }
  const [begin, seen] = [performance.now(), lines.count];
  while (performance.now() - begin < BURST_TIME) await change();
  const rate = (lines.count - seen) / (performance.now() - begin) * 1000;
  guest.kill("SIGTERM");
  await guest.stderr.cancel();
  await guest.status;
  const figure = (what: string, value: number, unit: LinuxFigure["unit"]) => (
    { guest: system.name, contender: "ours", what: `GPIO: ${what}`, value, unit }
  );
  return [
    figure("edges seen by gpiomon", rate, "1/s"),
    figure("from a change to gpiomon's line, median", percentile(samples, 0.5), "µs"),
    figure("from a change to gpiomon's line, 99 %", percentile(samples, 0.99), "µs"),
  ];
}

/** Measures in both kinds of guest. */
export async function linux(): Promise<LinuxFigure[]> {
  const all: LinuxFigure[] = [];
  for (const system of SYSTEMS) {
    for (const contender of contenders(WORKLOADS[0])) all.push(...await measure(system, contender));
    all.push(...await edges(system));
  }
  table(
    ["", "", ""],
    all.map(({ guest, contender, what, value, unit }) => [
      `${guest}, ${what}`,
      contender,
      unit === "µs" ? microseconds(value) : `${count(value)} a second`,
    ]),
  );
  return all;
}
