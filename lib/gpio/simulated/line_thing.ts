/**
 * Lines as things, for whoever controls them.
 *
 * @module
 */

import { PropertyError } from "../../simulation/check_value.ts";
import { DeclaredThing } from "../../simulation/declared_thing.ts";
import type { Value } from "../../simulation/property.ts";
import type { Thing } from "../../simulation/thing.ts";
import { directionName } from "../protocol.ts";
import { lineDeclaration, lineProperties } from "./line.ts";
import { Lines, type PoweredChip } from "./lines.ts";

class LineThing extends DeclaredThing {
  readonly #lines: Lines;
  readonly #line: number;

  constructor(lines: Lines, line: number, chip: PoweredChip, guest: number) {
    const alias = `${line}`;
    const settings = chip.lines[line];
    super(
      { thing: chip.thing + line, changes: chip.changes },
      { name: settings.name || alias, alias, place: `line ${line}`, guests: [guest] },
      lineDeclaration,
      { ...settings, direction: directionName(settings.direction) },
      lines.lock,
    );
    this.#lines = lines;
    this.#line = line;
  }

  protected override liveValue(name: string): { readonly value: Value } | undefined {
    switch (name) {
      case "direction":
        return { value: directionName(this.#lines.direction(this.#line)) };
      case "value":
        return { value: this.#lines.level(this.#line) };
      case "interrupt":
        return { value: lineProperties.interrupt.choices[this.#lines.edges(this.#line)] };
      case "driven-by":
        return { value: lineProperties["driven-by"].choices[this.#lines.drivenBy(this.#line)] };
      default:
        return undefined;
    }
  }

  protected override change(_name: string, _property: unknown, value: Value): void {
    this.#lines.setOutside(this.#line, value as number);
  }

  protected override bytes(name: string): never {
    throw new PropertyError(`'${name}' has no bytes`);
  }

  protected override written(): void {}

  protected override strike(): void {}
}

/** The lines of a guest's chip. */
export function lineThings(chip: PoweredChip, guest: number): Thing[] {
  const lines = new Lines(chip);
  return chip.lines.map((_, line) => new LineThing(lines, line, chip, guest));
}
