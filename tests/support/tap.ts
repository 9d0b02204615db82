/**
 * A thread between a front-end and a back-end that passes everything on, and knows where a ring is.
 * When the driver has disabled all queues and asks for features, as a barrier, it holds the
 * answer back: the guest stands still, and whatever happens to its memory now is the back-end's
 * doing.
 *
 * @module
 */

import { close } from "../../ffi/fd.ts";
import { Mapping } from "../../ffi/memory.ts";
import { accept, listenAt, MessageReceiver, MessageSender } from "../../ffi/socket.ts";
import { connectTo, socketPair } from "./kernel_objects.ts";
import { pause, until, waitReadable } from "./wait.ts";
import { REQUEST } from "./wire.ts";

/** What the thread is to do. */
export interface TapWork {
  /** Where it listens. */
  readonly path: string;
  /** The back-end's socket. */
  readonly backEnd: string;
  /** The queue to look at, and how many there are. */
  readonly queue: number;
  readonly queues: number;
  /** A FIFO into which it writes a byte while the guest stands still. */
  readonly fifo: string;
  /** The back-end's log, and a text in it that says that the byte has had its effect. */
  readonly log: string;
  readonly effect: string;
}

/** What it has seen. */
export interface TapFindings {
  /** How many chains the device held. */
  readonly held: number;
  /** True if the used ring or one of those chains' buffers was written. */
  readonly written: boolean;
  /** How many bytes came through the call descriptor. */
  readonly called: number;
}

/** Where it is, in addresses of the front-end. */
interface Ring {
  size: number;
  descriptors: number;
  used: number;
  available: number;
}

class Tap {
  readonly #guest: number;
  readonly #backEnd: number;
  readonly #receiver = new MessageReceiver(65536);
  readonly #sender = new MessageSender(65536);
  readonly #ring: Ring = { size: 0, descriptors: 0, used: 0, available: 0 };
  readonly #disabled = new Set<number>();
  /** The two ends of the call descriptor: what the back-end calls, and whom that is passed on to. */
  #calls: [heard: number, driver: number] | undefined;
  #memory: { mapping: Mapping; userAddress: number; guestAddress: number } | undefined;

  constructor(readonly work: TapWork, readonly report: (findings: TapFindings) => void) {
    const listener = listenAt(work.path);
    waitReadable(listener, 60_000);
    this.#guest = accept(listener);
    close(listener);
    this.#backEnd = connectTo(work.backEnd);
  }

  /** Passes messages on until one side has gone. */
  run(): void {
    while (this.#passOn(this.#guest, this.#backEnd) && this.#passOn(this.#backEnd, this.#guest)) {
      this.#passCallsOn();
    }
    close(this.#guest);
    close(this.#backEnd);
  }

  /** @returns false at the end of the connection */
  #passOn(from: number, to: number): boolean {
    if (!waitReadable(from, 1)) return true;
    const fds: number[] = [];
    const { bytes } = this.#receiver;
    const view = new DataView(bytes.buffer);
    for (let got = 0, size = 12; got < size;) {
      const count = this.#receiver.receive(from, got, size - got, fds);
      if (count <= 0) return false;
      got += count;
      if (got === 12) size += view.getUint32(8, true);
    }
    const length = 12 + view.getUint32(8, true);
    if (from === this.#guest) this.#look(view, fds);
    this.#sender.bytes.set(bytes.subarray(0, length));
    this.#sender.send(to, length, fds);
    for (const fd of fds) close(fd);
    return true;
  }

  /** Takes notice of a message of the front-end. */
  #look(view: DataView, fds: number[]): void {
    const address = (offset: number) => Number(view.getBigUint64(12 + offset, true));
    const { queue, queues } = this.work;
    const [index, value] = [view.getUint32(12, true), view.getUint32(16, true)];
    switch (view.getUint32(0, true)) {
      case REQUEST.SET_MEM_TABLE:
        this.#memory = {
          mapping: new Mapping(fds[0], address(32), address(16)),
          guestAddress: address(8),
          userAddress: address(24),
        };
        break;
      case REQUEST.SET_VRING_NUM:
        if (index === queue) this.#ring.size = value;
        break;
      case REQUEST.SET_VRING_ADDR:
        if (index !== queue) break;
        this.#ring.descriptors = address(8);
        this.#ring.used = address(16);
        this.#ring.available = address(24);
        break;
      case REQUEST.SET_VRING_CALL:
        if (index === queue) {
          const [heard, called] = socketPair();
          this.#calls = [heard, fds[0]];
          fds[0] = called;
        }
        break;
      case REQUEST.SET_VRING_ENABLE:
        if (value === 0) this.#disabled.add(index);
        else this.#disabled.delete(index);
        break;
      case REQUEST.GET_FEATURES:
        if (this.#disabled.size === queues) this.#experiment();
    }
  }

  #passCallsOn(): number {
    if (this.#calls === undefined) return 0;
    const [heard, driver] = this.#calls;
    let total = 0;
    while (waitReadable(heard, 0)) {
      const count = this.#receiver.receive(heard, 0, 8, []);
      if (count <= 0) break;
      this.#sender.bytes.set(this.#receiver.bytes.subarray(0, count));
      this.#sender.send(driver, count);
      total += count;
    }
    return total;
  }

  #experiment(): void {
    const { mapping, userAddress, guestAddress } = this.#memory!;
    const { size, descriptors, used, available } = this.#ring;
    const message = this.#receiver.bytes.slice(0, 12);
    // The back-end has handled what was sent before when it answers this.
    this.#sender.bytes.set(message);
    this.#sender.send(this.#backEnd, 12);
    waitReadable(this.#backEnd);
    this.#receiver.receive(this.#backEnd, 0, 20, []);
    this.#receiver.bytes.set(message);
    this.#passCallsOn();

    const ring = new DataView(mapping.buffer(available - userAddress, 6 + 2 * size));
    const table = new DataView(mapping.buffer(descriptors - userAddress, 16 * size));
    const entries = new Uint8Array(mapping.buffer(used - userAddress, 6 + 8 * size));
    const usedIndex = new DataView(entries.buffer).getUint16(2, true);
    const held = (ring.getUint16(2, true) - usedIndex) & 0xffff;
    const parts: Uint8Array[] = [entries];
    for (let count = 0; count < held; count++) {
      let index = ring.getUint16(4 + 2 * ((usedIndex + count) & (size - 1)), true);
      for (;;) {
        const address = Number(table.getBigUint64(16 * index, true)) - guestAddress;
        parts.push(new Uint8Array(mapping.buffer(address, table.getUint32(16 * index + 8, true))));
        if ((table.getUint16(16 * index + 12, true) & 1) === 0) break;
        index = table.getUint16(16 * index + 14, true);
      }
    }
    const before = parts.map((part) => part.slice());
    Deno.writeFileSync(this.work.fifo, new Uint8Array(1));
    const { log, effect } = this.work;
    until("the edge arrives", () => Deno.readTextFileSync(log).includes(effect));
    pause(50);
    const written = parts.some((part, at) =>
      part.some((byte, index) => byte !== before[at][index])
    );
    this.report({ held, written, called: this.#passCallsOn() });
    this.#disabled.clear();
  }
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<TapWork>) => void;
  postMessage(message: TapFindings): void;
  close(): void;
};
scope.onmessage = ({ data }) => {
  new Tap(data, (findings) => scope.postMessage(findings)).run();
  scope.close();
};
