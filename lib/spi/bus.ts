/**
 * Who may use an SPI bus: the guests of one daemon, each on a thread of its own, take turns.
 *
 * @module
 */

// Words of the shared memory. A guest is known by its number plus one; 0 stands for nobody.
const OWNER = 0;
const WAITING = 1;

/**
 * The right to use a bus, shared by threads. A guest keeps it from the start of a transfer to its
 * end, and on as long as a chip stays selected. Who asks in vain asks again later, and comes next.
 */
export class Bus {
  /** The size of the shared memory in bytes. */
  static readonly SIZE = 8;

  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #me: number;

  /**
   * @param memory of {@linkcode Bus.SIZE} zeroed bytes, the same for all guests
   * @param guest the number of this thread's guest
   */
  constructor(memory: SharedArrayBuffer, guest: number) {
    this.#words = new Int32Array(memory);
    this.#me = guest + 1;
  }

  /** True if this guest has the bus. */
  get isMine(): boolean {
    return Atomics.load(this.#words, OWNER) === this.#me;
  }

  /** True if another guest is waiting for it. */
  get isWanted(): boolean {
    const waiting = Atomics.load(this.#words, WAITING);
    return waiting !== 0 && waiting !== this.#me;
  }

  /** Takes the bus, or gets in line for it and returns false. */
  claim(): boolean {
    const waiting = Atomics.load(this.#words, WAITING);
    const next = waiting === 0 || waiting === this.#me;
    if (next && Atomics.compareExchange(this.#words, OWNER, 0, this.#me) === 0) {
      if (waiting !== 0) Atomics.compareExchange(this.#words, WAITING, this.#me, 0);
      return true;
    }
    if (waiting === 0) Atomics.compareExchange(this.#words, WAITING, 0, this.#me);
    return false;
  }

  /** Gives the bus back, and a place in the line for it. */
  release(): void {
    Atomics.compareExchange(this.#words, OWNER, this.#me, 0);
    Atomics.compareExchange(this.#words, WAITING, this.#me, 0);
  }
}
