/**
 * Faults that a part can be given.
 *
 * @module
 */

import { element, newId } from "./dom.js";
import { say } from "./say.js";

/** @typedef {import("../../described.ts").DescribedThing} DescribedThing */

/**
 * @param {import("./daemon.js").Daemon} daemon
 * @param {DescribedThing} thing
 */
export function faults(daemon, { name, faults }) {
  const kind = element(
    "select",
    { id: newId() },
    ...faults.map((fault) => element("option", {}, fault)),
  );
  const count = element("input", { type: "number", id: newId(), min: 1, value: 1, required: true });
  const inject = async (/** @type {number} */ times) => {
    const fault = kind.value;
    try {
      await daemon.call("inject", { thing: name, fault, count: times });
      if (times === 0) say(`${fault} does not strike ${name} any more`);
      else say(`${fault} strikes ${name} the next ${times === 1 ? "time" : `${times} times`}`);
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  };
  return element(
    "details",
    { class: "faults" },
    element("summary", {}, "Inject a fault"),
    element(
      "form",
      {
        class: "line",
        submit: (event) => {
          event.preventDefault();
          inject(count.valueAsNumber);
        },
      },
      element("label", { for: kind.id }, "fault"),
      kind,
      element("label", { for: count.id }, "times"),
      count,
      element("button", { "aria-label": `Inject into ${name}` }, "Inject"),
      element("button", {
        type: "button",
        "aria-label": `Take back from ${name}`,
        click: () => inject(0),
      }, "Take back"),
    ),
  );
}
