/**
 * Traces as tests read them.
 *
 * @module
 */

import { Vcd, VcdError } from "../../lib/trace/vcd_reader.ts";
import { until } from "./wait.ts";

/** A trace on disk. */
export class TraceFile {
  constructor(readonly path: string) {}

  /** The trace as it is now. */
  read(): Vcd {
    return Vcd.parse(Deno.readTextFileSync(this.path));
  }

  /** Waits until the trace has begun, and is as it should be. */
  until(what: string, holds: (trace: Vcd) => boolean): Vcd {
    let trace: Vcd | undefined;
    until(what, () => {
      try {
        trace = this.read();
      } catch (error) {
        if (error instanceof VcdError) return false;
        throw error;
      }
      return holds(trace);
    });
    return trace!;
  }
}

/** The levels of a wire one after the other, its first one included. */
export function levels({ wires, changes }: Vcd, name: string): string {
  const number = wires.findIndex((wire) => wire.name === name);
  if (number < 0) throw new Error(`there is no wire '${name}'`);
  return changes.filter(({ wire }) => wire === number).map(({ value }) => value).join("");
}

/** Bytes on an I2C bus as a text: `S` for a start, `P` for a stop, bytes with `+` or `-` for their acknowledge. */
export function i2cText({ wires, changes }: Vcd, prefix = ""): string {
  const scl = wires.findIndex(({ name }) => name === `${prefix}SCL`);
  const sda = wires.findIndex(({ name }) => name === `${prefix}SDA`);
  let clock = "1", data = "1", bits = "";
  const words: string[] = [];
  for (const { wire, value } of changes) {
    if (wire === sda) {
      if (clock === "1" && value !== data) {
        words.push(value === "0" ? "S" : "P");
        bits = "";
      }
      data = value;
    } else if (wire === scl) {
      if (value === "1" && clock === "0") bits += data;
      clock = value;
    }
    if (bits.length < 9 || clock === "1") continue;
    const byte = parseInt(bits.slice(0, 8), 2).toString(16).padStart(2, "0");
    words.push(`${byte}${bits[8] === "0" ? "+" : "-"}`);
    bits = "";
  }
  return words.join(" ");
}

/** Bytes on an SPI bus in mode 0, by message: what was sent, `/`, what was received. */
export function spiText({ wires, changes }: Vcd, chipSelect = 0, prefix = ""): string[] {
  const at = (name: string) => wires.findIndex((wire) => wire.name === prefix + name);
  const [sclk, mosi, miso, select] = [at("SCLK"), at("MOSI"), at("MISO"), at(`CS${chipSelect}`)];
  let clock = "0", out = "z", back = "z", sent = "", received = "";
  const messages: string[] = [];
  const hex = (bits: string) =>
    [...bits.matchAll(/.{8}/g)].map(([byte]) =>
      /[xz]/.test(byte) ? "--" : parseInt(byte, 2).toString(16).padStart(2, "0")
    ).join("");
  for (const { time, wire, value } of changes) {
    if (wire === mosi) out = value;
    else if (wire === miso) back = value;
    else if (wire === sclk) {
      if (value === "1" && clock === "0") {
        sent += out;
        received += back;
      }
      clock = value;
    } else if (wire === select && time > 0) {
      if (value === "1") messages.push(`${hex(sent)}/${hex(received)}`);
      sent = received = "";
    }
  }
  return messages;
}
