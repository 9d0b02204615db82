/**
 * What programs in a guest do with Linux's SPI drivers on top of simulated chips.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { check, cString, errno, errnoName } from "../../../ffi/errno.ts";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import { libc } from "../../../ffi/libc.ts";
import {
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  SPI_LOOP,
  SPI_LSB_FIRST,
  writeMode,
} from "../../../ffi/spidev.ts";

import { pattern, Spidev } from "./spidev.ts";

const LOOPBACK = "/dev/spidev3.0";
const REGISTERS = "/dev/spidev3.1";
const POOR = "/dev/spidev4.0";
const POOR_TOO_FAST = "/dev/spidev4.1";
const READ = 0x80;

function echoes(spi: Spidev, length: number, bitsPerWord = 8): void {
  const tx = pattern(length);
  const rx = new Uint8Array(length);
  assertEquals(spi.message({ tx, rx, bitsPerWord }), "OK");
  assertEquals(rx, tx);
}

/** Reads a register in one full-duplex transfer. */
function readRegister(spi: Spidev, register: number): number {
  const rx = new Uint8Array(2);
  assertEquals(spi.message({ tx: Uint8Array.of(READ | register, 0), rx }), "OK");
  return rx[1];
}

function errnoOf(action: () => number): string {
  return action() < 0 ? errnoName(errno()) : "OK";
}

// ioctl(2) numbers of mtd/mtd-abi.h
const MEMERASE = 0x40084d02;

class Mtd implements Disposable {
  readonly #fd = open("/dev/mtd0", O_RDWR);
  readonly #file = Deno.openSync("/dev/mtd0", { read: true, write: true });

  erase(start: number, length: number): void {
    const range = Uint32Array.of(start, length);
    check("ioctl", libc.ioctl(this.#fd, MEMERASE, Deno.UnsafePointer.of(range)));
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) done += this.#file.readSync(bytes.subarray(done)) ?? length;
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
  }

  [Symbol.dispose](): void {
    this.#file.close();
    close(this.#fd);
  }
}

// The tests have an order in which none disturbs another.

for (const length of [4, 5, 255, 4096, 4097, 65536]) {
  Deno.test(`spidev sends and receives ${length} bytes at the same time`, () => {
    using spi = new Spidev(LOOPBACK);
    echoes(spi, length);
  });
}

Deno.test("a transfer that only writes reaches the chip", () => {
  using spi = new Spidev(REGISTERS);
  assertEquals(spi.message({ tx: Uint8Array.of(0x20, 1, 2, 3) }), "OK");
  assertEquals([0x20, 0x21, 0x22].map((at) => readRegister(spi, at)), [1, 2, 3]);
});

Deno.test("a transfer that only reads sends zeros", () => {
  using spi = new Spidev(LOOPBACK);
  const rx = new Uint8Array(300).fill(0xee);
  assertEquals(spi.message({ rx }), "OK");
  assertEquals(rx, new Uint8Array(300));
});

for (const mode of [0, 1, 2, 3]) {
  Deno.test(`spidev transfers in mode ${mode}`, () => {
    using spi = new Spidev(LOOPBACK);
    spi.setMode((mode & 1 ? SPI_CPHA : 0) | (mode & 2 ? SPI_CPOL : 0));
    echoes(spi, 64);
  });
}

Deno.test("spidev transfers with an active-high chip select", () => {
  using spi = new Spidev(LOOPBACK);
  spi.setMode(SPI_CS_HIGH);
  echoes(spi, 64);
  spi.setMode(0);
});

Deno.test("with the least significant bit first, a chip sees bits in the other order", () => {
  using spi = new Spidev(REGISTERS);
  spi.setMode(SPI_LSB_FIRST);
  const rx = new Uint8Array(2);
  assertEquals(spi.message({ tx: Uint8Array.of(0x09, 0), rx }), "OK");
  spi.setMode(0);
  assertEquals(rx[1], 0xa5);
  assertEquals(spi.message({ tx: Uint8Array.of(0x90, 0), rx }), "OK");
  assertEquals(rx[1], 0xa5);
});

Deno.test("in loop mode a chip is not reached", () => {
  using spi = new Spidev(REGISTERS);
  spi.setMode(SPI_LOOP);
  const tx = Uint8Array.of(0x24, 0x77);
  const rx = new Uint8Array(2);
  assertEquals(spi.message({ tx, rx }), "OK");
  spi.setMode(0);
  assertEquals(rx, tx);
  assertEquals(readRegister(spi, 0x24), 0);
});

Deno.test("words of 16 bits go over the wire with their high byte first", () => {
  using spi = new Spidev(REGISTERS);
  const rx = new Uint8Array(2);
  const tx = Uint8Array.of(0, READ | 0x0f);
  assertEquals(spi.message({ tx, rx, bitsPerWord: 16 }), "OK");
  assertEquals(rx[0], 0x33);
});

Deno.test("spidev transfers words of 8 and of 16 bits", () => {
  using spi = new Spidev(LOOPBACK);
  echoes(spi, 64, 8);
  echoes(spi, 64, 16);
});

Deno.test("a command and what is read for it may be two transfers of a message", () => {
  using spi = new Spidev(REGISTERS);
  const rx = new Uint8Array(2);
  assertEquals(spi.message({ tx: Uint8Array.of(READ | 0x0f) }, { rx }), "OK");
  assertEquals([...rx], [0x33, 0xa5]);
});

Deno.test("cs_change between two transfers of a message ends the chip's command", () => {
  using spi = new Spidev(REGISTERS);
  const tx = Uint8Array.of(READ | 0x0f, 0);
  const first = new Uint8Array(2);
  const second = new Uint8Array(2);
  const outcome = spi.message({ tx, rx: first, csChange: true }, { tx, rx: second });
  assertEquals(outcome, "OK");
  assertEquals([first[1], second[1]], [0x33, 0x33]);
  const lone = new Uint8Array(1);
  const command = Uint8Array.of(READ | 0x0f);
  assertEquals(spi.message({ tx: command, csChange: true }, { rx: lone }), "OK");
  assertNotEquals(lone[0], 0x33);
});

Deno.test("registers that are read only stay as they are", () => {
  using spi = new Spidev(REGISTERS);
  assertEquals(spi.message({ tx: Uint8Array.of(0x0f, 0) }), "OK");
  assertEquals(readRegister(spi, 0x0f), 0x33);
});

Deno.test("a mode that the controller lacks comes back as EINVAL, and the next transfer works", () => {
  using spi = new Spidev(POOR);
  // Linux takes CPOL's bits for those of CS_HIGH and LSB_FIRST, and lets these pass.
  spi.setMode(SPI_CS_HIGH);
  assertEquals(spi.message({ tx: pattern(4) }), "EINVAL");
  spi.setMode(0);
  echoes(spi, 4);
});

Deno.test("a frequency over the controller's comes back as EINVAL, and the next transfer works", () => {
  using spi = new Spidev(POOR_TOO_FAST);
  assertEquals(spi.message({ tx: pattern(4) }), "EINVAL");
  assertEquals(spi.message({ tx: pattern(4), speed: 1_000_000 }), "OK");
});

Deno.test("Linux knows from the configuration which word sizes there are", () => {
  using spi = new Spidev(POOR);
  assertEquals(spi.message({ tx: pattern(4), bitsPerWord: 32 }), "EINVAL");
  assertEquals(spi.message({ tx: pattern(4), bitsPerWord: 16 }), "OK");
});

Deno.test("Linux knows from the configuration which modes there are", () => {
  using spi = new Spidev(POOR);
  assertEquals(errnoOf(() => writeMode(spi.fd, SPI_CPHA | SPI_CPOL)), "OK");
  assertEquals(errnoOf(() => writeMode(spi.fd, 0)), "OK");
});

Deno.test("a transfer that fails comes back as EIO, and the next one works", () => {
  using spi = new Spidev(REGISTERS);
  assertEquals(spi.message({ tx: Uint8Array.of(0x7f, 1) }), "EIO");
  assertEquals(readRegister(spi, 0x0f), 0x33);
});

Deno.test("transfers take the time that the wire takes", () => {
  using spi = new Spidev(LOOPBACK);
  const begin = performance.now();
  assertEquals(spi.message({ tx: pattern(4096), speed: 1_000_000 }), "OK");
  const milliseconds = performance.now() - begin;
  assert(milliseconds >= 4096 * 8 / 1000, `${milliseconds} ms`);
});

Deno.test("spi-nor finds the flash by its JEDEC id, with its size", () => {
  assertEquals(Deno.readTextFileSync("/sys/class/mtd/mtd0/size").trim(), `${1024 * 1024}`);
  const id = "/sys/bus/spi/devices/spi3.2/spi-nor/jedec_id";
  assertEquals(Deno.readTextFileSync(id).trim(), "ef4014");
});

Deno.test("spi-nor reads what is in the flash's file", () => {
  using mtd = new Mtd();
  assertEquals(mtd.read(0x8f000, 5000), pattern(5000, 7));
});

Deno.test("spi-nor erases a sector and none beside it", () => {
  using mtd = new Mtd();
  // The largest unit that Linux may choose.
  mtd.erase(0x90000, 65536);
  assertEquals(mtd.read(0x90000, 65536), new Uint8Array(65536).fill(0xff));
  assertEquals(mtd.read(0x8f000, 4096), pattern(4096, 7));
});

Deno.test("spi-nor writes across pages and reads it back", () => {
  using mtd = new Mtd();
  mtd.erase(0x20000, 65536);
  const bytes = pattern(5001, 3);
  mtd.write(0x20003, bytes);
  assertEquals(mtd.read(0x20003, bytes.length), bytes);
});

Deno.test("what is written twice without erasing loses bits only", () => {
  using mtd = new Mtd();
  mtd.erase(0x30000, 65536);
  mtd.write(0x30000, Uint8Array.of(0xf0, 0x0f));
  mtd.write(0x30000, Uint8Array.of(0xcc, 0xcc));
  assertEquals([...mtd.read(0x30000, 2)], [0xc0, 0x0c]);
});

// The flash's driver may still be at its probe.
for (let tries = 0; tries < 100 && libc.open(cString("/dev/mtd0"), O_RDWR, 0) < 0; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
