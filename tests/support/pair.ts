/**
 * A back-end and a guest on the test's own thread, for tests of what happens between the two.
 *
 * @module
 */

import type { Segment } from "./driver_queue.ts";
import { EchoDevice } from "./echo_device.ts";
import { Guest, type GuestOptions } from "./guest.ts";
import { GuestRam } from "./guest_ram.ts";
import { InProcess } from "./in_process.ts";

/** A back-end and a guest at work. */
export class Pair implements Disposable {
  readonly backEnd: InProcess;
  readonly guest: Guest;

  constructor(options: GuestOptions = {}, device = new EchoDevice()) {
    this.backEnd = new InProcess(device);
    this.guest = new Guest(this.backEnd.connect(), options);
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.backEnd[Symbol.dispose]();
  }
}

/** A request on a buffer of one byte of its own. */
export function oneByte(guest: Guest, value: number): Segment[] {
  const address = guest.ram.allocate(2, 1);
  guest.ram.write(address, [value, 0xee]);
  return [{ address, length: 1 }, { address: address + 1, length: 1, writable: true }];
}

/** The same connection with a driver that was bound again: fresh memory, rings from the start. */
export class Rebound implements Disposable {
  readonly ram = new GuestRam([{ guestAddress: 0x80_0000, size: 0x10_0000 }]);
  readonly guest: Guest;

  constructor(before: Guest, options: GuestOptions = {}) {
    const { frontEnd } = before;
    this.guest = new Guest(frontEnd, { ...options, ram: this.ram });
  }

  [Symbol.dispose](): void {
    this.guest[Symbol.dispose]();
    this.ram[Symbol.dispose]();
  }
}
