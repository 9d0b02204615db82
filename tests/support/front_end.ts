/**
 * A vhost-user front-end of our own: well-behaved where it is asked to be, and able to send
 * anything else as well. Synchronous: every call has had its effect on the socket when it returns.
 *
 * @module
 */

import { EAGAIN, errno, SystemError } from "../../ffi/errno.ts";
import { close } from "../../ffi/fd.ts";
import { MessageReceiver, MessageSender } from "../../ffi/socket.ts";
import { connectTo } from "./kernel_objects.ts";
import type { GuestRam } from "./guest_ram.ts";
import { PATIENCE, waitReadable, waitWritable } from "./wait.ts";
import {
  concatenate,
  FLAG_NEED_REPLY,
  FLAG_REPLY,
  FLAGS_VERSION_1,
  memoryTable,
  message,
  NO_FD,
  region,
  REQUEST,
  u32,
  u64,
  type WireRegion,
} from "./wire.ts";

const BUFFER_SIZE = 65536;

/** A message of the back-end. */
export interface Reply {
  readonly request: number;
  readonly flags: number;
  readonly payload: DataView<ArrayBuffer>;
}

/** The back-end has closed the connection. */
export class ConnectionClosed extends Error {
  override readonly name = "ConnectionClosed";
}

/** One connection to a back-end. */
export class FrontEnd implements Disposable {
  /** Asks for REPLY_ACK with every message that can have one; needs the protocol feature. */
  acknowledged = false;
  readonly #sender = new MessageSender(BUFFER_SIZE);
  readonly #receiver = new MessageReceiver(BUFFER_SIZE);
  #open = true;

  /**
   * @param socket connected; belongs to the front-end from now on
   * @param pump lets a back-end on the same thread do its work, before any wait
   */
  constructor(readonly socket: number, readonly pump: (() => void) | undefined = undefined) {}

  /** Connects to the socket at `path`. */
  static connect(path: string): FrontEnd {
    return new FrontEnd(connectTo(path));
  }

  /** Sends bytes as they are, with descriptors. */
  sendBytes(bytes: Uint8Array, fds: readonly number[] = []): void {
    let sent = 0;
    while (sent < bytes.length) {
      const part = bytes.subarray(sent, sent + BUFFER_SIZE);
      this.#sender.bytes.set(part);
      const count = this.#sender.send(this.socket, part.length, sent === 0 ? fds : []);
      if (count >= 0) {
        sent += count;
        continue;
      }
      const number = errno();
      if (number !== EAGAIN) throw new SystemError("sendmsg", number);
      this.pump?.();
      if (!waitWritable(this.socket)) throw new Error("the back-end does not read");
    }
  }

  /** Sends a message; see {@linkcode tell} for one that is acknowledged where that is agreed. */
  send(request: number, payload: ArrayLike<number> = [], fds: readonly number[] = []): void {
    this.sendBytes(message(request, payload), fds);
    this.pump?.();
  }

  /**
   * Receives a message of the back-end.
   *
   * @throws {ConnectionClosed} where there is none to come
   */
  receive(milliseconds = PATIENCE): Reply {
    const deadline = performance.now() + milliseconds;
    this.#fill(0, 12, deadline);
    const header = new DataView(this.#receiver.bytes.buffer, 0, 12);
    const size = header.getUint32(8, true);
    if (size > BUFFER_SIZE - 12) throw new Error(`a reply of ${size} bytes`);
    this.#fill(12, size, deadline);
    return {
      request: header.getUint32(0, true),
      flags: header.getUint32(4, true),
      payload: new DataView(this.#receiver.bytes.slice(12, 12 + size).buffer),
    };
  }

  #fill(offset: number, length: number, deadline: number): void {
    let got = 0;
    while (got < length) {
      this.pump?.();
      const fds: number[] = [];
      const count = this.#receiver.receive(this.socket, offset + got, length - got, fds);
      for (const fd of fds) close(fd);
      if (count > 0) {
        got += count;
        continue;
      }
      if (count === 0) throw new ConnectionClosed("the back-end closed the connection");
      const number = errno();
      // With something unread, closing a Unix socket resets it.
      if (number !== EAGAIN) throw new ConnectionClosed(`receiving failed: ${number}`);
      const rest = deadline - performance.now();
      if (rest <= 0 || !waitReadable(this.socket, this.pump ? 1 : rest) && !this.pump) {
        throw new Error("the back-end does not answer");
      }
    }
  }

  /** Throws away what the back-end has sent. */
  discard(): void {
    const fds: number[] = [];
    while (this.#receiver.receive(this.socket, 0, BUFFER_SIZE, fds) > 0);
    for (const fd of fds) close(fd);
  }

  /** Asks, and checks that the answer is one to this question. */
  ask(request: number, payload: ArrayLike<number> = [], fds: readonly number[] = []) {
    this.send(request, payload, fds);
    return this.#answer(request).payload;
  }

  #answer(request: number): Reply {
    const reply = this.receive();
    if (reply.request !== request || reply.flags !== (FLAGS_VERSION_1 | FLAG_REPLY)) {
      throw new Error(
        `asked ${request}, answered ${reply.request} with flags 0x${reply.flags.toString(16)}`,
      );
    }
    return reply;
  }

  /** Asks for one 64-bit number. */
  askNumber(request: number): bigint {
    const payload = this.ask(request);
    if (payload.byteLength !== 8) throw new Error(`a reply of ${payload.byteLength} bytes, not 8`);
    return payload.getBigUint64(0, true);
  }

  /** Sends a message with `need_reply` and returns the outcome: 0 for success. */
  outcome(request: number, payload: ArrayLike<number> = [], fds: readonly number[] = []): bigint {
    this.sendBytes(message(request, payload, FLAGS_VERSION_1 | FLAG_NEED_REPLY), fds);
    const reply = this.#answer(request).payload;
    if (reply.byteLength !== 8) throw new Error(`an outcome of ${reply.byteLength} bytes`);
    return reply.getBigUint64(0, true);
  }

  /** Sends a message that has no answer of its own. */
  tell(request: number, payload: ArrayLike<number> = [], fds: readonly number[] = []): void {
    if (!this.acknowledged) return this.send(request, payload, fds);
    const outcome = this.outcome(request, payload, fds);
    if (outcome !== 0n) throw new Error(`request ${request} failed with ${outcome}`);
  }

  /** Waits until all that was sent before has had its effect. */
  barrier(): void {
    this.getFeatures();
  }

  getFeatures(): bigint {
    return this.askNumber(REQUEST.GET_FEATURES);
  }

  setFeatures(features: bigint): void {
    this.tell(REQUEST.SET_FEATURES, u64(features));
  }

  getProtocolFeatures(): bigint {
    return this.askNumber(REQUEST.GET_PROTOCOL_FEATURES);
  }

  setProtocolFeatures(features: bigint): void {
    this.tell(REQUEST.SET_PROTOCOL_FEATURES, u64(features));
  }

  setOwner(): void {
    this.tell(REQUEST.SET_OWNER);
  }

  setMemoryTable(ram: GuestRam): void {
    const fds = ram.regions.map(({ fd }) => fd);
    this.tell(REQUEST.SET_MEM_TABLE, memoryTable(ram.regions), fds);
  }

  addRegion(description: WireRegion, fd: number): void {
    this.tell(REQUEST.ADD_MEM_REG, concatenate(u64(0), region(description)), [fd]);
  }

  removeRegion(description: WireRegion): void {
    this.tell(REQUEST.REM_MEM_REG, concatenate(u64(0), region(description)));
  }

  setVringSize(queue: number, size: number): void {
    this.tell(REQUEST.SET_VRING_NUM, u32(queue, size));
  }

  setVringBase(queue: number, base: number): void {
    this.tell(REQUEST.SET_VRING_BASE, u32(queue, base));
  }

  /** Addresses are the front-end's. */
  setVringAddresses(
    queue: number,
    addresses: { descriptors: number; used: number; available: number },
    log = 0n,
  ): void {
    const { descriptors, used, available } = addresses;
    const payload = concatenate(u32(queue, 0), u64(descriptors, used, available, log));
    this.tell(REQUEST.SET_VRING_ADDR, payload);
  }

  /** @param fd -1 for none, announced as such */
  setVringKick(queue: number, fd: number): void {
    this.#vringFd(REQUEST.SET_VRING_KICK, queue, fd);
  }

  setVringCall(queue: number, fd: number): void {
    this.#vringFd(REQUEST.SET_VRING_CALL, queue, fd);
  }

  setVringError(queue: number, fd: number): void {
    this.#vringFd(REQUEST.SET_VRING_ERR, queue, fd);
  }

  #vringFd(request: number, queue: number, fd: number): void {
    if (fd < 0) this.tell(request, u64(queue | NO_FD));
    else this.tell(request, u64(queue), [fd]);
  }

  setVringEnable(queue: number, enable: boolean): void {
    this.tell(REQUEST.SET_VRING_ENABLE, u32(queue, enable ? 1 : 0));
  }

  getVringBase(queue: number): number {
    const payload = this.ask(REQUEST.GET_VRING_BASE, u32(queue, 0));
    if (payload.getUint32(0, true) !== queue) throw new Error("a reply for another queue");
    return payload.getUint32(4, true);
  }

  /** The bytes of the configuration space, or `undefined` for the error reply. */
  getConfig(offset: number, size: number): Uint8Array<ArrayBuffer> | undefined {
    const range = u32(offset, size, 0);
    const payload = this.ask(REQUEST.GET_CONFIG, concatenate(range, new Uint8Array(size)));
    if (payload.byteLength === 0) return undefined;
    if (payload.getUint32(0, true) !== offset || payload.getUint32(4, true) !== size) {
      throw new Error("another part of the configuration space than asked");
    }
    return new Uint8Array(payload.buffer.slice(12));
  }

  /** True if the back-end closes the connection within the time. */
  isClosed(milliseconds = PATIENCE): boolean {
    try {
      for (;;) this.receive(milliseconds);
    } catch (error) {
      return error instanceof ConnectionClosed;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.socket);
    this.pump?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
