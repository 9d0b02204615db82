/**
 * The page: a section for each daemon, and what goes over all buses.
 *
 * @module
 */

import { pressing } from "./controls.js";
import { Daemon } from "./daemon.js";
import { element, newId, setText } from "./dom.js";
import { showTime } from "./format.js";
import { say } from "./say.js";
import { thingsOf } from "./things.js";
import { Transactions } from "./transactions.js";
import { drawAnew, timeline } from "./wave.js";

/** So many comings and goings are shown. */
const GUEST_EVENTS = 50;

/** @type {Readonly<Record<import("./connection.js").State, string>>} */
const STATES = {
  open: "connected",
  connecting: "connecting …",
  "daemon away": "the daemon is away; waiting for it",
  "panel away": "the connection to the panel is lost; trying again",
  silent: "the daemon does not answer; trying again",
};

/** @template {HTMLElement} Type @param {string} id @returns {Type} */
function find(id) {
  return /** @type {Type} */ (document.getElementById(id));
}

/** Labels: what daemons serve, with numbers where several serve the same. @param {readonly Daemon[]} daemons */
function label(daemons) {
  const types = daemons.map(({ described }) => described?.program.replace(/^vhost-device-/, ""));
  daemons.forEach((daemon, index) => {
    const type = types[index];
    if (type === undefined) return;
    const same = types.filter((other) => other === type).length;
    const number = types.slice(0, index + 1).filter((other) => other === type).length;
    daemon.label = same > 1 ? `${type}${number}` : type;
  });
}

class Section {
  #title = element("h2", { id: newId() });
  #state = element("span", { class: "state" });
  #guests = element("ul", { class: "guests" });
  #body = element("div", { class: "body" });

  /**
   * @param {URL} address
   * @param {string} path
   * @param {Page} page
   */
  constructor(address, path, page) {
    this.element = element(
      "section",
      { class: "daemon", "aria-labelledby": this.#title.id },
      element("header", {}, this.#title, this.#state, this.#guests),
      this.#body,
    );
    this.daemon = new Daemon(address, path, {
      onDescribed: () => this.#rebuild(page),
      onState: () => {
        this.#showState();
        page.showState();
      },
      onTransaction: (event) => page.transactions.add(this.daemon, event),
      onGuest: (event) => page.guestEvent(this.daemon, event),
      onMissed: (count) => say(`${count} changes of ${this.daemon.label} came too fast to be told`),
    });
    setText(this.#title, path);
    this.#showState();
  }

  /** @param {Page} page */
  #rebuild(page) {
    page.label();
    this.#body.replaceChildren(...thingsOf(this.daemon));
    for (const property of this.daemon.properties.values()) property.touch();
  }

  showLabel() {
    const { described, label, path } = this.daemon;
    setText(this.#title, label || path);
    if (described !== undefined) {
      this.#title.title = `${described.program} ${described.version} at ${path}`;
    }
  }

  #showState() {
    const { state, described } = this.daemon;
    const isOpen = state === "open";
    this.element.dataset.state = state;
    setText(this.#state, isOpen ? "" : STATES[state]);
    // What is not known to be so cannot be used.
    this.#body.inert = !isOpen;
    this.#guests.replaceChildren(
      ...(described?.guests ?? []).map(({ guest, title, state, socket }) =>
        element(
          "li",
          { class: "guest", "data-state": isOpen ? state : undefined, title: socket },
          element("strong", {}, `guest ${guest}`),
          element("span", { class: "what" }, isOpen ? state : "unknown"),
          element("span", { class: "place" }, title),
        )
      ),
    );
  }
}

class Page {
  transactions = new Transactions();
  /** @type {Section[]} */
  #sections = [];
  #comings = find("comings");
  #lost = "";

  constructor() {
    find("transactions").append(this.transactions.element);
    const span = /** @type {HTMLSelectElement} */ (find("span"));
    span.addEventListener("change", () => {
      timeline.span = Number(span.value) * 1000;
      dispatchEvent(new Event("timeline"));
      drawAnew();
    });
    const press = /** @type {HTMLSelectElement} */ (find("press"));
    press.addEventListener("change", () => pressing.time = Number(press.value));
    const hold = find("hold");
    hold.addEventListener("click", () => {
      timeline.heldAt = timeline.heldAt === undefined ? Date.now() : undefined;
      hold.setAttribute("aria-pressed", `${timeline.heldAt !== undefined}`);
      drawAnew();
    });
  }

  async begin() {
    for (;;) {
      try {
        const paths = await (await fetch("daemons")).json();
        const base = new URL(location.href);
        base.protocol = "ws:";
        this.#sections = paths.map((/** @type {string} */ path, /** @type {number} */ index) =>
          new Section(new URL(`daemon/${index}`, base), path, this)
        );
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    find("daemons").replaceChildren(...this.#sections.map((section) => section.element));
  }

  label() {
    label(this.#sections.map(({ daemon }) => daemon));
    for (const section of this.#sections) section.showLabel();
  }

  /** Says once what has become of connections. */
  showState() {
    const all = this.#sections.map(({ daemon }) => daemon);
    const isLost = all.length > 0 && all.every(({ state }) => state === "panel away");
    document.body.dataset.lost = `${isLost}`;
    const away = all.filter(({ state }) => state !== "open" && state !== "connecting");
    const lost = isLost
      ? STATES["panel away"]
      : away.map(({ label, path, state }) => `${label || path}: ${STATES[state]}`).join("; ");
    if (lost === this.#lost) return;
    say(lost === "" ? "connected again" : lost);
    this.#lost = lost;
    const banner = find("lost");
    setText(banner, lost);
    banner.hidden = lost === "";
  }

  /** @param {Daemon} daemon @param {any} event */
  guestEvent(daemon, { time, guest, state }) {
    this.#comings.prepend(
      element(
        "li",
        {},
        element("time", {}, showTime(time)),
        ` ${daemon.label}: guest ${guest} `,
        element("strong", {}, state),
      ),
    );
    while (this.#comings.children.length > GUEST_EVENTS) this.#comings.lastElementChild?.remove();
    find("none").hidden = true;
  }
}

new Page().begin();
