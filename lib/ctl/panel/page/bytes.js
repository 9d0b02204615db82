/**
 * Bytes of a part: some of them in hexadecimal and as text, with marks at what was changed.
 *
 * @module
 */

import { element, newId, setText } from "./dom.js";
import { draw } from "./frames.js";
import { hex, readInteger } from "./format.js";
import { bytesOf, FRESH } from "./memory.js";
import { say } from "./say.js";

/** So many bytes in a row, from that width on, in pixels. */
const COLUMNS = [[32, 1060], [16, 560], [8, 0]];
/** So many bytes are shown at once, or half of them where rows are short. */
const SHOWN = 256;

/** @param {number} byte */
function character(byte) {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
}

export class BytesView {
  #property;
  #memory;
  #count;
  #digits;
  #columns = 0;
  #isReading = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{ row: HTMLElement, head: HTMLElement, cells: HTMLElement[], text: HTMLElement[] }[]} */
  #rows = [];
  #table = element("table", { class: "hex" });
  #where = element("output", { class: "where" });
  #follow = element("input", { type: "checkbox", checked: true });
  #goTo = element("input", { type: "text", placeholder: "0x00", spellcheck: "false" });
  #followed = 0;
  #pages;

  /** @param {import("./property.js").Property} property whose type is bytes */
  constructor(property) {
    this.#property = property;
    this.#memory = /** @type {import("./memory.js").Memory} */ (property.memory);
    this.#count = property.described.count ?? 0;
    this.#digits = Math.max(2, (this.#count - 1).toString(16).length);
    const { name } = property;
    this.#table.setAttribute("aria-label", `${name} in hexadecimal`);
    const step = (/** @type {number} */ pages) => () => this.#move(pages);
    const button = (
      /** @type {string} */ text,
      /** @type {string} */ label,
      /** @type {() => void} */ click,
    ) => element("button", { type: "button", "aria-label": `${label} of ${name}`, click }, text);
    this.#goTo.setAttribute("aria-label", `Go to a byte of ${name}`);
    this.#goTo.addEventListener("change", () => {
      const at = readInteger(this.#goTo.value);
      if (at === undefined || at >= this.#count) say(`${name} has no byte '${this.#goTo.value}'`);
      else this.#goToByte(at);
    });
    this.#pages = element(
      "span",
      { class: "pages" },
      button("◀", "Bytes before", step(-1)),
      button("▶", "Bytes after", step(1)),
      this.#goTo,
    );
    this.element = element(
      "div",
      { class: "bytes" },
      element(
        "div",
        { class: "tools" },
        this.#where,
        this.#pages,
        element("label", {}, this.#follow, " follow changes"),
        button("Clear marks", "Clear marks", () => {
          this.#memory.marks = [];
          this.#show();
        }),
      ),
      element("div", { class: "scroll" }, this.#table),
      ...(property.isSettable ? [this.#form()] : []),
    );
    new ResizeObserver(() => this.#arrange()).observe(this.element);
    property.show(() => this.#show());
  }

  get #page() {
    return this.#columns < 16 ? SHOWN / 2 : SHOWN;
  }

  #arrange() {
    const { clientWidth } = this.element;
    const [columns] = /** @type {number[]} */ (COLUMNS.find(([, from]) => clientWidth >= from));
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#pages.hidden = this.#page >= this.#count;
    const memory = this.#memory;
    memory.at -= memory.at % this.#page;
    memory.isStale = true;
    const rows = Math.ceil(Math.min(this.#page, this.#count) / columns);
    this.#rows = Array.from({ length: rows }, () => {
      const head = element("th", { scope: "row" });
      const cells = Array.from({ length: columns }, () => element("td"));
      const text = Array.from({ length: columns }, () => element("span"));
      const row = element("tr", {}, head, ...cells, element("td", { class: "text" }, ...text));
      return { row, head, cells, text };
    });
    const heads = Array.from(
      { length: columns },
      (_, column) => element("th", { scope: "col" }, column.toString(16)),
    );
    this.#table.replaceChildren(
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("td"),
          ...heads,
          element("th", { scope: "col", class: "text" }, "text"),
        ),
      ),
      element("tbody", {}, ...this.#rows.map(({ row }) => row)),
    );
    this.#show();
  }

  /** @param {number} pages */
  #move(pages) {
    this.#goToByte(Math.min(this.#count - 1, Math.max(0, this.#memory.at + pages * this.#page)));
  }

  /** @param {number} at */
  #goToByte(at) {
    const memory = this.#memory;
    const begin = at - at % this.#page;
    if (begin === memory.at) return;
    memory.at = begin;
    memory.bytes = undefined;
    memory.isStale = true;
    this.#show();
  }

  #show() {
    if (this.#columns === 0) return;
    const memory = this.#memory;
    const last = memory.marks.at(-1);
    if (this.#follow.checked && last !== undefined && last.time > this.#followed) {
      this.#followed = last.time;
      this.#goToByte(last.at);
    }
    if (memory.isStale) this.#read();
    this.#fill();
  }

  async #read() {
    if (this.#isReading) return;
    this.#isReading = true;
    const memory = this.#memory;
    const { at } = memory;
    const length = Math.min(this.#page, this.#count - at);
    memory.isStale = false;
    try {
      const { name, daemon } = this.#property;
      const { data } = await daemon.call("read", { name, at, length });
      if (memory.at === at) memory.bytes = bytesOf(data);
    } catch {
      // Once there is a connection, all is read again.
    }
    this.#isReading = false;
    if (memory.isStale || memory.at !== at) draw(() => this.#show());
    else this.#fill();
  }

  #fill() {
    const { at, bytes, marks } = this.#memory;
    const now = this.#property.daemon.now();
    const end = Math.min(at + this.#page, this.#count);
    setText(
      this.#where,
      `${hex(at, this.#digits)} – ${hex(end - 1, this.#digits)} of ${this.#count} bytes`,
    );
    const hasMarks = marks.some((mark) => mark.at < end && mark.end > at);
    let freshest = 0;
    this.#rows.forEach(({ row, head, cells, text }, index) => {
      const begin = at + index * this.#columns;
      row.hidden = begin >= end;
      setText(head, begin.toString(16).padStart(this.#digits, "0"));
      cells.forEach((cell, column) => {
        const place = begin + column;
        const byte = place < end ? bytes?.[place - at] : undefined;
        const time = hasMarks && place < end ? this.#memory.changedAt(place) : undefined;
        const mark = time === undefined ? "" : now - time < FRESH ? "fresh" : "changed";
        if (mark === "fresh") freshest = Math.max(freshest, /** @type {number} */ (time));
        setText(cell, byte === undefined ? "" : byte.toString(16).padStart(2, "0"));
        setText(text[column], byte === undefined ? "" : character(byte));
        if (cell.className !== mark) cell.className = text[column].className = mark;
      });
    });
    clearTimeout(this.#timer);
    if (freshest > 0) this.#timer = setTimeout(() => this.#fill(), freshest + FRESH - now + 20);
  }

  #form() {
    const { name, daemon } = this.#property;
    const at = element("input", { type: "text", id: newId(), value: "0x00", spellcheck: "false" });
    const data = element("input", {
      type: "text",
      id: newId(),
      placeholder: "68 65 6c 6c 6f",
      spellcheck: "false",
      required: true,
    });
    const write = async (/** @type {Event} */ event) => {
      event.preventDefault();
      const place = readInteger(at.value);
      const digits = data.value.replaceAll(/\s+|0x/g, "");
      if (place === undefined || !/^([0-9a-fA-F]{2})+$/.test(digits)) {
        return say("bytes are written in hexadecimal, two digits each");
      }
      try {
        await daemon.call("write", { name, at: place, data: digits });
        say(`${digits.length / 2} bytes of ${name} are written`);
      } catch (error) {
        say(/** @type {Error} */ (error).message);
      }
    };
    return element(
      "details",
      {},
      element("summary", {}, "Write bytes"),
      element(
        "form",
        { class: "line", submit: write },
        element("label", { for: at.id }, "from"),
        at,
        element("label", { for: data.id }, "bytes"),
        data,
        element("button", {}, "Write"),
      ),
    );
  }
}
