/**
 * Transfers of one guest as the levels of SCLK, MOSI, MISO and the chip selects.
 *
 * @module
 */

import type { RingEvent } from "../events/event_ring.ts";
import {
  EVENT_DATA,
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  SPI_HELD,
  SPI_LSB_FIRST,
  SPI_MORE,
  SPI_RELEASE,
  SPI_RX_SHIFT,
  SPI_TRANSFER,
  SPI_TX_SHIFT,
  SPI_WORD_SHIFT,
} from "../events/kinds.ts";
import { splitSpi } from "../events/spi_data.ts";
import { spiDuration, type SpiTransfer, SpiWave } from "../trace/spi_wave.ts";
import type { Track } from "../trace/track.ts";
import type { VcdWriter } from "../trace/vcd.ts";
import { type Limits, NBITS_OCTAL, NBITS_QUAD } from "./protocol.ts";

const NOTHING = new Uint8Array(0);

function dataLines({ txNbits, rxNbits }: Limits): string[] {
  const both = txNbits | rxNbits;
  const count = both & NBITS_OCTAL ? 8 : both & NBITS_QUAD ? 4 : 2;
  return ["MOSI", "MISO", "IO2", "IO3", "IO4", "IO5", "IO6", "IO7"].slice(0, count);
}

function transferOf({ first, second: flags, third, fourth, data }: RingEvent): SpiTransfer {
  const { sent = NOTHING, received = NOTHING } = splitSpi(flags, data);
  return {
    chipSelect: first,
    polarity: flags & SPI_CPOL ? 1 : 0,
    phase: flags & SPI_CPHA ? 1 : 0,
    lsbFirst: (flags & SPI_LSB_FIRST) !== 0,
    csHigh: (flags & SPI_CS_HIGH) !== 0,
    bitsPerWord: (flags >>> SPI_WORD_SHIFT) & 0xff,
    frequency: fourth,
    txLines: (flags >>> SPI_TX_SHIFT) & 0xf,
    rxLines: (flags >>> SPI_RX_SHIFT) & 0xf,
    length: Math.min(third, EVENT_DATA),
    sent,
    received,
  };
}

/** Draws the transfers of one guest. */
export class SpiTrack implements Track {
  readonly kinds = 1 << SPI_TRANSFER | 1 << SPI_RELEASE;
  readonly #limits: Limits;
  #vcd: VcdWriter | undefined;
  #wave: SpiWave | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  declare(vcd: VcdWriter, name: (wire: string) => string): void {
    const { chipSelects } = this.#limits;
    this.#vcd = vcd;
    this.#wave = new SpiWave(vcd, {
      sclk: vcd.wire(name("SCLK"), 0),
      data: dataLines(this.#limits).map((line) => vcd.wire(name(line), "z")),
      selects: Array.from({ length: chipSelects }, (_, cs) => vcd.wire(name(`CS${cs}`), 1)),
    });
  }

  event(time: number, event: RingEvent): boolean {
    const wave = this.#wave!;
    const vcd = this.#vcd!;
    if (event.kind === SPI_RELEASE) {
      wave.deselect(Math.max(vcd.time, time));
      return true;
    }
    const { second: flags, third: length } = event;
    if (flags & SPI_MORE && !wave.isSelected) return false;
    const transfer = transferOf(event);
    // It is told of when it is over.
    const duration = transfer.frequency === 0 ? 0 : spiDuration({ ...transfer, length });
    wave.transfer(Math.max(vcd.time, time - duration), transfer);
    if (!(flags & SPI_HELD)) wave.deselect(vcd.time);
    return true;
  }

  gap(time: number): void {
    this.#wave!.deselect(Math.max(this.#vcd!.time, time));
  }
}
