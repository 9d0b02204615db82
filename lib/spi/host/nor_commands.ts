/**
 * The commands of NOR flash chips of the 25 series, as far as it takes to know where each ends
 * (JEDEC JESD216 and the data sheets of the usual makers).
 *
 * @module
 */

/** What follows a command's code. */
interface Shape {
  /** Bytes of the address and dummy bytes, up to the data. */
  readonly prefix: number;
  readonly data: "none" | "read" | "write";
}

const shapes = new Map<number, Shape>();

function define(data: Shape["data"], prefix: number, ...codes: number[]): void {
  for (const code of codes) shapes.set(code, { prefix, data });
}

// Where data is read, the number of dummy bytes does not matter here: it varies, as do data lines.
define("read", 3, 0x03, 0x0b, 0x3b, 0x6b, 0x8b, 0xbb, 0xeb, 0xcb, 0x5a, 0x48, 0x4b, 0x90);
define("read", 4, 0x13, 0x0c, 0x3c, 0x6c, 0x7c, 0xbc, 0xec, 0xcc);
// Identity, status and configuration registers.
define(
  "read",
  0,
  0x9f,
  0x9e,
  0xaf,
  0x05,
  0x07,
  0x15,
  0x35,
  0x70,
  0x85,
  0xb5,
  0xc8,
  0x16,
  0x2d,
  0xe8,
);
define("write", 3, 0x02, 0x32, 0x38, 0x82, 0xa2, 0xd2, 0x42);
define("write", 4, 0x12, 0x34, 0x3e, 0x84, 0x8e);
define("write", 0, 0x01, 0x11, 0x31, 0x81, 0x61, 0xb1, 0xc5, 0x17, 0xc0);
define("none", 3, 0x20, 0x52, 0xd8, 0x44, 0x36, 0x39);
define("none", 4, 0x21, 0x5c, 0xdc);

const ENTER_4_BYTE_ADDRESSES = 0xb7;
const LEAVE_4_BYTE_ADDRESSES = 0xe9;
const RESET = 0x99;

/** No command has begun. */
const NONE = -1;

/** Follows the commands that a chip is sent, transfer by transfer. */
export class NorCommand {
  #code = NONE;
  /** Bytes so far, the code included. */
  #count = 0;
  #hasRead = false;
  /** Commands with a 3-byte address have one of 4 bytes. */
  #longAddresses = false;

  /** The chip is about to be selected: a command begins. */
  begin(): void {
    this.#code = NONE;
    this.#count = 0;
    this.#hasRead = false;
  }

  /**
   * A transfer.
   *
   * @param first the first byte sent
   * @param sent the number of bytes sent, 0 where it only reads
   * @param received the number of bytes received, 0 where it only writes
   */
  follow(first: number, sent: number, received: number): void {
    if (this.#code === NONE && sent > 0) {
      this.#code = first;
      if (first === ENTER_4_BYTE_ADDRESSES) this.#longAddresses = true;
      if (first === LEAVE_4_BYTE_ADDRESSES || first === RESET) this.#longAddresses = false;
    }
    this.#count += sent > 0 ? sent : received;
    if (received > 0) this.#hasRead = true;
  }

  /** True if the command is not complete: its address or data are still to come. */
  get expectsMore(): boolean {
    if (this.#code === NONE) return false;
    const shape = shapes.get(this.#code);
    if (shape === undefined) return false;
    const longer = shape.prefix === 3 && this.#longAddresses ? 1 : 0;
    const rest = this.#count - 1 - shape.prefix - longer;
    if (shape.data === "read") return !this.#hasRead;
    return shape.data === "write" ? rest <= 0 : rest < 0;
  }
}
