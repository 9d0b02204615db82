/**
 * A part that a program serves over the control socket: each message is a question to it.
 *
 * State: see `../../../simulation/remote/remote.ts`.
 *
 * @module
 */

import type { PartContext } from "../../../simulation/part.ts";
import { READ, WRITE } from "../../../simulation/remote/mailbox.ts";
import { Remote, remoteModel, type remoteProperties } from "../../../simulation/remote/remote.ts";
import { addressText } from "../../protocol.ts";
import type { I2cPart, I2cPartModel } from "../part.ts";

class RemoteI2c implements I2cPart {
  readonly #remote: Remote;
  #isFirst = true;

  constructor(context: PartContext<typeof remoteProperties>, address: number) {
    this.#remote = new Remote(context, `address ${addressText(address)}`);
  }

  start(_read: boolean): boolean {
    return true;
  }

  write(_byte: number): boolean {
    return false;
  }

  read(): number {
    return 0xff;
  }

  message(read: boolean, bytes: Uint8Array, begin: number, end: number): boolean {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return this.#remote.ask(read ? READ : WRITE, isFirst, bytes, begin, end);
  }

  stop(): void {
    this.#isFirst = true;
  }
}

/** `remote` */
export const remote: I2cPartModel<typeof remoteProperties> = {
  ...remoteModel,
  help: "a part that a program of yours serves, over the control socket",
  create: (context, address) => new RemoteI2c(context, address),
};
