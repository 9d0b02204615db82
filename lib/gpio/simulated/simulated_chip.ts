/**
 * Simulated GPIO lines: levels in memory, and wires that lead from outputs to inputs.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { Poller } from "../../virtio/device.ts";
import type { EdgeListener, GpioBackend } from "../backend.ts";
import {
  DIRECTION_IN,
  DIRECTION_NONE,
  DIRECTION_OUT,
  IRQ_EDGE_FALLING,
  IRQ_EDGE_RISING,
} from "../protocol.ts";
import { LineLog } from "./line_log.ts";

/** A line as it is before the guest touches it. */
export interface SimulatedLine {
  /** Empty for none. */
  readonly name: string;
  /** As in the protocol. */
  readonly direction: number;
  /** What an output drives, or the level that an input has where no wire drives it. */
  readonly value: number;
}

/** A wire between two lines, by number. */
export interface Wire {
  readonly from: number;
  readonly to: number;
}

/** A simulated chip for one guest. */
export interface SimulatedSettings {
  readonly kind: "simulated";
  readonly lines: readonly SimulatedLine[];
  readonly wires: readonly Wire[];
}

/** Lines as the reference simulates them: `dummy0`, `dummy1`, … */
export function plainLines(count: number): SimulatedLine[] {
  return Array.from(
    { length: count },
    (_, line) => ({ name: `dummy${line}`, direction: DIRECTION_NONE, value: 0 }),
  );
}

const NO_WIRE = -1;

/**
 * Lines of a simulated chip. An input has the level of the output that is wired to it while that
 * is one, and otherwise the level it was configured with.
 */
export class SimulatedChip implements GpioBackend {
  readonly lineCount: number;
  readonly names: readonly string[];

  readonly #lines: readonly SimulatedLine[];
  readonly #log: Logger;
  /** By line, made when there is first something to say. */
  readonly #lineLogs: (LineLog | undefined)[] = [];
  readonly #direction: Uint8Array;
  readonly #driven: Uint8Array;
  /** The last level seen, by which edges are told. */
  readonly #level: Uint8Array;
  readonly #edges: Uint8Array;
  readonly #source: Int32Array;
  readonly #targets: readonly number[][];
  #listener: EdgeListener | undefined;

  /** @param wires with at most one to each line */
  constructor(lines: readonly SimulatedLine[], wires: readonly Wire[], log: Logger) {
    const count = lines.length;
    this.lineCount = count;
    this.names = lines.map(({ name }) => name);
    this.#lines = lines;
    this.#log = log;
    this.#direction = new Uint8Array(count);
    this.#driven = new Uint8Array(count);
    this.#level = new Uint8Array(count);
    this.#edges = new Uint8Array(count);
    this.#source = new Int32Array(count).fill(NO_WIRE);
    const targets: number[][] = lines.map(() => []);
    for (const { from, to } of wires) {
      this.#source[to] = from;
      targets[from].push(to);
    }
    this.#targets = targets;
    this.release();
  }

  attach(_poller: Poller, listener: EdgeListener): void {
    this.#listener = listener;
  }

  direction(line: number): number {
    return this.#direction[line];
  }

  setDirection(line: number, direction: number, value: number): boolean {
    if (this.#direction[line] !== direction) this.#logOf(line).direction(direction);
    const driven = direction === DIRECTION_OUT ? value : 0;
    if (direction === DIRECTION_OUT && this.#level[line] !== driven) {
      this.#logOf(line).value(driven);
    }
    this.#direction[line] = direction;
    this.#driven[line] = driven;
    if (direction === DIRECTION_NONE) this.#edges[line] = 0;
    this.#settle(line);
    return true;
  }

  value(line: number): number {
    return this.#level[line];
  }

  setValue(line: number, value: number): boolean {
    if (this.#driven[line] === value) return true;
    this.#logOf(line).value(value);
    this.#driven[line] = value;
    this.#settle(line);
    return true;
  }

  setEdges(line: number, edges: number): boolean {
    if (edges !== 0 && this.#direction[line] !== DIRECTION_IN) return false;
    this.#edges[line] = edges;
    return true;
  }

  release(): void {
    this.#edges.fill(0);
    this.#lines.forEach(({ direction, value }, line) => {
      this.#direction[line] = direction;
      this.#driven[line] = direction === DIRECTION_OUT ? value : 0;
    });
    for (let line = 0; line < this.lineCount; line++) this.#level[line] = this.#sense(line);
  }

  close(): void {}

  /** The level that a line has as things are. */
  #sense(line: number): number {
    if (this.#direction[line] === DIRECTION_OUT) return this.#driven[line];
    const source = this.#source[line];
    if (source !== NO_WIRE && this.#direction[source] === DIRECTION_OUT) {
      return this.#driven[source];
    }
    return this.#lines[line].value;
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
    const edge = level === 1 ? IRQ_EDGE_RISING : IRQ_EDGE_FALLING;
    if (this.#edges[line] & edge) this.#listener?.onEdge(line, level === 1);
  }

  #logOf(line: number): LineLog {
    return this.#lineLogs[line] ??= new LineLog(this.#log, line, this.#lines[line].name);
  }
}
