/**
 * A part that a program serves, as whoever controls it sees it: its properties are those that the
 * program has declared, and live on the thread of the control socket.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { Lock } from "../../threads/lock.ts";
import { Changes } from "../changes.ts";
import { checkValue, PropertyError } from "../check_value.ts";
import { changedValue } from "../declared_thing.ts";
import type { Fault } from "../faults.ts";
import type { PartModel } from "../part.ts";
import { PartThing } from "../part_thing.ts";
import type { Property, Value } from "../property.ts";
import { type PoweredPart, stateOf } from "../simulation.ts";
import type { ThingPlace } from "../thing.ts";
import { type DeclaredProperty, readDeclared } from "./declare.ts";
import { Mailbox } from "./mailbox.ts";
import type { RemoteEnd } from "./remote_end.ts";

/** The thing. */
export class RemoteThing extends PartThing {
  readonly remote: RemoteEnd;
  readonly #model: PartModel;
  readonly #own: readonly string[];
  readonly #changes: Changes;
  readonly #mailbox: Mailbox;
  #declared = new Map<string, DeclaredProperty>();
  readonly #values = new Map<string, Value>();
  #onSet: (name: string, value: Value) => void = () => {};

  constructor(
    model: PartModel,
    part: PoweredPart,
    place: ThingPlace,
    kinds: readonly Fault[],
    lock: Lock,
    log: Logger,
  ) {
    super(model, part, place, kinds, lock, log);
    this.#model = model;
    this.#own = Object.keys(model.properties);
    this.#changes = new Changes(part.changes);
    this.#mailbox = new Mailbox(stateOf(part));
    this.remote = {
      wakeAt: (eventfd) => this.#mailbox.wakeAt(eventfd),
      question: (known) => this.#mailbox.question(known),
      answer: (data, more) => this.#mailbox.answer(data, more),
      serve: (properties, onSet) => this.#serve(properties, onSet),
      end: () => this.#end(),
      tell: (name, value) => this.#tell(name, value),
    };
  }

  protected override liveValue(name: string): { readonly value: Value } | undefined {
    return this.#declared.has(name) ? { value: this.#values.get(name) } : super.liveValue(name);
  }

  protected override change(name: string, property: Property, value: Value): void {
    if (!this.#mailbox.isServed) throw new PropertyError("no program serves it");
    this.#keep(name, property, value);
    this.#onSet(name, value);
  }

  #keep(name: string, property: Property, value: Value): void {
    this.#values.set(name, value);
    const now = changedValue(property, value);
    this.#changes.tell(this.number, this.placeOf(name), now, 0, 0);
  }

  #serve(properties: unknown, onSet: (name: string, value: Value) => void): void {
    const declared = readDeclared(properties, this.#own);
    const all = Object.fromEntries(declared.map(({ name, property }) => [name, property]));
    this.redeclare({ ...this.#model, properties: { ...this.#model.properties, ...all } });
    this.#declared = new Map(declared.map((one) => [one.name, one]));
    for (const { name, property, value } of declared) this.#keep(name, property, value);
    this.#onSet = onSet;
    this.#mailbox.serve();
    this.#changes.tell(this.number, this.placeOf("served"), 1, 0, 0);
  }

  #end(): void {
    this.#onSet = () => {};
    this.#mailbox.end();
    this.#changes.tell(this.number, this.placeOf("served"), 0, 0, 0);
    this.look();
  }

  #tell(name: string, value: unknown): void {
    if (name === "interrupt") {
      if (typeof value !== "boolean") throw new PropertyError("'interrupt' is true or false");
      this.#mailbox.interrupt = value;
      return this.look();
    }
    const declared = this.#declared.get(name);
    if (declared === undefined) {
      throw new PropertyError(`'${this.name}' has declared no property '${name}'`);
    }
    this.#keep(name, declared.property, checkValue(declared.property, value, {}));
  }
}
