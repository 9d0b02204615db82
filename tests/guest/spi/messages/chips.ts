/**
 * Chips whose drivers are recorded, and the scripts that have the drivers do something. Pure data.
 *
 * @module
 */

import type { RecordedRequest } from "../../../support/spi_recorder.ts";

/** A chip at the chip select of its place in the list. */
export interface DrivenChip {
  /** The recorder's name for what answers. */
  readonly model: string;
  /** What the devicetree says beside `reg` and the frequency. */
  readonly devicetree: string;
  /** Run in the guest, in the device's folder of /sys. */
  readonly script: string;
}

const at25 = `
  compatible = "atmel,at25";
  pagesize = <32>;
  size = <4096>;
  address-width = <16>;`;

/** Data that begins with the codes of commands, which a chip must not take for some. */
const eeprom = `
  printf '\\002\\006\\001\\307abc' | dd of=eeprom bs=7 seek=1 conv=notrunc status=none
  head -c 16 eeprom >/dev/null`;

const mtd = (command: string) => `node=/dev/$(basename "$(ls -d mtd/mtd?)" | tr -d :); ${command}`;

export const chips = {
  at25: { model: "at25", devicetree: at25, script: eeprom },
  nor: {
    model: "nor",
    devicetree: 'compatible = "jedec,spi-nor";',
    script: mtd(`
      head -c 4096 /dev/zero | tr '\\0' '\\002' >"/dev/mtdblock\${node#/dev/mtd}"
      sync
      head -c 300 "$node" >/dev/null`),
  },
  nand: {
    model: "nand",
    devicetree: 'compatible = "spi-nand";',
    script: mtd(`
      head -c 2048 /dev/zero | dd of="$node" bs=2048 status=none
      dd if="$node" of=/dev/null bs=2048 count=1 status=none`),
  },
  adxl355: {
    model: "adxl355",
    devicetree: 'compatible = "adi,adxl355";',
    script: `
      cat iio:device*/in_accel_x_raw >/dev/null
      echo 100 | tee iio:device*/in_accel_x_calibbias >/dev/null`,
  },
  mcp3208: {
    model: "mcp3208",
    devicetree: 'compatible = "microchip,mcp3208";',
    script: "cat iio:device*/in_voltage0_raw iio:device*/in_voltage3_raw >/dev/null",
  },
  spidev: {
    model: "none",
    devicetree: 'compatible = "rohm,dh2228fv";',
    script: `
      node=/dev/$(basename spidev/spidev*)
      printf ab >"$node"
      head -c 4 "$node" >/dev/null
      printf abcd | spi-pipe -d "$node" -b 4 -n 1 >/dev/null
      printf abcde >"$node"`,
  },
  gap: {
    model: "at25",
    devicetree: `${at25} spi-cs-inactive-delay-ns = <40000000>;`,
    script: eeprom,
  },
} as const satisfies Record<string, DrivenChip>;

export type ChipName = keyof typeof chips;

/** By chip select. */
export const chipNames = Object.keys(chips) as ChipName[];

/** The lengths of the transfers of a driver's messages, as its kernel has them. */
export type Messages = readonly (readonly number[])[];

/** What was recorded. */
export interface Recording {
  readonly requests: readonly RecordedRequest[];
  readonly messages: Readonly<Record<ChipName, Messages>>;
}
