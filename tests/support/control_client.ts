/**
 * A client of the control socket.
 *
 * @module
 */

/** An event, or the reply to a request. */
export interface ControlMessage {
  readonly id?: number | string | null;
  // deno-lint-ignore no-explicit-any
  readonly result?: any;
  readonly error?: { readonly code: number; readonly message: string };
  readonly method?: string;
  // deno-lint-ignore no-explicit-any
  readonly params?: any;
}

/** A connection. */
export class ControlClient implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #decoder = new TextDecoder();
  #text = "";
  #ids = 0;
  readonly #events: ControlMessage[] = [];

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  /** Connects; where too many wait to be accepted, once there are fewer. */
  static async connect(path: string): Promise<ControlClient> {
    for (;;) {
      try {
        return new ControlClient(await Deno.connect({ transport: "unix", path }));
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  /** Sends text as it is. */
  async send(text: string): Promise<void> {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
  }

  /** The next message; `undefined` at the end of the connection. */
  async next(): Promise<ControlMessage | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line);
      }
      const buffer = new Uint8Array(65536);
      const count = await this.#connection.read(buffer);
      if (count === null) return undefined;
      this.#text += this.#decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  }

  /** Sends a request and waits for its reply; events that come before are kept. */
  async request(method: string, params: object = {}): Promise<ControlMessage> {
    const id = ++this.#ids;
    await this.send(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`the connection has ended before ${method}`);
      if (message.id === id) return message;
      this.#events.push(message);
    }
  }

  /** The same, and the result. */
  // deno-lint-ignore no-explicit-any
  async call(method: string, params: object = {}): Promise<any> {
    const { result, error } = await this.request(method, params);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** The parameters of the next event. */
  // deno-lint-ignore no-explicit-any
  async event(): Promise<any> {
    const message = this.#events.shift() ?? await this.next();
    if (message === undefined) throw new Error("the connection has ended");
    return message.params;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
