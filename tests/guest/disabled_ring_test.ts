/**
 * What a daemon does to a guest's memory after the driver has let go of it. Here disabling a ring is
 * all that a front-end does to stop it, and the driver frees its memory then.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { moduleProgram } from "../support/module_program.ts";
import { isListening } from "../support/process_state.ts";
import type { TapFindings, TapWork } from "../support/tap.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput } from "../support/uml.ts";

/** What a guest is to do, and how to see what is done to it. */
interface Scene extends Pick<TapWork, "queue" | "queues" | "effect"> {
  readonly module: string;
  readonly device: string;
  readonly script: string;
}

/** Runs a guest and has something happen after it has unbound its driver. */
async function play(scene: Scene): Promise<{ findings: TapFindings; output: string }> {
  using folder = new TemporaryFolder();
  const module = new URL(`../support/${scene.module}`, import.meta.url);
  const program = moduleProgram(folder.file("program"), module);
  const fifo = folder.file("fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  await using daemon = await Daemon.start("vhost-device-test", ["--fifo", fifo], { program });

  const tap = new Worker(new URL("../support/tap.ts", import.meta.url), { type: "module" });
  const findings = new Promise<TapFindings>((resolve, reject) => {
    tap.onmessage = ({ data }) => resolve(data);
    tap.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
  const path = folder.file("tap");
  const { queue, queues, effect } = scene;
  const log = daemon.folder.file("log");
  const work: TapWork = { path, backEnd: daemon.socket(), queue, queues, fifo, log, effect };
  tap.postMessage(work);
  while (!isListening(path)) await new Promise((resolve) => setTimeout(resolve, 5));
  const output = await guestOutput(scene.script, { devices: [[path, scene.device]] });
  return { findings: await findings, output };
}

Deno.test("V14 gpiomon waits, the driver is unbound, an edge arrives: nothing is written", async () => {
  const { findings, output } = await play({
    module: "lever_daemon.ts",
    device: "gpio",
    queue: 1,
    queues: 2,
    effect: "the lever is at 1",
    script: `
      cd /sys/bus/virtio/drivers/gpio_virtio 2>/dev/null || cd /sys/bus/virtio/drivers/*gpio*
      device=$(basename $(echo virtio*))
      gpiomon -c 0 lever & monitor=$!
      until gpioinfo -c 0 lever | grep -q consumer; do :; done
      echo $device >unbind
      wait $monitor || :
      echo $device >bind
      gpioget --numeric -c 0 lever`,
  });
  assertEquals([findings.written, findings.called], [false, 0]);
  assertMatch(output, /^1$/m);
});

Deno.test("V14 a driver is unbound while its request is held, which is then answered to nobody", async () => {
  const { findings, output } = await play({
    module: "entropy_on_hold_daemon.ts",
    device: "4",
    queue: 0,
    queues: 1,
    effect: "requests are answered",
    script: `
      cd /sys/bus/virtio/drivers/virtio_rng
      device=$(basename $(echo virtio*))
      echo $device >unbind
      echo $device >bind
      echo bound again`,
  });
  assertEquals(findings, { held: 1, written: false, called: 0 });
  assertMatch(output, /bound again/);
});
