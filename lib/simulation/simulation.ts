/**
 * All that one daemon simulates, as the main thread makes it and threads share it.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { Lock } from "../threads/lock.ts";
import { BackingFile, BackingFiles, type FileChoice } from "./backing_file.ts";
import { Changes, PartChanges } from "./changes.ts";
import { Faults } from "./faults.ts";
import { InterruptPins } from "./interrupt_pins.ts";
import type { PartContext, PartModel } from "./part.ts";
import type { PartDescription } from "./part_list.ts";
import { PropertyWatch } from "./property_watch.ts";
import { type BytesProperty, countOf, type Properties, type Run } from "./property.ts";

// A part's memory: i32 the descriptor of its file plus one, its faults, its interrupts, and then
// its state.
const FAULTS_AT = 4;
const INTERRUPTS_AT = 32;
const STATE_AT = 64;

/** A thing with what its threads share. */
export interface ThingSettings {
  /** Things of a daemon are numbered from 0. */
  readonly thing: number;
  /** See {@linkcode Changes}. */
  readonly changes: SharedArrayBuffer;
}

/** A part when the power is on. */
export interface PoweredPart extends PartDescription, ThingSettings {
  readonly memory: SharedArrayBuffer;
}

/** What things are made from. One for a daemon. */
export class Simulation {
  readonly changes: SharedArrayBuffer = new SharedArrayBuffer(Changes.SIZE);
  readonly #files = new BackingFiles();
  #things = 0;

  /** Numbers things; the first gets the number `thing`. */
  things(count: number): ThingSettings {
    const thing = this.#things;
    this.#things += count;
    return { thing, changes: this.changes };
  }

  /**
   * Makes a part as it is when the power comes on.
   *
   * @throws {UsageError} if its file does not fit
   * @throws {RuntimeError} if the host does not have what it needs, such as a file
   */
  powerUp(model: PartModel, description: PartDescription): PoweredPart {
    const { part, name, settings, wires } = description;
    const size = model.stateSize(settings);
    const memory = new SharedArrayBuffer(STATE_AT + size);
    const wired = wires === undefined ? {} : { wires };
    const powered = { part, name, settings, ...wired, memory, ...this.things(1) };
    for (const [name, property] of Object.entries(model.properties)) {
      if (property.type !== "bytes") continue;
      const bytes = bytesOf(powered, property);
      bytes.fill(property.fill ?? 0);
      const runs = (settings as Record<string, readonly Run[] | undefined>)[name] ?? [];
      for (const run of runs) bytes.set(run.bytes, run.at);
    }
    const choice = fileOf(model, powered);
    if (choice !== undefined) {
      const fd = this.#files.load(choice, contentsOf(model, powered));
      new Int32Array(memory)[0] = fd + 1;
    }
    model.initialize?.(settings, new DataView(memory, STATE_AT));
    interruptsOf(model, powered)?.look();
    return powered;
  }

  /** Gives back what parts hold of the host. */
  close(): void {
    this.#files.close();
  }
}

/** The bytes of a property. */
export function bytesOf({ memory, settings }: PoweredPart, property: BytesProperty): Uint8Array {
  return new Uint8Array(memory, STATE_AT + property.at, countOf(property, settings));
}

/** A part's state. */
export function stateOf({ memory }: PoweredPart): DataView {
  return new DataView(memory, STATE_AT);
}

/** The faults of a part. */
export function faultsOf({ memory }: PoweredPart): Faults {
  return new Faults(memory, FAULTS_AT);
}

/** The pins by which a part calls for attention; `undefined` where it has none. */
export function interruptsOf(model: PartModel, powered: PoweredPart): InterruptPins | undefined {
  const { memory, settings, thing, changes } = powered;
  const pins = new InterruptPins(
    { model, settings, state: stateOf(powered), memory, at: INTERRUPTS_AT },
    new Changes(changes),
    thing,
  );
  return pins.count > 0 ? pins : undefined;
}

/** The file that a part with such settings keeps its contents in, if it does. */
export function fileOf(model: PartModel, description: PartDescription): FileChoice | undefined {
  if (model.backing === undefined) return undefined;
  const settings = description.settings as Record<string, unknown>;
  const { file, readOnly } = model.backing;
  const path = settings[file];
  if (typeof path !== "string") return undefined;
  return {
    path,
    owner: model.name,
    readOnly: readOnly !== undefined && settings[readOnly] === true,
  };
}

/** The files that a part looks at while it works; the one that it is backed by is open already. */
export function watchedFiles(model: PartModel, { settings }: PartDescription): string[] {
  return Object.entries(model.properties)
    .filter(([name, { type }]) => type === "path" && name !== model.backing?.file)
    .map(([name]) => (settings as Record<string, unknown>)[name])
    .filter((path) => typeof path === "string");
}

function contentsOf(model: PartModel, powered: PoweredPart): Uint8Array {
  const property = model.properties[model.backing!.contents];
  if (property.type !== "bytes") throw new TypeError("only bytes can be kept in a file");
  return bytesOf(powered, property);
}

/** What a part is backed by, for a thread. */
export function backingOf(
  model: PartModel,
  powered: PoweredPart,
  log: Logger,
): BackingFile | undefined {
  const choice = fileOf(model, powered);
  if (choice === undefined) return undefined;
  const fd = new Int32Array(powered.memory)[0] - 1;
  return new BackingFile(fd, choice, contentsOf(model, powered), log);
}

/**
 * What a part at work needs, for a thread.
 *
 * @param lock of its bus, which is held whenever the part is called
 */
export function contextOf(
  model: PartModel,
  powered: PoweredPart,
  log: Logger,
  lock?: Lock,
): PartContext<Properties> {
  const { settings, thing } = powered;
  const state = stateOf(powered);
  const changes = new Changes(powered.changes);
  return {
    settings,
    state,
    file: backingOf(model, powered, log),
    changes: new PartChanges(changes, thing, Object.keys(model.properties)),
    watch: new PropertyWatch(model, settings, state, changes, thing),
    unlocked: (run) => {
      lock?.release();
      try {
        run();
      } finally {
        lock?.acquire();
      }
    },
    log,
  };
}
