/**
 * What an ADXL345 measures as time goes by, and which interrupts come of it.
 *
 * Samples are taken when somebody looks: between two changes from outside, all that would have been
 * taken are alike.
 *
 * @module
 */

import {
  ACTIVITY,
  ACTIVITY_CONTROL,
  ACTIVITY_THRESHOLD,
  AXES,
  BYPASS,
  CURRENT,
  DATA_READY,
  DATA_SIZE,
  EVENT_STATUS,
  FALLING_SINCE,
  FIFO,
  FIFO_CONTROL,
  FIFO_COUNT,
  FIFO_HEAD,
  FIFO_SIZE,
  FORMAT,
  FREE_FALL,
  FREE_FALL_THRESHOLD,
  FREE_FALL_TIME,
  FRESH,
  FULL_RESOLUTION,
  HAS_REFERENCE,
  INACTIVITY,
  INACTIVITY_THRESHOLD,
  INACTIVITY_TIME,
  INTERRUPT_ENABLE,
  IS_ACTIVE,
  JUSTIFY,
  LATCHED,
  LINK,
  LOST,
  MEASURE,
  OFFSET,
  OVERRUN,
  POWER,
  RATE,
  REFERENCE,
  SAMPLED,
  SAMPLES,
  SHOCK_SINCE,
  STILL_SINCE,
  TAPPED,
  WATERMARK,
} from "./registers.ts";

const AXIS_COUNT = 3;
/** Of a threshold, g for 1. */
export const THRESHOLD_STEP = 0.0625;
/** Of an offset, g for 1: 15.6 mg. */
const OFFSET_STEP = 1 / 64;
/** Values for 1 g in full resolution. */
const SCALE = 256;
/** Milliseconds for 1 in the time of free fall. */
const FREE_FALL_STEP = 5;

/** Samples in a second. */
export function rateOf(state: DataView): number {
  return 3200 / 2 ** (15 - (state.getUint8(RATE) & 0xf));
}

/** The range in g, both ways. */
export function rangeOf(state: DataView): number {
  return 2 << (state.getUint8(FORMAT) & 3);
}

function period(state: DataView): number {
  return 1000 / rateOf(state);
}

export function isMeasuring(state: DataView): boolean {
  return (state.getUint8(POWER) & MEASURE) !== 0;
}

function fifoMode(state: DataView): number {
  return state.getUint8(FIFO_CONTROL) >>> 6;
}

function watermark(state: DataView): number {
  return state.getUint8(FIFO_CONTROL) & 0x1f;
}

/** An acceleration as it is measured, in g. */
export function measured(state: DataView, axis: number): number {
  const offset = state.getInt8(OFFSET + axis) * OFFSET_STEP;
  const range = rangeOf(state);
  return Math.min(range, Math.max(-range, state.getFloat64(AXES + 8 * axis) + offset));
}

/** The same as the data registers have it. */
function encoded(state: DataView, axis: number): number {
  const format = state.getUint8(FORMAT);
  const range = format & 3;
  const full = (format & FULL_RESOLUTION) !== 0;
  const bits = full ? 10 + range : 10;
  const limit = 2 ** (bits - 1);
  const value = Math.round(measured(state, axis) * (full ? SCALE : SCALE / 2 ** range));
  const within = Math.min(limit - 1, Math.max(-limit, value));
  return format & JUSTIFY ? within * 2 ** (16 - bits) : within;
}

function sampleTo(state: DataView, at: number): void {
  for (let axis = 0; axis < AXIS_COUNT; axis++) {
    state.setInt16(at + 2 * axis, encoded(state, axis), true);
  }
}

function copySample(state: DataView, from: number, to: number): void {
  for (let at = 0; at < DATA_SIZE; at += 2) state.setInt16(to + at, state.getInt16(from + at));
}

/** Puts so many samples, all alike, where the FIFO's mode has them. */
function store(state: DataView, count: number): void {
  const mode = fifoMode(state);
  if (mode === BYPASS) {
    if (state.getUint8(FRESH) || count > 1) state.setUint8(LOST, 1);
    state.setUint8(FRESH, 1);
    sampleTo(state, CURRENT);
    return;
  }
  // More of them change nothing.
  for (let left = Math.min(count, FIFO_SIZE + 1); left > 0; left--) {
    let held = state.getUint8(FIFO_COUNT);
    let head = state.getUint8(FIFO_HEAD);
    if (held === FIFO_SIZE) {
      state.setUint8(LOST, 1);
      if (mode === FIFO) return;
      head = (head + 1) % FIFO_SIZE;
      held--;
    }
    sampleTo(state, SAMPLES + DATA_SIZE * ((head + held) % FIFO_SIZE));
    state.setUint8(FIFO_COUNT, held + 1);
    state.setUint8(FIFO_HEAD, head);
  }
}

/** A sample was read. */
export function takeSample(state: DataView): void {
  state.setUint8(FRESH, 0);
  state.setUint8(LOST, 0);
  const held = state.getUint8(FIFO_COUNT);
  if (held === 0) return;
  state.setUint8(FIFO_COUNT, held - 1);
  state.setUint8(FIFO_HEAD, (state.getUint8(FIFO_HEAD) + 1) % FIFO_SIZE);
}

/** The sample that is read next goes where it is read. */
export function offerSample(state: DataView): void {
  if (state.getUint8(FIFO_COUNT) === 0) return;
  copySample(state, SAMPLES + DATA_SIZE * state.getUint8(FIFO_HEAD), CURRENT);
}

/** What is in the FIFO is lost. */
export function emptyFifo(state: DataView): void {
  for (const at of [FIFO_COUNT, FIFO_HEAD, FRESH, LOST]) state.setUint8(at, 0);
}

/** How far an axis is from rest: from zero, or from the reference. */
function deviation(state: DataView, axis: number, relative: boolean): number {
  const value = measured(state, axis);
  return Math.abs(relative ? value - state.getFloat64(REFERENCE + 8 * axis) : value);
}

/** The axes that are beyond the threshold of activity, as in EVENT_STATUS. */
function movingAxes(state: DataView): number {
  const control = state.getUint8(ACTIVITY_CONTROL);
  const limit = state.getUint8(ACTIVITY_THRESHOLD) * THRESHOLD_STEP;
  let moving = 0;
  for (let axis = 0; axis < AXIS_COUNT; axis++) {
    const bit = 0x40 >>> axis;
    if (control & bit && deviation(state, axis, (control & 0x80) !== 0) > limit) moving |= bit;
  }
  return moving;
}

function isStill(state: DataView): boolean {
  const control = state.getUint8(ACTIVITY_CONTROL);
  const limit = state.getUint8(INACTIVITY_THRESHOLD) * THRESHOLD_STEP;
  if ((control & 7) === 0) return false;
  for (let axis = 0; axis < AXIS_COUNT; axis++) {
    const takesPart = (control & (4 >>> axis)) !== 0;
    if (takesPart && deviation(state, axis, (control & 0x08) !== 0) >= limit) return false;
  }
  return true;
}

function isFalling(state: DataView): boolean {
  const limit = state.getUint8(FREE_FALL_THRESHOLD) * THRESHOLD_STEP;
  for (let axis = 0; axis < AXIS_COUNT; axis++) {
    if (deviation(state, axis, false) >= limit) return false;
  }
  return true;
}

function setReference(state: DataView): void {
  for (let axis = 0; axis < AXIS_COUNT; axis++) {
    state.setFloat64(REFERENCE + 8 * axis, measured(state, axis));
  }
  state.setUint8(HAS_REFERENCE, 1);
}

/** An interrupt has its reason, until that is read. */
export function latch(state: DataView, interrupt: number): void {
  state.setUint8(LATCHED, state.getUint8(LATCHED) | interrupt);
}

/** Activity and inactivity take turns. */
function isLinked(state: DataView): boolean {
  const both = ACTIVITY | INACTIVITY;
  return (state.getUint8(POWER) & LINK) !== 0 && (state.getUint8(INTERRUPT_ENABLE) & both) === both;
}

function awaits(state: DataView, interrupt: number): boolean {
  return !isLinked(state) || (state.getUint8(IS_ACTIVE) === 1) === (interrupt === INACTIVITY);
}

/** How long inactivity and free fall take, in milliseconds. */
const TIMED = [
  {
    interrupt: INACTIVITY,
    since: STILL_SINCE,
    holds: isStill,
    time: (state: DataView) => 1000 * state.getUint8(INACTIVITY_TIME),
  },
  {
    interrupt: FREE_FALL,
    since: FALLING_SINCE,
    holds: isFalling,
    time: (state: DataView) => FREE_FALL_STEP * state.getUint8(FREE_FALL_TIME),
  },
] as const;

/** Looks at samples, all alike, taken from one time to another. */
function detect(state: DataView, first: number, last: number): void {
  const enabled = state.getUint8(INTERRUPT_ENABLE);
  if ((enabled & (ACTIVITY | INACTIVITY | FREE_FALL)) === 0) return;
  if (state.getUint8(HAS_REFERENCE) === 0) setReference(state);
  if (enabled & ACTIVITY && awaits(state, ACTIVITY)) {
    const moving = movingAxes(state);
    if (moving !== 0) {
      latch(state, ACTIVITY);
      state.setUint8(EVENT_STATUS, (state.getUint8(EVENT_STATUS) & 0x0f) | moving);
      state.setUint8(IS_ACTIVE, 1);
      state.setFloat64(STILL_SINCE, NaN);
    }
  }
  for (const { interrupt, since, holds, time } of TIMED) {
    if ((enabled & interrupt) === 0 || !awaits(state, interrupt)) continue;
    if (!holds(state)) {
      state.setFloat64(since, NaN);
      if (interrupt === INACTIVITY) setReference(state);
      continue;
    }
    if (Number.isNaN(state.getFloat64(since))) state.setFloat64(since, first);
    if (last - state.getFloat64(since) < time(state)) continue;
    latch(state, interrupt);
    if (interrupt === INACTIVITY && isLinked(state)) {
      state.setUint8(IS_ACTIVE, 0);
      setReference(state);
    }
  }
}

/** Begins to measure, or to look for activity, anew. */
export function restart(state: DataView, now: number): void {
  state.setFloat64(SAMPLED, now);
  state.setFloat64(STILL_SINCE, NaN);
  state.setFloat64(FALLING_SINCE, NaN);
  state.setFloat64(SHOCK_SINCE, NaN);
  state.setFloat64(TAPPED, NaN);
  state.setUint8(HAS_REFERENCE, 0);
  state.setUint8(IS_ACTIVE, 1);
}

/** Takes the samples that are due by now, on the clock of `monotonicTime()`. */
export function advance(state: DataView, now: number): void {
  if (!isMeasuring(state)) return;
  const step = period(state);
  const before = state.getFloat64(SAMPLED);
  const count = Math.floor((now - before) / step);
  if (count <= 0) return;
  const last = before + count * step;
  state.setFloat64(SAMPLED, last);
  store(state, count);
  detect(state, before + step, last);
}

/** Interrupts that there is a reason for, enabled or not. */
export function sources(state: DataView): number {
  const held = state.getUint8(FIFO_COUNT);
  let found = state.getUint8(LATCHED);
  if (state.getUint8(FRESH) || held > 0) found |= DATA_READY;
  if (state.getUint8(LOST)) found |= OVERRUN;
  const mark = watermark(state);
  if (mark === 0 || (fifoMode(state) !== BYPASS && held >= mark)) found |= WATERMARK;
  return found;
}

/** After how many samples, as things are, an interrupt comes; `Infinity` for never. */
function samplesUntil(state: DataView, interrupt: number): number {
  const held = state.getUint8(FIFO_COUNT);
  const step = period(state);
  switch (interrupt) {
    case DATA_READY:
      return 1;
    case WATERMARK:
      return fifoMode(state) === BYPASS ? Infinity : watermark(state) - held;
    case OVERRUN:
      return fifoMode(state) === BYPASS
        ? 2 - state.getUint8(FRESH)
        : FIFO_SIZE + 1 - state.getUint8(FIFO_COUNT);
    case ACTIVITY:
      // Without a reference the next sample is the one.
      return state.getUint8(HAS_REFERENCE) === 0 ||
          (awaits(state, ACTIVITY) && movingAxes(state) !== 0)
        ? 1
        : Infinity;
    default: {
      const timed = TIMED.find((one) => one.interrupt === interrupt);
      if (timed === undefined || !awaits(state, interrupt) || !timed.holds(state)) return Infinity;
      const since = state.getFloat64(timed.since);
      if (Number.isNaN(since)) return 1;
      const rest = since + timed.time(state) - state.getFloat64(SAMPLED);
      return Math.max(1, Math.ceil(rest / step));
    }
  }
}

const INTERRUPTS = [DATA_READY, WATERMARK, OVERRUN, ACTIVITY, INACTIVITY, FREE_FALL];

/** When the next interrupt comes by itself, on the clock of `monotonicTime()`. */
export function nextInterrupt(state: DataView): number {
  if (!isMeasuring(state)) return Infinity;
  const missing = state.getUint8(INTERRUPT_ENABLE) & ~sources(state);
  if (missing === 0) return Infinity;
  const samples = INTERRUPTS.reduce(
    (least, one) => missing & one ? Math.min(least, samplesUntil(state, one)) : least,
    Infinity,
  );
  return state.getFloat64(SAMPLED) + samples * period(state);
}
