/**
 * The parts that a bus can have, and how they are described in the configuration file.
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import { pinNames } from "./interrupt_pins.ts";
import type { Wire } from "./pins.ts";
import { isThingName, THING_NAME_FORM } from "./names.ts";
import type { PartModel } from "./part.ts";
import type { Properties, Settings } from "./property.ts";
import { readSettings, settingKeys } from "./read_settings.ts";
import { readLines } from "./wires.ts";

/** A part as it is described, by people or by default. */
export interface PartDescription {
  /** The name of its model. */
  readonly part: string;
  /** What people call it; `undefined` if they do not. */
  readonly name: string | undefined;
  readonly settings: Settings<Properties>;
  /** Where its pins lead to; nowhere if left out. */
  readonly wires?: readonly Wire[];
}

/** An entry of the configuration file. */
export interface PartEntry<Key extends string> extends PartDescription {
  /** The values of the bus's own keys. */
  readonly own: Partial<Record<Key, ConfigNode>>;
}

/** All models for one kind of bus. */
export class PartList<Model extends PartModel> {
  readonly models: readonly Model[];
  readonly #byName: ReadonlyMap<string, Model>;

  constructor(models: readonly Model[]) {
    this.models = models;
    this.#byName = new Map(models.map((model) => [model.name, model]));
    if (this.#byName.size < models.length) throw new TypeError("two models have one name");
  }

  /** What can be asked for, in order. */
  get names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The model of that name, which has to be there. */
  get(name: string): Model {
    const model = this.#byName.get(name);
    if (model === undefined) throw new TypeError(`no part is called '${name}'`);
    return model;
  }

  /** A part of which nothing is said. */
  usual(part: string): PartDescription {
    return { part, name: undefined, settings: readSettings(this.get(part).properties, {}) };
  }

  /**
   * Reads an entry of a list of parts.
   *
   * @param keys of the bus's own, for example `address`
   * @param names taken so far; the part's own is added
   * @throws {UsageError} if it makes no sense
   */
  read<Key extends string>(
    node: ConfigNode,
    keys: readonly Key[],
    names: Set<string>,
  ): PartEntry<Key> {
    const common = ["part", "name", ...keys];
    this.#refuseOldForm(node, common);
    const all = this.models.flatMap((model) => [
      ...settingKeys(model.properties),
      ...pinNames(model),
    ]);
    const part = node.mapping([...common, ...all]).part?.choice(this.names) ??
      node.fail("'part' is missing: what part it is");
    const model = this.get(part);
    const { properties } = model;
    const pins = pinNames(model);
    const nodes = node.mapping([...common, ...settingKeys(properties), ...pins]);
    const own = nodes as Partial<Record<Key, ConfigNode>>;
    const name = nodes.name === undefined ? undefined : readName(nodes.name, names);
    const wires = pins.flatMap((pin) => {
      const lines = nodes[pin];
      return lines === undefined ? [] : [{ pin, lines: readLines(lines) }];
    });
    const described = { part, name, settings: readSettings(properties, nodes), own };
    return wires.length > 0 ? { ...described, wires } : described;
  }

  /** A part was once the value of `chip`, a word, or the only key. */
  #refuseOldForm(node: ConfigNode, common: readonly string[]): void {
    if (!node.isMapping) {
      if (this.#byName.has(node.source)) node.fail(`write it as { part: ${node.source} }`);
      return;
    }
    const entries = node.entries("a mapping");
    if (entries.some(({ key }) => key.source === "part")) return;
    for (const { key, value } of entries) {
      const { source } = key;
      if (source === "chip") {
        key.fail(`there is no key 'chip' any more; write part: ${value.source}`);
      }
      if (entries.length > 1 || common.includes(source) || !this.#byName.has(source)) continue;
      const rest = value.isMapping
        ? value.entries("a mapping").map(({ key, value }) =>
          `, ${key.source}: ${value.source || "…"}`
        )
        : [];
      key.fail(`write it as { part: ${source}${rest.join("")} }`);
    }
  }
}

function readName(node: ConfigNode, names: Set<string>): string {
  const name = node.string("a name");
  if (!isThingName(name)) node.fail(`'${name}' is no name, expected ${THING_NAME_FORM}`);
  if (names.has(name)) node.fail(`the name '${name}' is taken by another part; choose another`);
  names.add(name);
  return name;
}
