/**
 * Lines of a real chip as things that can be watched.
 *
 * @module
 */

import { PropertyError } from "../../simulation/check_value.ts";
import { DeclaredThing } from "../../simulation/declared_thing.ts";
import type { Declaration, Value } from "../../simulation/property.ts";
import type { Thing } from "../../simulation/thing.ts";
import { Lock } from "../../threads/lock.ts";
import { hostLineProperties, LineStates, type WatchedChip } from "./line_state.ts";

const declaration: Declaration = {
  name: "host-line",
  help: "a GPIO line of the host",
  properties: hostLineProperties,
};

class HostLineThing extends DeclaredThing {
  readonly #states: LineStates;
  readonly #line: number;

  constructor(states: LineStates, line: number, chip: WatchedChip, guest: number) {
    const alias = `${line}`;
    const { name, offset } = chip.lines[line];
    super(
      { thing: chip.thing + line, changes: chip.changes },
      {
        name: name || alias,
        alias,
        place: `line ${line} (${chip.chip} ${offset})`,
        guests: [guest],
      },
      declaration,
      {},
      new Lock(chip.memory),
    );
    this.#states = states;
    this.#line = line;
  }

  protected override liveValue(name: string): { readonly value: Value } | undefined {
    switch (name) {
      case "direction":
        return { value: this.#states.direction(this.#line) };
      case "value":
        return { value: this.#states.value(this.#line) };
      case "interrupt":
        return { value: this.#states.interrupt(this.#line) };
      default:
        return undefined;
    }
  }

  protected override change(): never {
    throw new PropertyError("it can only be watched");
  }

  protected override bytes(name: string): never {
    throw new PropertyError(`'${name}' has no bytes`);
  }

  protected override written(): void {}

  protected override strike(): void {}
}

/** The lines of a guest's chip. */
export function hostLineThings(chip: WatchedChip, guest: number): Thing[] {
  const states = new LineStates(chip);
  return chip.lines.map((_, line) => new HostLineThing(states, line, chip, guest));
}
