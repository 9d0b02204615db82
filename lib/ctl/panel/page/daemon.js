/**
 * A daemon and all that it has, as the page knows it.
 *
 * @module
 */

import { Connection } from "./connection.js";
import { Property } from "./property.js";

/** @typedef {import("../../described.ts").DescribedDaemon} DescribedDaemon */
/** @typedef {import("../../described.ts").DescribedThing} DescribedThing */
/** @typedef {import("./connection.js").State} State */

/**
 * @typedef {object} DaemonView
 * @property {() => void} onDescribed it has other things than before
 * @property {() => void} onState of itself, or of a guest
 * @property {(transaction: any) => void} onTransaction
 * @property {(event: any) => void} onGuest
 * @property {(count: number) => void} onMissed
 */

/** An answer that takes so long has waited for a part, in milliseconds. */
const BUSY = 300;

export class Daemon {
  /** @type {State} */
  state = "connecting";
  /** @type {DescribedDaemon | undefined} */
  described;
  /** What stands in front of its names. */
  label = "";
  /** By name. @type {Map<string, Property>} */
  properties = new Map();
  /** By how much the page's clock is ahead of the daemon's, in milliseconds. */
  #ahead = Infinity;
  /**
   * Names that were told of and not known; each is asked for once.
   *
   * @type {Set<string>}
   */
  #met = new Set();
  /** Until then a part is busy, as `performance.now()` has it. */
  #patientUntil = 0;
  /** Events are about what is known. */
  #isKnown = false;
  #connection;
  /** @type {DaemonView} */
  #view;

  /**
   * @param {URL} address
   * @param {string} path of its control socket
   * @param {DaemonView} view
   */
  constructor(address, path, view) {
    this.path = path;
    this.#view = view;
    this.#connection = new Connection(address, {
      onOpen: () => this.#begin(),
      onState: (state) => this.#become(state),
      onEvent: (event) => this.#event(event),
      onBeat: () => this.#look(),
    });
  }

  /** The daemon's time, in milliseconds since 1970. */
  now() {
    return Date.now() - (this.#ahead === Infinity ? 0 : this.#ahead);
  }

  /**
   * @param {string} method
   * @param {object} params
   */
  call(method, params) {
    return this.#connection.call(method, params);
  }

  /**
   * @param {DescribedThing} thing
   * @param {string} name
   */
  property(thing, name) {
    return this.properties.get(name === "value" ? thing.name : `${thing.name}.${name}`);
  }

  /** Asks for all values anew. */
  async refresh() {
    const known = [...this.properties.values()];
    for (const { memory } of known) if (memory !== undefined) memory.isStale = true;
    const shown = known.filter(({ memory }) => memory === undefined);
    const values = await this.#get(shown.map(({ name }) => name));
    const now = this.now();
    for (const property of known) {
      if (property.memory !== undefined) property.touch();
      else if (property.name in values) property.become(values[property.name], now);
    }
  }

  /** What changes by itself, such as a clock, is told by nobody. */
  async #look() {
    const live = [...this.properties.values()].filter(({ described, memory }) =>
      memory === undefined && (described.set === "never" || described.type === "time") &&
      described.name !== "value"
    );
    // A part that is busy is waited for by the daemon: it is not asked again so soon.
    const isPatient = performance.now() < this.#patientUntil;
    const begin = performance.now();
    const names = isPatient ? [] : live.map(({ name }) => name);
    try {
      const values = await this.call("get", { names });
      for (const property of live) {
        const value = values[property.name];
        if (value === undefined) continue;
        if (JSON.stringify(value) !== JSON.stringify(property.value)) {
          property.become(value, this.now());
        }
      }
    } finally {
      const taken = performance.now() - begin;
      if (taken > BUSY) this.#patientUntil = performance.now() + 10 * taken;
    }
  }

  /**
   * @param {string[]} names
   * @returns {Promise<Record<string, unknown>>}
   */
  async #get(names) {
    try {
      return await this.call("get", { names });
    } catch {
      // One that cannot be told keeps none of the others back.
      const all = await Promise.all(
        names.map((name) => this.call("get", { names: [name] }).catch(() => ({}))),
      );
      return Object.assign({}, ...all);
    }
  }

  async #begin() {
    this.#isKnown = false;
    try {
      // Events come first, so that nothing happens between what is told and what is asked for.
      await this.call("subscribe", { transactions: true });
      const described = await this.call("describe", {});
      this.#describe(described);
      this.#isKnown = true;
      await this.refresh();
      this.#become("open");
    } catch {
      // The connection has ended, and comes back.
    }
  }

  /** @param {DescribedDaemon} described */
  #describe(described) {
    const before = JSON.stringify(this.described?.things);
    this.described = described;
    if (JSON.stringify(described.things) === before) return;
    this.properties = new Map(
      described.things.flatMap((thing) =>
        thing.properties.map((property) => {
          const known = new Property(this, thing, property);
          return [known.name, known];
        })
      ),
    );
    this.#view.onDescribed();
  }

  /**
   * A part that a program serves has come to have properties.
   *
   * @param {string} name of one
   */
  #meet(name) {
    if (this.#met.has(name)) return;
    this.#met.add(name);
    this.#begin();
  }

  /** @param {State} state */
  #become(state) {
    const wasOpen = this.state === "open";
    this.state = state;
    if (wasOpen && state !== "open") {
      this.#isKnown = false;
      const now = this.now();
      for (const property of this.properties.values()) property.lose(now);
    }
    this.#view.onState();
  }

  /** @param {any} event */
  #event(event) {
    const time = event.time * 1000;
    this.#ahead = Math.min(this.#ahead, Date.now() - time);
    // What was before it is known how things are is of no use.
    if (!this.#isKnown) return;
    switch (event.kind) {
      case "property": {
        const property = this.properties.get(event.name);
        if (property === undefined) return this.#meet(event.name);
        property.hasChanged = true;
        if (event.at !== undefined) property.bytesChanged(event, time);
        else property.become(event.value, time);
        return;
      }
      case "guest": {
        const guest = /** @type {any} */ (this.described?.guests[event.guest]);
        if (guest !== undefined) guest.state = event.state;
        this.#view.onGuest(event);
        this.#view.onState();
        return;
      }
      case "transaction":
        return this.#view.onTransaction(event);
      case "missed":
        for (const property of this.properties.values()) property.lose(time);
        this.#view.onMissed(event.count);
        this.refresh().catch(() => {});
        return;
    }
  }
}
