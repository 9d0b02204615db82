/**
 * `replay`: the changes of a trace, as they were in time, onto what is simulated.
 *
 * @module
 */

import { Vcd, VcdError } from "../../../trace/vcd_reader.ts";
import { SystemError } from "../../../../ffi/errno.ts";
import { readFile } from "../../../../ffi/file.ts";
import { UsageError } from "../../../errors.ts";
import type { ConfigNode } from "../../../input/config_node.ts";
import { clock } from "../clock.ts";
import { locate } from "../conditions.ts";
import type { Stage } from "../stage.ts";
import type { StepKind } from "../step.ts";
import type { Property, World } from "../world.ts";

/** More than any replay needs, and less than a device file without end. */
const MAX_SIZE = 64 * 2 ** 20;
/** A timer may be so late, in milliseconds; what is left of a pause is spent looking at the clock. */
const LATE = 2;

/** A wire of the trace, and the property that follows it. */
interface Lane {
  /** Among the wires. */
  readonly wire: number;
  /** Of the property. */
  readonly name: string;
  readonly node: ConfigNode;
  /** True if it is left out where there is no such property. */
  readonly mayMiss: boolean;
}

/** What happens at one moment. */
interface Moment {
  /** In milliseconds from the beginning on. */
  readonly time: number;
  readonly changes: readonly { readonly lane: Lane; readonly value: number }[];
}

function load(node: ConfigNode, path: string): Vcd {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = readFile(path, MAX_SIZE);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return node.fail(`'${path}' cannot be read: ${error.message}`);
  }
  if (bytes === undefined) return node.fail(`'${path}' has more than ${MAX_SIZE} bytes`);
  try {
    return Vcd.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof VcdError) return node.fail(`'${path}': ${error.message}`);
    throw error;
  }
}

/** What is said of wires, or else that each goes to what has its name. */
function lanesOf({ wires }: Vcd, file: ConfigNode, as: ConfigNode | undefined): Lane[] {
  if (as === undefined) {
    return wires.map(({ name }, wire) => ({ wire, name, node: file, mayMiss: true }));
  }
  const names = wires.map(({ name, scopes }) => [name, [...scopes, name].join(".")]);
  return as.entries("a mapping from wires to names of properties").map(({ key, value }) => {
    const written = key.word("the name of a wire");
    const wire = names.findIndex((all) => all.includes(written));
    if (wire < 0) {
      const all = wires.map(({ name }) => name).join(", ");
      key.fail(`there is no wire '${written}'; there are ${all}`);
    }
    return { wire, name: value.word("a name"), node: value, mayMiss: false };
  });
}

/** The changes of these lanes: where a wire is neither 0 nor 1, nothing changes. */
function momentsOf({ changes }: Vcd, lanes: readonly Lane[], speed: number): Moment[] {
  const moments: { time: number; changes: { lane: Lane; value: number }[] }[] = [];
  for (const { time, wire, value } of changes) {
    if (!/^[01]+$/.test(value)) continue;
    const milliseconds = time / 1e6 / speed;
    for (const lane of lanes) {
      if (lane.wire !== wire) continue;
      const last = moments.at(-1);
      const change = { lane, value: parseInt(value, 2) };
      if (last !== undefined && last.time === milliseconds) last.changes.push(change);
      else moments.push({ time: milliseconds, changes: [change] });
    }
  }
  const begin = moments[0]?.time ?? 0;
  return moments.map(({ time, changes }) => ({ time: time - begin, changes }));
}

function findOne(world: World, { name, node }: Lane): Property {
  return locate(node, () => {
    const found = world.property(name);
    if (found.property.type === "integer") return found;
    throw new UsageError(`'${name}' cannot follow a wire: it is no whole number`);
  });
}

/** The properties of lanes that have one. */
function find(world: World, lanes: readonly Lane[], file: ConfigNode): Map<Lane, Property> {
  const found = new Map<Lane, Property>();
  for (const lane of lanes) {
    try {
      found.set(lane, findOne(world, lane));
    } catch (error) {
      if (!(error instanceof UsageError) || !lane.mayMiss) throw error;
    }
  }
  if (found.size > 0) return found;
  const names = lanes.map(({ name }) => name).join(", ");
  return file.fail(
    `no line has the name of one of its wires, ${names}; say which are meant with 'as'`,
  );
}

/** Waits until a moment of the clock, as exactly as can be. */
async function reach(stage: Stage, time: number): Promise<void> {
  const left = time - clock();
  if (left > LATE) await stage.sleep(left - LATE);
  while (clock() < time) {
    // It is not worth a timer.
  }
}

export const replay: StepKind = {
  name: "replay",
  options: ["as", "speed"],
  read(value, options, reading) {
    const path = reading.path(value);
    const vcd = load(value, path);
    const lanes = lanesOf(vcd, value, options.as);
    const range = { from: 0.001, to: 1000 };
    const speed = options.speed?.number(range, "a number from 0.001 to 1000") ?? 1;
    const moments = momentsOf(vcd, lanes, speed);
    return {
      title: `replay ${value.source}`,
      check: (world) => void find(world, lanes, value),
      async run(stage) {
        const found = find(stage.world, lanes, value);
        const begin = clock();
        for (const { time, changes } of moments) {
          await reach(stage, begin + time);
          stage.end.throwIfAborted();
          const sets = new Map<Property["daemon"], Record<string, number>>();
          for (const { lane, value } of changes) {
            const property = found.get(lane);
            if (property === undefined) continue;
            const { daemon, name } = property;
            const values = sets.get(daemon) ?? {};
            sets.set(daemon, values);
            values[name] = value;
          }
          await Promise.all([...sets].map(([{ client }, values]) => client.ask("set", { values })));
        }
      },
    };
  },
};
