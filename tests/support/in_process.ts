/**
 * A back-end on the test's own thread: session, event loop and device, moved on whenever the
 * front-end would wait for them. Nothing depends on timing.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { EventLoop } from "../../lib/daemon/event_loop.ts";
import type { XenNodes } from "../../ffi/xen.ts";
import { Session } from "../../lib/vhost_user/session.ts";
import type { VirtioDevice } from "../../lib/virtio/device.ts";
import { socketPair } from "./kernel_objects.ts";
import { EchoDevice } from "./echo_device.ts";
import { FrontEnd } from "./front_end.ts";

/** More rounds than any test needs to come to rest. */
const MANY_TURNS = 100_000;

/** Lines of a log, for tests to look at. */
export class RecordingLog {
  readonly lines: { level: string; text: string }[] = [];

  /** The lines of a level. */
  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }

  get logger(): Logger {
    const record = (level: string) => (text: string) => {
      if (level !== "trace" && level !== "debug") this.lines.push({ level, text });
    };
    const levels = ["trace", "debug", "info", "warn", "warning", "error", "fatal"];
    return Object.fromEntries(levels.map((level) => [level, record(level)])) as unknown as Logger;
  }
}

/** A back-end that serves one front-end at a time. */
export class InProcess<Device extends VirtioDevice = EchoDevice> implements Disposable {
  readonly log = new RecordingLog();
  readonly loop: EventLoop;
  readonly session: Session;
  /** What handlers have thrown; {@linkcode Symbol.dispose} fails if there is anything. */
  readonly errors: unknown[] = [];

  /** @param xen stands in for what a host of Xen has; by default there is what this machine has */
  constructor(readonly device: Device, xen?: XenNodes) {
    this.loop = new EventLoop((error) => this.errors.push(error));
    this.session = new Session(device, this.loop, this.log.logger, {}, xen);
  }

  /** With the device that echoes. */
  static echo(requiredFeatures = 0n): InProcess<EchoDevice> {
    return new InProcess(new EchoDevice(requiredFeatures));
  }

  /** Lets the back-end work until it has nothing left to do. */
  settle(): void {
    for (let turn = 0; turn < MANY_TURNS; turn++) {
      if (this.loop.turn(0) === 0) return;
    }
    throw new Error("the event loop does not come to rest");
  }

  /** Connects a front-end to the session. */
  connect(): FrontEnd {
    const [here, there] = socketPair();
    this.session.begin(there, () => {});
    return new FrontEnd(here, () => this.settle());
  }

  [Symbol.dispose](): void {
    this.session.end("the test is over");
    this.loop.close();
    this.device.close();
    if (this.errors.length > 0) throw new AggregateError(this.errors, "handlers have thrown");
  }
}
