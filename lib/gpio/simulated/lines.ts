/**
 * The lines of a simulated chip, as the guest's thread and whoever controls them share them.
 *
 * An input has the level of the output that is wired to it while that is one, and otherwise the
 * level that it was given from outside.
 *
 * @module
 */

import { signalEventfd } from "../../../ffi/eventfd.ts";
import { Changes } from "../../simulation/changes.ts";
import { PropertyError } from "../../simulation/check_value.ts";
import type { Simulation, ThingSettings } from "../../simulation/simulation.ts";
import { Lock } from "../../threads/lock.ts";
import { DIRECTION_NONE, DIRECTION_OUT, IRQ_EDGE_FALLING, IRQ_EDGE_RISING } from "../protocol.ts";
import { DIRECTIONS, lineProperties, type SimulatedLine, type SimulatedSettings } from "./line.ts";

// i32 words: the lock, the eventfd of the guest's thread plus one, and how many lines have edges
// that it has not been told of. Then the numbers of those, u16, and by line, u8 each:
const WAKER = 1;
const PENDING = 2;
/** Where in the queue they begin. */
const HEAD = 3;
const QUEUE_AT = 16;
const ARRAYS = 6;

const NO_WIRE = -1;

/** In what {@linkcode Lines.takeEdges} returns: the first of a line's edges was a rising one. */
export const FIRST_ROSE = 4;
/** Likewise: the line's level is 1. */
export const IS_HIGH = 8;
/** Among what a line has pending: it is in the queue. */
const QUEUED = 8;

const places = Object.keys(lineProperties);
const DIRECTION_PLACE = places.indexOf("direction");
const VALUE_PLACE = places.indexOf("value");
const INTERRUPT_PLACE = places.indexOf("interrupt");
const DRIVEN_BY_PLACE = places.indexOf("driven-by");
const [BY_OUTSIDE, BY_GUEST, BY_WIRE] = (["outside", "guest", "wire"] as const)
  .map((choice) => lineProperties["driven-by"].choices.indexOf(choice));
/** By direction, the place of the property's choice for it. */
const CHOICE_OF = lineProperties.direction.choices.reduce(
  (found, choice, place) => found.fill(place, DIRECTIONS[choice], DIRECTIONS[choice] + 1),
  new Uint8Array(3),
);

/** A chip when the power is on; its first line has the number `thing`. */
export interface PoweredChip extends SimulatedSettings, ThingSettings {
  readonly memory: SharedArrayBuffer;
}

/** Makes a chip as it is when the power comes on; for the main thread. */
export function powerUp(simulation: Simulation, settings: SimulatedSettings): PoweredChip {
  const count = settings.lines.length;
  const queueSize = Math.ceil(count / 2) * 4;
  const memory = new SharedArrayBuffer(QUEUE_AT + queueSize + ARRAYS * count);
  const chip = { ...settings, memory, ...simulation.things(count) };
  const lines = new Lines(chip);
  lines.powerUp();
  return chip;
}

/** The lines as one thread has them. */
export class Lines {
  readonly lock: Lock;

  readonly #lines: readonly SimulatedLine[];
  readonly #first: number;
  readonly #changes: Changes;
  readonly #words: Int32Array;
  /** Lines with edges that the guest's thread has not been told of, in order. */
  readonly #queue: Uint16Array;
  readonly #direction: Uint8Array;
  readonly #driven: Uint8Array;
  readonly #level: Uint8Array;
  readonly #edges: Uint8Array;
  /** The level from outside. */
  readonly #outside: Uint8Array;
  /** Those edges, as a mask, with {@linkcode FIRST_ROSE} and QUEUED. */
  readonly #pending: Uint8Array;
  readonly #source: Int32Array;
  readonly #targets: readonly number[][];

  constructor({ lines, wires, memory, thing, changes }: PoweredChip) {
    const count = lines.length;
    const arrays = memory.byteLength - ARRAYS * count;
    const array = (index: number) => new Uint8Array(memory, arrays + index * count, count);
    this.lock = new Lock(memory);
    this.#lines = lines;
    this.#first = thing;
    this.#changes = new Changes(changes);
    this.#words = new Int32Array(memory, 0, QUEUE_AT / 4);
    this.#queue = new Uint16Array(memory, QUEUE_AT, count);
    this.#direction = array(0);
    this.#driven = array(1);
    this.#level = array(2);
    this.#edges = array(3);
    this.#outside = array(4);
    this.#pending = array(5);
    this.#source = new Int32Array(count).fill(NO_WIRE);
    const targets: number[][] = lines.map(() => []);
    for (const { from, to } of wires) {
      this.#source[to] = from;
      targets[from].push(to);
    }
    this.#targets = targets;
  }

  /** Gives the lines the levels that they have at the very start. */
  powerUp(): void {
    this.#lines.forEach(({ value }, line) => this.#outside[line] = value);
    this.release();
  }

  /** As in the protocol. */
  direction(line: number): number {
    return this.#direction[line];
  }

  /** The level of a line. */
  level(line: number): number {
    return this.#level[line];
  }

  /** What a line drives, or would if it were an output. */
  driven(line: number): number {
    return this.#driven[line];
  }

  /** What gives a line its level: the place of the property's choice for it. */
  drivenBy(line: number): number {
    if (this.#direction[line] === DIRECTION_OUT) return BY_GUEST;
    return this.#drivingSource(line) === NO_WIRE ? BY_OUTSIDE : BY_WIRE;
  }

  /** The edges that the guest waits for, as a mask. */
  edges(line: number): number {
    return this.#edges[line];
  }

  /** The guest sets a line's direction, and what it drives as an output. */
  setDirection(line: number, direction: number, value: number): void {
    this.lock.acquire();
    this.#turn(line, direction);
    this.#driven[line] = direction === DIRECTION_OUT ? value : 0;
    if (direction === DIRECTION_NONE) this.#setEdges(line, 0);
    this.#settle(line);
    this.lock.release();
  }

  /** The guest sets what a line drives. */
  setDriven(line: number, value: number): void {
    this.lock.acquire();
    this.#driven[line] = value;
    this.#settle(line);
    this.lock.release();
  }

  /** The guest waits for these edges. */
  setEdges(line: number, edges: number): void {
    this.lock.acquire();
    this.#setEdges(line, edges);
    this.lock.release();
  }

  /**
   * Somebody outside gives a line a level; with the lock held.
   *
   * @throws {PropertyError} if something else drives it
   */
  setOutside(line: number, value: number): void {
    if (this.#direction[line] === DIRECTION_OUT) {
      throw new PropertyError("the guest drives it, it is an output");
    }
    const source = this.#drivingSource(line);
    if (source !== NO_WIRE) {
      throw new PropertyError(`it is wired to ${this.title(source)}, which drives it`);
    }
    this.#outside[line] = value;
    this.#update(line);
    if (this.#words[PENDING] > 0 && this.#words[WAKER] > 0) signalEventfd(this.#words[WAKER] - 1);
  }

  /** The guest has gone: its lines are what they were before it came. */
  release(): void {
    this.lock.acquire();
    this.#lines.forEach(({ direction, value }, line) => {
      this.#turn(line, direction);
      this.#driven[line] = direction === DIRECTION_OUT ? value : 0;
      this.#setEdges(line, 0);
    });
    for (let line = 0; line < this.#lines.length; line++) this.#update(line);
    this.#pending.fill(0);
    this.#words[PENDING] = 0;
    this.lock.release();
  }

  /**
   * The guest's thread wants to be woken at this eventfd when others have changed something that
   * it waits for.
   *
   * @param eventfd -1 if not any more
   */
  wakeAt(eventfd: number): void {
    this.lock.acquire();
    this.#words[WAKER] = eventfd + 1;
    this.lock.release();
  }

  /** For how many lines there may be edges for {@linkcode takeEdges}. */
  get pendingCount(): number {
    return this.#words[PENDING];
  }

  /**
   * Takes the edges of the line that has waited longest: its number times 16, plus
   * {@linkcode IS_HIGH} and {@linkcode FIRST_ROSE} where that is so, plus a mask of them. A line that
   * was quick may have both, the last of which has led to its level.
   *
   * @returns -1 if there are none, for that line
   */
  takeEdges(): number {
    this.lock.acquire();
    const count = this.#words[PENDING];
    let taken = -1;
    if (count > 0) {
      const head = this.#words[HEAD];
      const line = this.#queue[head];
      this.#words[HEAD] = (head + 1) % this.#queue.length;
      this.#words[PENDING] = count - 1;
      const edges = this.#pending[line] - QUEUED;
      if (edges !== 0) taken = 16 * line + IS_HIGH * this.#level[line] + edges;
      this.#pending[line] = 0;
    }
    this.lock.release();
    return taken;
  }

  /** A line for people. */
  title(line: number): string {
    const { name } = this.#lines[line];
    return name === "" ? `line ${line}` : `line ${line} "${name}"`;
  }

  /** The line that is wired to this one and drives it, or NO_WIRE. */
  #drivingSource(line: number): number {
    const source = this.#source[line];
    if (source === NO_WIRE || this.#direction[source] !== DIRECTION_OUT) return NO_WIRE;
    return source;
  }

  /** The level that a line has as things are. */
  #sense(line: number): number {
    if (this.#direction[line] === DIRECTION_OUT) return this.#driven[line];
    const source = this.#drivingSource(line);
    return source === NO_WIRE ? this.#outside[line] : this.#driven[source];
  }

  #turn(line: number, direction: number): void {
    const before = this.#direction[line];
    if (before === direction) return;
    this.#direction[line] = direction;
    this.#tell(line, DIRECTION_PLACE, CHOICE_OF[direction]);
    if (before !== DIRECTION_OUT && direction !== DIRECTION_OUT) return;
    this.#tell(line, DRIVEN_BY_PLACE, this.drivenBy(line));
    for (const target of this.#targets[line]) {
      this.#tell(target, DRIVEN_BY_PLACE, this.drivenBy(target));
    }
  }

  /** Passes a change of a line on to itself and to the lines it is wired to. */
  #settle(line: number): void {
    this.#update(line);
    const targets = this.#targets[line];
    for (let index = 0; index < targets.length; index++) this.#update(targets[index]);
  }

  #update(line: number): void {
    const level = this.#sense(line);
    if (level === this.#level[line]) return;
    this.#level[line] = level;
    this.#tell(line, VALUE_PLACE, level);
    const edge = this.#edges[line] & (level === 1 ? IRQ_EDGE_RISING : IRQ_EDGE_FALLING);
    if (edge === 0) return;
    const pending = this.#pending[line];
    if (pending === 0) {
      const count = this.#words[PENDING]++;
      this.#queue[(this.#words[HEAD] + count) % this.#queue.length] = line;
    }
    const isFirst = (pending & ~QUEUED) === 0;
    this.#pending[line] = pending | QUEUED | edge | (isFirst && level === 1 ? FIRST_ROSE : 0);
  }

  #setEdges(line: number, edges: number): void {
    // What the guest is no longer asking for, or asks for anew, is not told of any more.
    this.#pending[line] &= QUEUED;
    if (this.#edges[line] === edges) return;
    this.#edges[line] = edges;
    this.#tell(line, INTERRUPT_PLACE, edges);
  }

  #tell(line: number, place: number, value: number): void {
    this.#changes.tell(this.#first + line, place, value, 0, 0);
  }
}
