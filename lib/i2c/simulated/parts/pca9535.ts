/**
 * GPIO expanders PCA9535 and PCA9555, of 16 lines in two ports.
 *
 * Registers of a byte, in pairs: what is read or written after the first goes to the other of its
 * pair, and so on, to and fro.
 *
 * ```
 * 0, 1  input, read only: the levels of the lines, inverted where the polarity says so
 * 2, 3  output: what lines drive that are outputs, 0xff when the power comes on
 * 4, 5  polarity: 1 inverts the input
 * 6, 7  configuration: 1 for an input, 0xff when the power comes on
 * ```
 *
 * INT calls while an input has another level than when its port was last read. The lines of the
 * PCA9555 are pulled up; those of the PCA9535 are not, and low here where nothing drives them.
 *
 * State: u8 number of the register, then u8 by port each: output, polarity, configuration, levels
 * from outside, levels when the port was last read.
 *
 * Source: data sheets of PCA9535 and PCA9555.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import type { Properties } from "../../../simulation/property.ts";
import { lineProperties, liveLines, setBit } from "../expander_lines.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

const NUMBER = 0;
const OUTPUT = 1;
const POLARITY = 3;
const CONFIGURATION = 5;
const OUTSIDE = 7;
const SEEN = 9;
const STATE_SIZE = 11;

const REGISTERS = 8;
const REGISTER_OUTPUT = 2;
const PORTS = [0, 1] as const;
const LINES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const NAMES = PORTS.flatMap((port) => LINES.map((line) => `p${port}${line}` as const));

function propertiesOf(pulledUp: boolean) {
  return {
    ...lineProperties(NAMES, Number(pulledUp), { property: "outputs", is: 0 }),
    outputs: {
      type: "integer",
      set: "never",
      from: 0,
      to: 0xffff,
      base: 16,
      help: "the lines that the guest drives, a bit each",
    },
    interrupt: {
      type: "boolean",
      set: "never",
      interrupt: "active-low",
      help: "whether INT calls: an input has changed since it was last read",
    },
  } as const satisfies Properties;
}

type ExpanderProperties = ReturnType<typeof propertiesOf>;

function levels(state: DataView, port: number): number {
  const inputs = state.getUint8(CONFIGURATION + port);
  return state.getUint8(OUTSIDE + port) & inputs | state.getUint8(OUTPUT + port) & ~inputs;
}

function calls(state: DataView): boolean {
  return PORTS.some((port) => {
    const changed = levels(state, port) ^ state.getUint8(SEEN + port);
    return (changed & state.getUint8(CONFIGURATION + port)) !== 0;
  });
}

class Pca9535 implements I2cPart {
  readonly #state: DataView;
  readonly #watch: PartContext<ExpanderProperties>["watch"];
  #numbered = false;

  constructor({ state, watch }: PartContext<ExpanderProperties>) {
    this.#state = state;
    this.#watch = watch;
  }

  start(): boolean {
    this.#watch.begin();
    this.#numbered = false;
    return true;
  }

  write(byte: number): boolean {
    if (!this.#numbered) {
      this.#numbered = true;
      this.#state.setUint8(NUMBER, byte % REGISTERS);
      return true;
    }
    const register = this.#next();
    if (register >= REGISTER_OUTPUT) {
      this.#state.setUint8(OUTPUT + register - REGISTER_OUTPUT, byte);
    }
    return true;
  }

  read(): number {
    const register = this.#next();
    if (register >= REGISTER_OUTPUT) {
      return this.#state.getUint8(OUTPUT + register - REGISTER_OUTPUT);
    }
    const now = levels(this.#state, register);
    this.#state.setUint8(SEEN + register, now);
    return now ^ this.#state.getUint8(POLARITY + register);
  }

  stop(): void {
    this.#watch.end();
  }

  /** The register whose turn it is; the other of its pair is next. */
  #next(): number {
    const register = this.#state.getUint8(NUMBER);
    this.#state.setUint8(NUMBER, register ^ 1);
    return register;
  }
}

function model(name: string, pulledUp: boolean): I2cPartModel<ExpanderProperties> {
  return {
    name,
    help: `GPIO expander of 16 lines${pulledUp ? ", pulled up" : ""}`,
    properties: propertiesOf(pulledUp),
    stateSize: () => STATE_SIZE,

    initialize(settings, state) {
      NAMES.forEach((name, line) => setBit(state, OUTSIDE + (line >> 3), line & 7, settings[name]));
      for (const port of PORTS) {
        state.setUint8(OUTPUT + port, 0xff);
        state.setUint8(CONFIGURATION + port, 0xff);
        state.setUint8(SEEN + port, levels(state, port));
      }
    },

    live: {
      ...liveLines(NAMES, {
        level: (state, line) => levels(state, line >> 3) >> (line & 7) & 1,
        refusal: (state, line) =>
          (state.getUint8(CONFIGURATION + (line >> 3)) >> (line & 7) & 1) === 0
            ? "the guest drives it, it is an output"
            : undefined,
        setOutside: (state, line, level) => setBit(state, OUTSIDE + (line >> 3), line & 7, level),
      }),
      outputs: {
        get: (state) =>
          ~state.getUint8(CONFIGURATION) & 0xff | (~state.getUint8(CONFIGURATION + 1) & 0xff) << 8,
      },
      interrupt: { get: calls },
    },

    create: (context) => new Pca9535(context),
  };
}

/** `pca9535`, `pca9555` */
export const portExpanders: readonly I2cPartModel<ExpanderProperties>[] = [
  model("pca9535", false),
  model("pca9555", true),
];
