/**
 * What the pretended driver of each device asks again and again.
 *
 * @module
 */

import type { DriverQueue, Segment } from "../support/driver_queue.ts";
import type { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest, gpioRequest, OUT } from "../support/gpio_driver.ts";
import { FAIL_NEXT, I2cGuest, READ, sevenBit } from "../support/i2c_driver.ts";
import { encodeHead, SpiGuest } from "../support/spi_driver.ts";
import type { Guest, GuestOptions } from "../support/guest.ts";
import { listOf } from "../support/ways.ts";
import { u32 } from "../support/wire.ts";

/** Something a driver asks, as one or several chains that belong together. */
export interface Ask {
  /** The chains, in order. */
  readonly heads: readonly number[];
  /** What the last of them comes back with, in bytes. */
  readonly written: number;
  /** True if the answers are what they have to be. */
  isRight(): boolean;
  /** Makes the answers wrong. */
  spoil(): void;
}

/** A device, and what it is asked. */
export interface Workload {
  readonly name: string;
  readonly program: string;
  /** The daemon's arguments for so many guests, besides its sockets. */
  readonly arguments: (guests: number) => readonly string[];
  /** What one request is, for people. */
  readonly request: string;
  /** Descriptors of one. */
  readonly descriptors: number;
  connect(frontEnd: FrontEnd, options?: GuestOptions): Guest;
  /** Places one in the queue, without making it available. */
  place(guest: Guest, queue: DriverQueue): Ask;
}

/** Places a request of one chain that always has the same answer. */
export function placed(
  guest: Guest,
  queue: DriverQueue,
  request: ArrayLike<number>,
  room: number,
  answer: readonly number[],
): Ask {
  const { ram } = guest;
  const [at, response] = [ram.allocate(request.length), ram.allocate(room)];
  ram.write(at, request);
  const segments: Segment[] = [
    { address: at, length: request.length },
    { address: response, length: room, writable: true },
  ];
  return {
    heads: [queue.place(segments)],
    written: room,
    isRight: () => ram.read(response, room).every((byte, index) => byte === answer[index]),
    spoil: () => ram.write(response, new Uint8Array(room).fill(0xee)),
  };
}

const gpio: Workload = {
  name: "gpio",
  program: "vhost-device-gpio",
  arguments: (guests) => ["-l", listOf("s8", guests)],
  request: "a line's value",
  descriptors: 2,
  connect(frontEnd, options) {
    const guest = new GpioGuest(frontEnd, { eventIndex: true, ...options });
    guest.get(GPIO.SET_VALUE, 1, 1);
    guest.get(GPIO.SET_DIRECTION, 1, OUT);
    return guest;
  },
  place: (guest, queue) => placed(guest, queue, gpioRequest(GPIO.GET_VALUE, 1), 2, [0, 1]),
};

const EEPROM = 0x50;

/** A chain of an I2C message: header, data, status. */
function message(guest: Guest, queue: DriverQueue, flags: number, data: Segment, status: number) {
  const header = guest.ram.allocate(8);
  guest.ram.write(header, [sevenBit(EEPROM), 0, 0, 0, ...u32(flags)]);
  return queue.place([
    { address: header, length: 8 },
    data,
    { address: status, length: 1, writable: true },
  ]);
}

const i2c: Workload = {
  name: "i2c",
  program: "vhost-device-i2c",
  arguments: () => ["-l", "s:0x50"],
  request: "two bytes of an EEPROM at an address (two messages)",
  descriptors: 6,
  connect(frontEnd, options) {
    const guest = new I2cGuest(frontEnd, options);
    guest.write(EEPROM, 0, 0x12, 0x34);
    return guest;
  },
  place(guest, queue) {
    const { ram } = guest;
    const [address, data] = [ram.allocate(1), ram.allocate(2)];
    const [sent, received] = [ram.allocate(1), ram.allocate(1)];
    ram.write(address, [0]);
    return {
      heads: [
        message(guest, queue, FAIL_NEXT, { address, length: 1 }, sent),
        message(guest, queue, READ, { address: data, length: 2, writable: true }, received),
      ],
      written: 3,
      isRight: () => {
        const [first, second] = ram.read(data, 2);
        const [status] = ram.read(received, 1);
        return first === 0x12 && second === 0x34 && status === 0;
      },
      spoil: () => {
        ram.write(data, [0xee, 0xee]);
        ram.write(received, [0xee]);
      },
    };
  },
};

const PATTERN = Array.from({ length: 16 }, (_, index) => index + 1);

const spi: Workload = {
  name: "spi",
  program: "vhost-device-spi",
  arguments: () => ["-l", "s1"],
  request: "16 bytes through a loopback",
  descriptors: 2,
  connect: (frontEnd, options) => new SpiGuest(frontEnd, { eventIndex: true, ...options }),
  place: (guest, queue) =>
    placed(guest, queue, [...encodeHead({}), ...PATTERN], 17, [...PATTERN, 0]),
};

export const WORKLOADS: readonly Workload[] = [gpio, i2c, spi];
