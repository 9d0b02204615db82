/**
 * A daemon with devices that fail, each in its own way, or log what is hard to log. Run as a program
 * of its own; each thread runs this module, too.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { runDaemon } from "../../lib/daemon/main.ts";
import { RuntimeError } from "../../lib/errors.ts";
import type { DescriptorChain } from "../../lib/virtio/descriptor_chain.ts";
import { EchoDevice } from "./echo_device.ts";

/** Throws at its first request. */
class ThrowsOnce extends EchoDevice {
  override process(queue: number, chain: DescriptorChain): number {
    if (this.requests++ === 0) throw new TypeError("process is {fragile}\nat times");
    return super.process(queue, chain);
  }
}

/** Cannot go on, for a reason that is not ours. */
class Fails extends EchoDevice {
  override process(): number {
    throw new RuntimeError("the device is gone; plug it in again");
  }
}

/** Fails to be put back to its start after it was used. */
class FailsToReset extends EchoDevice {
  override reset(): void {
    if (this.requests === 0) return;
    this.requests = 0;
    throw new TypeError("reset is fragile");
  }
}

/** Throws what cannot even be told, which ends the thread. */
class Dies extends EchoDevice {
  constructor(readonly log: Logger) {
    super();
  }

  override close(): void {
    this.log.info("the device is closed");
  }

  override process(): number {
    throw Object.defineProperty(new TypeError(), "message", {
      get: () => {
        throw new TypeError("everything is fragile");
      },
    });
  }
}

/** Has something to do at the end, and takes its time for it, in milliseconds. */
class TakesItsTime extends EchoDevice {
  readonly duty = "what takes time";

  constructor(readonly log: Logger, readonly milliseconds: number) {
    super();
  }

  override close(): void {
    sleep(this.milliseconds);
    this.log.info("the device is closed");
  }
}

/** Takes its time for an end at which there is nothing to do. */
class Lingers extends EchoDevice {
  override close(): void {
    sleep(500);
  }
}

/** Sleeps through its first request, the stop signal and all. */
class Sleeps extends EchoDevice {
  override process(): number {
    sleep(60_000);
    return 0;
  }
}

/** Blocks the thread, as a system call does. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const fragile: DeviceKind<string> = {
  program: "vhost-device-fragile",
  type: "fragile",
  summary: "fails",
  options: [{ name: "devices", short: "l", value: "KIND[,KIND]...", help: "one per guest" }],
  configKeys: [],
  examples: [],
  plan: ({ options }) =>
    String(options.devices).split(",").map((kind) => ({ settings: kind, title: `a{b} ${kind}` })),
  create(kind, log) {
    switch (kind) {
      case "missed":
        // The others are there by then.
        sleep(1000);
        throw new RuntimeError("the device is missed; plug it in");
      case "absent":
        throw new RuntimeError("the device is absent; plug it in");
      case "broken":
        throw new TypeError("create is fragile");
      case "throws":
        return new ThrowsOnce();
      case "fails":
        return new Fails();
      case "resets":
        return new FailsToReset();
      case "dies":
        return new Dies(log);
      case "late":
        sleep(2000);
        break;
      case "lingers":
        return new Lingers();
      case "sleeps":
        return new Sleeps();
      case "slow":
        return new TakesItsTime(log, 500);
      case "stuck":
        return new TakesItsTime(log, 60_000);
      case "verbose":
        log.info("{a} {{b}} {*} {", { reason: "{c}", level: "none", size: 5n });
        log.warn("one\ntwo\r\x1b[31mred\u009b1m\u2028\u202e");
        log.debug("debug");
    }
    return new EchoDevice();
  },
  list: () => [],
};

await runDaemon(fragile, import.meta.url);
