/**
 * A virtio entropy device that keeps requests until there is a byte in a FIFO, and answers all of
 * them then. Run as a program of its own; each thread runs this module, too.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EPOLLIN } from "../../ffi/epoll.ts";
import { clearEventfd } from "../../ffi/eventfd.ts";
import { O_NONBLOCK, O_RDWR, open } from "../../ffi/fd.ts";
import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { runDaemon } from "../../lib/daemon/main.ts";
import type { DescriptorChain } from "../../lib/virtio/descriptor_chain.ts";
import {
  type DeviceHost,
  type EventHandler,
  HELD,
  type VirtioDevice,
} from "../../lib/virtio/device.ts";

class EntropyOnHold implements VirtioDevice, EventHandler {
  readonly id = 4;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map<bigint, string>();
  readonly config = new Uint8Array(0);
  readonly #fifo: number;
  readonly #log: Logger;
  readonly #held: DescriptorChain[] = [];
  #host: DeviceHost | undefined;

  constructor(path: string, log: Logger) {
    this.#fifo = open(path, O_RDWR | O_NONBLOCK);
    this.#log = log;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    host.watch(this.#fifo, EPOLLIN, this);
  }

  setFeatures(): void {}

  process(_queue: number, chain: DescriptorChain): number {
    this.#held.push(chain);
    return HELD;
  }

  onEvents(): void {
    clearEventfd(this.#fifo);
    this.#answer();
    this.#log.info("requests are answered");
  }

  queueStopping(): void {
    this.#answer();
  }

  #answer(): void {
    for (const chain of this.#held.splice(0)) {
      for (let at = 0; at < 8; at++) chain.writeU8(at, 0x5c);
      this.#host?.complete(0, chain, 8);
    }
  }

  reset(): void {}

  close(): void {}
}

const kind: DeviceKind<string> = {
  program: "vhost-device-entropy-on-hold",
  type: "entropy",
  summary: "keeps requests",
  options: [{ name: "fifo", value: "PATH", help: "what they wait for" }],
  configKeys: [],
  examples: [],
  plan: ({ options }) => [{ settings: String(options.fifo), title: "entropy" }],
  create: (path, log) => new EntropyOnHold(path, log),
  list: () => [],
};

await runDaemon(kind, import.meta.url);
