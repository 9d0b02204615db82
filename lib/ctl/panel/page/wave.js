/**
 * What a property has been in the last seconds, as a curve with steps.
 *
 * @module
 */

import { element } from "./dom.js";
import { drawAlways } from "./frames.js";

/** Parts that the time on show is divided in by lines. */
export const DIVISIONS = 5;
/** From one picture to the next, in milliseconds. */
const PERIOD = 33;

/** What all curves have in common. */
export const timeline = {
  /** The time that is shown, in milliseconds. */
  span: 10_000,
  /** In milliseconds of the page's clock since 1970, where curves stand still. @type {number | undefined} */
  heldAt: undefined,
};

/** @type {Set<Wave>} */
const waves = new Set();
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    for (const wave of waves) {
      if (wave.canvas !== target) continue;
      wave.isSeen = isIntersecting;
      wave.isDrawn = false;
    }
  }
  drawAlways(drawWaves);
});
const resized = new ResizeObserver(() => drawAnew());

/** All curves look different from now on. */
export function drawAnew() {
  for (const wave of waves) wave.isDrawn = false;
  drawAlways(drawWaves);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);

let drawnAt = 0;

/** @param {number} now */
function drawWaves(now) {
  if (now - drawnAt < PERIOD && now >= drawnAt) return true;
  drawnAt = now;
  let goesOn = false;
  for (const wave of waves) {
    if (!wave.canvas.isConnected) {
      waves.delete(wave);
      seen.unobserve(wave.canvas);
      resized.unobserve(wave.canvas);
    } else if (wave.isSeen && wave.draw()) goesOn = true;
  }
  return goesOn;
}

export class Wave {
  isSeen = false;
  /** True if nothing would look different. */
  isDrawn = false;
  #property;
  #history;

  /** @param {import("./property.js").Property} property that has a history */
  constructor(property) {
    this.#property = property;
    this.#history = /** @type {import("./history.js").History} */ (property.history);
    this.canvas = element("canvas", {
      class: "wave",
      role: "img",
      "aria-label": `${property.name} in the last seconds`,
    });
    waves.add(this);
    seen.observe(this.canvas);
    resized.observe(this.canvas);
    property.show(() => {
      this.isDrawn = false;
      drawAlways(drawWaves);
    });
  }

  /** @returns {boolean} true if it moves on by itself */
  draw() {
    const { canvas } = this;
    const { span, heldAt } = timeline;
    const { daemon } = this.#property;
    const now = heldAt === undefined ? daemon.now() : daemon.now() - (Date.now() - heldAt);
    const moves = heldAt === undefined && this.#history.changedSince(now - span - 500);
    if (this.isDrawn && !moves) return false;
    this.isDrawn = !moves;
    const scale = devicePixelRatio;
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (width === 0 || height === 0) return moves;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(canvas);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name);
    context.clearRect(0, 0, width, height);
    context.lineWidth = scale;
    context.strokeStyle = color("--grid");
    context.beginPath();
    for (let line = 1; line < DIVISIONS; line++) {
      const x = Math.round(line * width / DIVISIONS) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    context.stroke();
    const points = this.#points(now - span, now, width);
    const { low, high } = this.#range(points);
    const margin = 3 * scale;
    const y = (/** @type {number} */ value) =>
      Math.round(height - margin - (value - low) / (high - low) * (height - 2 * margin)) + 0.5;
    context.fillStyle = color("--wave-fill");
    context.strokeStyle = color("--wave");
    context.lineWidth = 1.5 * scale;
    context.lineJoin = "round";
    context.beginPath();
    let before = NaN;
    for (let index = 0; index < points.length; index += 4) {
      const [x, from, to, last] = points.slice(index, index + 4);
      const next = index + 4 < points.length ? points[index + 4] : width;
      if (!Number.isNaN(from)) {
        if (Number.isNaN(before)) context.moveTo(x, y(from));
        else context.lineTo(x, y(before));
        if (from !== to) {
          context.lineTo(x, y(from));
          context.lineTo(x, y(to));
        }
        context.lineTo(x, y(last));
        context.lineTo(next, y(last));
        context.fillRect(x, y(last), next - x, y(low) - y(last));
      }
      before = last;
    }
    context.stroke();
    return moves;
  }

  /**
   * In fours: a place, the lowest and the highest value there, and the last one. Places have one
   * value, or as many as have come within one of the picture's points.
   *
   * @param {number} begin
   * @param {number} end
   * @param {number} width
   */
  #points(begin, end, width) {
    const { times, values } = this.#history;
    let first = times.length;
    while (first > 0 && times[first - 1] > begin) first--;
    const points = [0, NaN, NaN, NaN];
    if (first > 0) points.fill(values[first - 1], 1);
    for (let index = first; index < times.length && times[index] <= end; index++) {
      const x = Math.round(width * (times[index] - begin) / (end - begin));
      const value = values[index];
      const at = points.length - 4;
      const isGap = Number.isNaN(value) !== Number.isNaN(points[at + 3]);
      if (points[at] < x || isGap) points.push(x, value, value, value);
      else {
        points[at + 1] = Math.min(points[at + 1], value);
        points[at + 2] = Math.max(points[at + 2], value);
        points[at + 3] = value;
      }
    }
    return points;
  }

  /** The values at the lower and the upper edge. @param {readonly number[]} points */
  #range(points) {
    if (this.#property.isBinary) return { low: 0, high: 1 };
    let low = Infinity, high = -Infinity;
    for (let index = 0; index < points.length; index += 4) {
      if (Number.isNaN(points[index + 1])) continue;
      low = Math.min(low, points[index + 1]);
      high = Math.max(high, points[index + 2]);
    }
    if (low === Infinity) return { low: 0, high: 1 };
    const { step = 1 } = this.#property.described;
    const room = Math.max((high - low) / 4, step * 4);
    return { low: low - room, high: high + room };
  }
}

/** The times below or above curves. */
export function timeAxis() {
  const axis = element("div", { class: "axis" });
  const show = () => {
    const seconds = timeline.span / 1000;
    axis.replaceChildren(
      ...Array.from({ length: DIVISIONS + 1 }, (_, place) => {
        const ago = seconds - place * seconds / DIVISIONS;
        return element("span", {}, ago === 0 ? "now" : `−${Number(ago.toFixed(1))} s`);
      }),
    );
  };
  show();
  addEventListener("timeline", show);
  return axis;
}
