/**
 * The daemons that are controlled together.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../ffi/epoll.ts";
import { RuntimeError } from "../errors.ts";
import { ControlClient } from "../control/client.ts";
import { type ControlEvent, isObject, PROTOCOL_VERSION } from "../control/protocol.ts";
import type { DescribedDaemon, DescribedThing } from "./described.ts";
import {
  findProperty,
  findThing,
  type FoundProperty,
  type FoundThing,
  isThing,
  labelsOf,
  type Named,
  shownThing,
} from "./names.ts";
import { LONGEST_TIMER } from "./quantities.ts";

/** One daemon. */
export interface ControlledDaemon extends Named {
  readonly path: string;
  readonly client: ControlClient;
  readonly described: DescribedDaemon;
  readonly things: readonly DescribedThing[];
}

/** An event, and whose it is. */
export interface DaemonEvent {
  readonly daemon: ControlledDaemon;
  readonly event: ControlEvent;
}

/** A thing of a daemon. */
export type Thing = FoundThing<ControlledDaemon>;
/** A property of one. */
export type Property = FoundProperty<ControlledDaemon>;

function describe(path: string, client: ControlClient): DescribedDaemon {
  const described = client.call("describe");
  if (!isObject(described) || described.protocol !== PROTOCOL_VERSION) {
    throw new RuntimeError(
      `the daemon at socket '${path}' speaks another version of the protocol; ` +
        "use the program of its own version",
    );
  }
  return described as unknown as DescribedDaemon;
}

/** Daemons, with the names of all that they have. */
export class Daemons implements Disposable {
  readonly all: readonly ControlledDaemon[];
  #epoll: Epoll | undefined;

  /** @throws {RuntimeError} if one of them cannot be reached */
  constructor(paths: readonly string[]) {
    const connected = paths.map((path) => {
      const client = ControlClient.connect(path);
      return { path, client, described: describe(path, client) };
    });
    const labels = labelsOf(connected.map(({ described }) => described.program));
    this.all = connected.map((daemon, index) => ({
      ...daemon,
      label: labels[index],
      things: daemon.described.things,
    }));
  }

  /** True if it is the name of things. */
  hasThing(name: string): boolean {
    return isThing(this.all, name);
  }

  /** @throws {UsageError} if there is none, or more than one */
  thing(name: string): Thing {
    return findThing(this.all, name);
  }

  /** @throws {UsageError} if there is none, or more than one */
  property(name: string): Property {
    return findProperty(this.all, name);
  }

  /** By which a thing is shown. */
  shown(thing: Thing): string {
    return shownThing(this.all, thing);
  }

  /** What properties are now, in the same order. */
  get(properties: readonly Property[]): unknown[] {
    const values = new Map(this.all.map((daemon) => {
      const names = properties.filter((it) => it.daemon === daemon).map(({ name }) => name);
      const result = names.length === 0 ? {} : daemon.client.call("get", { names });
      return [daemon, result as Readonly<Record<string, unknown>>];
    }));
    return properties.map(({ daemon, name }) => values.get(daemon)![name]);
  }

  /**
   * The events that have come, or those that come next.
   *
   * @param timeout how long to wait for them at most, in milliseconds; forever if it is left out
   */
  events(timeout?: number): DaemonEvent[] {
    const taken = this.#take();
    if (taken.length > 0) return taken;
    this.#epoll ??= this.#watchAll();
    const limit = timeout === undefined
      ? -1
      : Math.min(Math.max(0, Math.ceil(timeout)), LONGEST_TIMER);
    const count = this.#epoll.wait(limit);
    for (let index = 0; index < count; index++) {
      this.all[this.#epoll.token(index)].client.receive();
    }
    return this.#take();
  }

  [Symbol.dispose](): void {
    this.#epoll?.close();
    for (const { client } of this.all) client[Symbol.dispose]();
  }

  #watchAll(): Epoll {
    const epoll = new Epoll();
    this.all.forEach(({ client }, index) => epoll.add(client.fd, EPOLLIN, index));
    return epoll;
  }

  #take(): DaemonEvent[] {
    return this.all.flatMap((daemon) =>
      daemon.client.events.splice(0).map((event) => ({ daemon, event }))
    );
  }
}
