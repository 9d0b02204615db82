/**
 * What goes over buses: the newest first, as far as it is looked for.
 *
 * @module
 */

import { element, newId, setText } from "./dom.js";
import { showTime, spaced } from "./format.js";

/** So many are kept, and of those that are looked for so many shown. */
const KEPT = 2000;
const SHOWN = 100;
/** So long a text is not folded. */
const BRIEF = 150;
/** From one look at what has come to the next, in milliseconds. */
const PERIOD = 150;

/** @typedef {{ time: number, where: string, text: string, ok: boolean, found: string }} Transaction */

/** @param {any} message */
function shown({ write, read, length }) {
  const digits = write ?? read;
  const rest = length === undefined ? "" : ` … (${length} bytes)`;
  return `${write === undefined ? "read" : "write"} ${spaced(digits)}${rest}`.trimEnd();
}

/** What is longer than a line or two is shown on demand. @param {string} text */
function folded(text) {
  if (text.length <= BRIEF + 3) return text;
  const cut = text.lastIndexOf(" ", BRIEF);
  return element(
    "details",
    {},
    element("summary", {}, `${text.slice(0, cut)} …`),
    text.slice(cut + 1),
  );
}

export class Transactions {
  /** The oldest first. @type {Transaction[]} */
  #all = [];
  #rows = element("tbody");
  #filter = element("input", { type: "search", id: newId(), placeholder: "0x50, write, failed …" });
  #pause;
  #state = element("output", { class: "where" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** How many have come since it was paused. */
  #unseen = 0;
  #isPaused = false;

  constructor() {
    this.#pause = element("button", {
      type: "button",
      "aria-pressed": "false",
      click: () => this.#turn(),
    }, "Pause");
    this.#filter.addEventListener("input", () => this.#show());
    const heads = ["Time", "Where", "What", ""];
    this.element = element(
      "div",
      {},
      element(
        "div",
        { class: "tools" },
        element("label", { for: this.#filter.id }, "Filter"),
        this.#filter,
        this.#pause,
        element("button", {
          type: "button",
          click: () => {
            this.#all = [];
            this.#show();
          },
        }, "Clear"),
        this.#state,
      ),
      element(
        "div",
        { class: "log", tabindex: 0, role: "region", "aria-label": "Bus transactions" },
        element(
          "table",
          {},
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              ...heads.map((head) =>
                head === "" ? element("td") : element("th", { scope: "col" }, head)
              ),
            ),
          ),
          this.#rows,
        ),
      ),
    );
    this.#show();
  }

  /**
   * @param {import("./daemon.js").Daemon} daemon
   * @param {any} event
   */
  add(daemon, { time, guest, place, messages, ok }) {
    const where = `${daemon.label}: guest ${guest}, ${place}`;
    const text = messages.map(shown).join(", ");
    const found = `${where} ${text} ${
      text.replaceAll(/(?<=\b[0-9a-f]{2}) (?=[0-9a-f]{2}\b)/g, "")
    } ${ok ? "" : "failed"}`;
    this.#all.push({ time, where, text, ok, found: found.toLowerCase() });
    if (this.#all.length > 1.25 * KEPT) this.#all.splice(0, this.#all.length - KEPT);
    if (this.#isPaused) this.#unseen++;
    this.#later();
  }

  #later() {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isPaused) this.#tell();
      else this.#show();
    }, PERIOD);
  }

  #turn() {
    this.#isPaused = !this.#isPaused;
    this.#unseen = 0;
    this.#pause.setAttribute("aria-pressed", `${this.#isPaused}`);
    if (this.#isPaused) this.#tell();
    else this.#show();
  }

  #tell() {
    setText(this.#state, `paused, ${this.#unseen} have come since`);
  }

  #show() {
    const wanted = this.#filter.value.trim().toLowerCase();
    /** @type {Transaction[]} */
    const found = [];
    for (let index = this.#all.length - 1; index >= 0 && found.length < SHOWN; index--) {
      if (this.#all[index].found.includes(wanted)) found.push(this.#all[index]);
    }
    this.#rows.replaceChildren(
      ...found.map(({ time, where, text, ok }) =>
        element(
          "tr",
          { class: ok ? undefined : "failed" },
          element("td", {}, showTime(time)),
          element("td", {}, where),
          element("td", { class: "data" }, folded(text)),
          element("td", {}, ok ? "" : "failed"),
        )
      ),
    );
    if (this.#all.length === 0) setText(this.#state, "nothing has gone over a bus yet");
    else if (found.length === 0) setText(this.#state, "none of them is like that");
    else setText(this.#state, "");
  }
}
