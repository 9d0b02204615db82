/**
 * What the daemons of a scenario simulate: what it is now, and what it was.
 *
 * @module
 */

import { RuntimeError } from "../../errors.ts";
import { ControlClient } from "../../control/client.ts";
import { type ControlEvent, isObject, PROTOCOL_VERSION } from "../../control/protocol.ts";
import type { DescribedDaemon } from "../described.ts";
import { showEvent, showMoment } from "../events.ts";
import {
  findProperty,
  findThing,
  type FoundProperty,
  type FoundThing,
  labelsOf,
  type Named,
  propertyName,
  shownThing,
} from "../names.ts";
import { showValue } from "../values.ts";
import { clock } from "./clock.ts";
import type { Reactor } from "./reactor.ts";

/** How many of the last events are kept for reports. */
const KEPT_EVENTS = 1000;

/** What something is, and from when on, in milliseconds of {@linkcode clock}. */
export interface State {
  readonly value: unknown;
  readonly since: number;
}

/** A daemon. */
export interface WorldDaemon extends Named {
  readonly described: DescribedDaemon;
  readonly client: ControlClient;
  /** By the names that it has for properties. */
  readonly states: Map<string, State>;
}

/** A property of one. */
export type Property = FoundProperty<WorldDaemon>;
/** A thing of one. */
export type Thing = FoundThing<WorldDaemon>;

/** Something that has happened, for people. */
export interface Happening {
  readonly time: number;
  readonly text: string;
}

/** All daemons together. */
export class World {
  readonly #reactor: Reactor;
  readonly #onChange: () => void;
  readonly #onLost: (label: string, why: Error) => void;
  #daemons: WorldDaemon[] = [];
  #events: Happening[] = [];

  /**
   * @param onChange is called after each change
   * @param onLost is called where a daemon does not answer any more
   */
  constructor(
    reactor: Reactor,
    onChange: () => void,
    onLost: (label: string, why: Error) => void,
  ) {
    this.#reactor = reactor;
    this.#onChange = onChange;
    this.#onLost = onLost;
  }

  get daemons(): readonly WorldDaemon[] {
    return this.#daemons;
  }

  /**
   * Connects to a daemon.
   *
   * @throws {RuntimeError} if it cannot be reached
   */
  async add(label: string, path: string): Promise<void> {
    await this.#connect(path, () => label);
  }

  async #connect(path: string, labelOf: (program: string) => string): Promise<void> {
    const client = ControlClient.connect(path);
    const states = new Map<string, State>();
    const held: { daemon?: WorldDaemon } = {};
    this.#reactor.watch(client.fd, () => {
      try {
        client.receive();
      } catch (error) {
        this.#reactor.unwatch(client.fd);
        client.abandon(error as Error);
        if (held.daemon !== undefined) this.#onLost(held.daemon.label, error as Error);
      }
      for (const event of client.events.splice(0)) {
        if (held.daemon !== undefined) this.#see(held.daemon, event);
      }
    });
    const described = await client.ask("describe");
    if (!isObject(described) || described.protocol !== PROTOCOL_VERSION) {
      throw new RuntimeError(
        `the daemon at socket '${path}' speaks another version of the protocol; ` +
          "use the program of its own version",
      );
    }
    const its = described as unknown as DescribedDaemon;
    const daemon = {
      label: labelOf(its.program),
      things: its.things,
      described: its,
      client,
      states,
    };
    held.daemon = daemon;
    await client.ask("subscribe");
    await this.#refresh(daemon);
    this.#daemons.push(daemon);
  }

  /** Connects to a daemon that is known by what it serves. */
  async addNamed(path: string): Promise<void> {
    const label = (program: string) => {
      const [type] = labelsOf([program]);
      const taken = this.#daemons.map(({ label }) => label);
      for (let number = 1;; number++) {
        const name = number === 1 ? type : `${type}${number}`;
        if (!taken.includes(name)) return name;
      }
    };
    await this.#connect(path, label);
  }

  /** Forgets a daemon that is about to end. */
  remove(label: string): void {
    const gone = this.#daemons.filter((daemon) => daemon.label === label);
    this.#daemons = this.#daemons.filter((daemon) => daemon.label !== label);
    for (const { client } of gone) {
      this.#reactor.unwatch(client.fd);
      client.abandon(new RuntimeError(`daemon '${label}' is ended`));
      client[Symbol.dispose]();
    }
  }

  /** @throws {UsageError} if there is none, or more than one */
  property(name: string): Property {
    return findProperty(this.#daemons, name);
  }

  /** @throws {UsageError} if there is none, or more than one */
  thing(name: string): Thing {
    return findThing(this.#daemons, name);
  }

  /** What a property is, as far as has been told. */
  state({ daemon, name }: Property): State {
    return daemon.states.get(name) ?? { value: undefined, since: 0 };
  }

  /** Brings what is known of some properties up to this moment. */
  async update(properties: readonly Property[]): Promise<void> {
    await Promise.all(this.#daemons.map(async (daemon) => {
      const names = properties.filter((it) => it.daemon === daemon).map(({ name }) => name);
      if (names.length > 0) await this.#get(daemon, names);
    }));
  }

  /** What has happened last, the oldest first, from a time on. */
  events(count: number, since: number): readonly Happening[] {
    return this.#events.filter(({ time }) => time >= since).slice(-count);
  }

  close(): void {
    for (const { label } of this.#daemons) this.remove(label);
  }

  async #get(daemon: WorldDaemon, names: readonly string[]): Promise<void> {
    const values = await daemon.client.ask("get", { names });
    for (const [name, value] of Object.entries(values as Record<string, unknown>)) {
      this.#set(daemon, name, value, clock());
    }
  }

  async #refresh(daemon: WorldDaemon): Promise<void> {
    const names = daemon.things.flatMap((thing) =>
      thing.properties.filter(({ type }) => type !== "bytes")
        .map(({ name }) => propertyName(thing, name))
    );
    await this.#get(daemon, names);
  }

  #set({ states }: WorldDaemon, name: string, value: unknown, time: number): void {
    const known = states.get(name);
    if (known !== undefined && JSON.stringify(known.value) === JSON.stringify(value)) return;
    states.set(name, { value, since: time });
    this.#onChange();
  }

  #see(daemon: WorldDaemon, event: ControlEvent): void {
    const time = event.time * 1000;
    this.#events.push({ time, text: this.#shown(daemon, event) });
    if (this.#events.length > 2 * KEPT_EVENTS) this.#events = this.#events.slice(-KEPT_EVENTS);
    if (event.kind === "property" && event.at === undefined) {
      this.#set(daemon, event.name, event.value, time);
    } else if (event.kind === "missed") {
      // Whatever it is that comes of it: then the daemon is lost, which is told.
      this.#refresh(daemon).catch(() => {});
    }
  }

  #shown(daemon: WorldDaemon, event: ControlEvent): string {
    const moment = showMoment(event.time).slice(11, -1);
    const property = event.kind === "property"
      ? daemon.things.flatMap((thing) => thing.properties.map((property) => ({ thing, property })))
        .find(({ thing, property }) => propertyName(thing, property.name) === event.name)
      : undefined;
    if (event.kind !== "property" || property === undefined) {
      const whose = this.#daemons.length <= 1 ? "" : `${daemon.label}: `;
      return `${moment} ${whose}${showEvent(event, "", "")}`;
    }
    const { thing } = property;
    const name = shownThing(this.#daemons, { daemon, thing }) + event.name.slice(thing.name.length);
    return `${moment} ${showEvent(event, name, showValue(property.property, event.value))}`;
  }
}
