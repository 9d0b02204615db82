/**
 * Taps: accelerations beyond a threshold that are soon over, one or two in a row.
 *
 * They are found when what is measured changes, not with samples: what is set from outside for a
 * moment is a tap, however slow the rate is.
 *
 * @module
 */

import {
  DOUBLE_TAP,
  EVENT_STATUS,
  SHOCK_SINCE,
  SINGLE_TAP,
  TAP_AXES,
  TAP_DURATION,
  TAP_LATENCY,
  TAP_THRESHOLD,
  TAP_WINDOW,
  TAPPED,
} from "./registers.ts";
import { isMeasuring, latch, measured, THRESHOLD_STEP } from "./sampling.ts";

/** Milliseconds for 1 in the duration, and in the two others. */
const DURATION_STEP = 0.625;
const PAUSE_STEP = 1.25;
/** Of the axes: a shock between the taps makes two of them none. */
const SUPPRESS = 0x08;

/** The axes that are beyond the threshold, as in EVENT_STATUS. */
function shockedAxes(state: DataView): number {
  const limit = state.getUint8(TAP_THRESHOLD) * THRESHOLD_STEP;
  let axes = 0;
  for (let axis = 0; axis < 3; axis++) {
    if (Math.abs(measured(state, axis)) > limit) axes |= 4 >>> axis;
  }
  return axes & state.getUint8(TAP_AXES);
}

/** What is measured has changed. */
export function detectTaps(state: DataView, now: number): void {
  const duration = state.getUint8(TAP_DURATION) * DURATION_STEP;
  if (!isMeasuring(state) || duration === 0) return;
  const axes = shockedAxes(state);
  const since = state.getFloat64(SHOCK_SINCE);
  if (axes !== 0) {
    if (Number.isNaN(since)) begin(state, axes, now);
    return;
  }
  state.setFloat64(SHOCK_SINCE, NaN);
  // What lasts is no tap.
  if (!(now - since <= duration)) return;
  latch(state, SINGLE_TAP);
  const latency = state.getUint8(TAP_LATENCY) * PAUSE_STEP;
  const pause = since - state.getFloat64(TAPPED) - latency;
  const isSecond = pause >= 0 && pause <= state.getUint8(TAP_WINDOW) * PAUSE_STEP;
  if (isSecond && latency > 0) latch(state, DOUBLE_TAP);
  state.setFloat64(TAPPED, isSecond ? NaN : now);
}

function begin(state: DataView, axes: number, now: number): void {
  state.setFloat64(SHOCK_SINCE, now);
  state.setUint8(EVENT_STATUS, (state.getUint8(EVENT_STATUS) & 0x70) | axes);
  const isEarly = now - state.getFloat64(TAPPED) < state.getUint8(TAP_LATENCY) * PAUSE_STEP;
  if (isEarly && state.getUint8(TAP_AXES) & SUPPRESS) state.setFloat64(TAPPED, NaN);
}
