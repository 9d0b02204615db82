/**
 * A connection to a daemon by way of the panel: requests and their replies, and events. It comes
 * back by itself.
 *
 * @module
 */

/** The code with which the panel says that the daemon cannot be reached. */
const DAEMON_AWAY = 4001;
/** From one attempt to the next, in milliseconds. */
const RETRY = 500;
/** How often the daemon is asked whether it is there, and for how long an answer may be missing. */
const BEAT = 1000;
const PATIENCE = 6000;

/** @typedef {"open" | "connecting" | "daemon away" | "panel away" | "silent"} State */

/**
 * @typedef {object} Listener
 * @property {() => void} onOpen it is there, and knows nothing of this page
 * @property {(state: State) => void} onState
 * @property {(event: any) => void} onEvent
 * @property {() => Promise<void>} onBeat asks for something, to see that there are answers
 */

export class Connection {
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  #ids = 0;
  #heard = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #beat;
  #address;
  #listener;

  /**
   * @param {URL} address
   * @param {Listener} listener
   */
  constructor(address, listener) {
    this.#address = address;
    this.#listener = listener;
    this.#connect();
  }

  /**
   * Asks the daemon for something.
   *
   * @param {string} method
   * @param {object} params
   * @returns {Promise<any>} fails with what the daemon says, or where the connection ends
   */
  call(method, params = {}) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) {
        reject(new Error("there is no connection"));
        return;
      }
      const id = ++this.#ids;
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  #connect() {
    const socket = this.#socket = new WebSocket(this.#address);
    socket.onopen = () => {
      this.#heard = performance.now();
      this.#beat = setInterval(() => this.#look(), BEAT);
      this.#listener.onOpen();
    };
    socket.onmessage = ({ data }) => {
      this.#heard = performance.now();
      for (const line of data.split("\n")) if (line !== "") this.#receive(JSON.parse(line));
    };
    socket.onclose = ({ code }) => this.#lose(code === DAEMON_AWAY ? "daemon away" : "panel away");
  }

  /** @param {any} message */
  #receive(message) {
    if (message.method === "event") {
      this.#listener.onEvent(message.params);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error !== undefined) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  }

  /** @param {State} state */
  #lose(state) {
    clearInterval(this.#beat);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error("the connection has ended"));
    this.#listener.onState(state);
    setTimeout(() => this.#connect(), RETRY);
  }

  #look() {
    if (performance.now() - this.#heard > PATIENCE) this.#lose("silent");
    else this.#listener.onBeat().catch(() => {});
  }
}
