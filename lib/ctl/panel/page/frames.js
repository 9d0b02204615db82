/**
 * When the page is drawn: what has changed, once a frame, however often it has changed.
 *
 * @module
 */

/** @type {Set<() => void>} */
const waiting = new Set();
/** What moves by itself; true from one that moves on. @type {Set<(now: number) => boolean>} */
const moving = new Set();
let isAsked = false;

function ask() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(frame);
}

/** @param {number} now */
function frame(now) {
  isAsked = false;
  const ready = [...waiting];
  waiting.clear();
  for (const view of ready) view();
  let goesOn = false;
  for (const move of moving) if (move(now)) goesOn = true;
  if (goesOn) ask();
}

/** Calls that in the next frame, once. @param {() => void} view */
export function draw(view) {
  waiting.add(view);
  ask();
}

/** Calls that in each frame in which something is drawn. @param {(now: number) => boolean} move */
export function drawAlways(move) {
  moving.add(move);
  ask();
}

/** @param {(now: number) => boolean} move */
export function drawNoMore(move) {
  moving.delete(move);
}
