/**
 * A property of a thing, as the page knows it.
 *
 * @module
 */

import { History, UNKNOWN } from "./history.js";
import { bytesOf, Memory } from "./memory.js";
import { draw } from "./frames.js";

/** @typedef {import("../../described.ts").DescribedProperty} DescribedProperty */
/** @typedef {import("../../described.ts").DescribedThing} DescribedThing */

/** Types of which it can be drawn how they have changed. */
const DRAWN = ["boolean", "integer", "number"];

export class Property {
  /** What it is; of bytes nothing. @type {any} */
  value;
  /** @type {History | undefined} */
  history;
  /** @type {Memory | undefined} */
  memory;
  /** True while it changes while guests run. */
  hasChanged = false;
  /** @type {(() => void)[]} */
  #views = [];
  /** @type {() => void} */
  #draw = () => this.#views.forEach((view) => view());

  /**
   * @param {import("./daemon.js").Daemon} daemon
   * @param {DescribedThing} thing
   * @param {DescribedProperty} described
   */
  constructor(daemon, thing, described) {
    this.daemon = daemon;
    this.thing = thing;
    this.described = described;
    /** As the daemon calls it. */
    this.name = described.name === "value" ? thing.name : `${thing.name}.${described.name}`;
    if (DRAWN.includes(described.type)) this.history = new History();
    if (described.type === "bytes") this.memory = new Memory();
  }

  /** True if it has two values, which are 0 and 1 or false and true. */
  get isBinary() {
    const { type, from, to } = this.described;
    return type === "boolean" || (type === "integer" && from === 0 && to === 1);
  }

  /** True if it could be set while guests run. */
  get isSettable() {
    const { set } = this.described;
    return set === "running" || set === "both";
  }

  /** True if it can be set as things are. */
  get canBeSet() {
    const { setWhile } = this.described;
    if (!this.isSettable || setWhile === undefined) return this.isSettable;
    const { property, bit, is } = setWhile;
    const value = this.daemon.property(this.thing, property)?.value;
    return (bit === undefined ? value : Number(value) >> bit & 1) === is;
  }

  /** Calls back, once a frame at most, after it has changed. @param {() => void} view */
  show(view) {
    this.#views.push(view);
  }

  /** Something that is seen of it has changed. */
  touch() {
    draw(this.#draw);
  }

  /**
   * It has become that.
   *
   * @param {any} value
   * @param {number} time in milliseconds since 1970
   */
  become(value, time) {
    this.value = value;
    this.history?.add(time, value === undefined ? UNKNOWN : Number(value));
    this.touch();
  }

  /** What it is from now on is not known. @param {number} time */
  lose(time) {
    this.history?.add(time, UNKNOWN);
    if (this.memory !== undefined) this.memory.isStale = true;
    this.touch();
  }

  /**
   * Some of its bytes have changed.
   *
   * @param {{ at: number, length: number, data?: string }} event
   * @param {number} time
   */
  bytesChanged({ at, length, data = "" }, time) {
    this.memory?.change(at, length, bytesOf(data), time);
    this.touch();
  }

  /** @param {unknown} value @returns {Promise<any>} */
  set(value) {
    return this.daemon.call("set", { values: { [this.name]: value } });
  }
}
