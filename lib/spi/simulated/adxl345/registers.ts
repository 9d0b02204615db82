/**
 * The registers of an ADXL345, their bits, and where its state is.
 *
 * Source: data sheet of ADXL345, revision G.
 *
 * @module
 */

export const DEVICE_ID = 0x00;
export const TAP_THRESHOLD = 0x1d;
export const OFFSET = 0x1e;
export const TAP_DURATION = 0x21;
export const TAP_LATENCY = 0x22;
export const TAP_WINDOW = 0x23;
export const ACTIVITY_THRESHOLD = 0x24;
export const INACTIVITY_THRESHOLD = 0x25;
export const INACTIVITY_TIME = 0x26;
export const ACTIVITY_CONTROL = 0x27;
export const FREE_FALL_THRESHOLD = 0x28;
export const FREE_FALL_TIME = 0x29;
export const TAP_AXES = 0x2a;
export const EVENT_STATUS = 0x2b;
export const RATE = 0x2c;
export const POWER = 0x2d;
export const INTERRUPT_ENABLE = 0x2e;
export const INTERRUPT_MAP = 0x2f;
export const INTERRUPT_SOURCE = 0x30;
export const FORMAT = 0x31;
export const DATA = 0x32;
export const FIFO_CONTROL = 0x38;
export const FIFO_STATUS = 0x39;
/** Numbers of registers have six bits. */
export const REGISTERS = 64;
/** The number of the data registers: two for each axis, the low byte first. */
export const DATA_SIZE = 6;

export const ID = 0xe5;

/** Of POWER: it measures; activity and inactivity take turns. */
export const MEASURE = 0x08;
export const LINK = 0x20;

/** Of FORMAT: range in its lowest two bits, then these. */
export const JUSTIFY = 0x04;
export const FULL_RESOLUTION = 0x08;
export const INVERT = 0x20;

/** Interrupts, as in their three registers. */
export const OVERRUN = 0x01;
export const WATERMARK = 0x02;
export const FREE_FALL = 0x04;
export const INACTIVITY = 0x08;
export const ACTIVITY = 0x10;
export const DOUBLE_TAP = 0x20;
export const SINGLE_TAP = 0x40;
export const DATA_READY = 0x80;

/** Modes of the FIFO, in the top bits of FIFO_CONTROL. */
export const BYPASS = 0;
export const FIFO = 1;
/** What the FIFO holds. */
export const FIFO_SIZE = 32;

/** Registers that the guest can write. */
export function isWritable(register: number): boolean {
  return (register >= 0x1d && register <= 0x2a) || (register >= RATE && register <= 0x2f) ||
    register === FORMAT || register === FIFO_CONTROL;
}

// Where in the state: registers, then f64 the accelerations in g along x, y and z, the reference
// for changes of them, when the last sample was taken, since when there is inactivity, free fall and
// a shock, and when the last tap was over, in milliseconds; then u8 each, and i16 the samples.
export const AXES = 64;
export const REFERENCE = AXES + 24;
export const SAMPLED = REFERENCE + 24;
export const STILL_SINCE = SAMPLED + 8;
export const FALLING_SINCE = STILL_SINCE + 8;
export const SHOCK_SINCE = FALLING_SINCE + 8;
export const TAPPED = SHOCK_SINCE + 8;
/** Interrupts that stay until they are read. */
export const LATCHED = TAPPED + 8;
/** 1 if there is a sample that was not read, where there is no FIFO. */
export const FRESH = LATCHED + 1;
/** 1 if a sample was lost since one was last read. */
export const LOST = FRESH + 1;
/** 1 if it is inactivity that is waited for, where that and activity take turns. */
export const IS_ACTIVE = LOST + 1;
/** 1 if there is a reference. */
export const HAS_REFERENCE = IS_ACTIVE + 1;
/** How many samples the FIFO has, and where the oldest is. */
export const FIFO_COUNT = HAS_REFERENCE + 1;
export const FIFO_HEAD = FIFO_COUNT + 1;
/** The sample that is read, and those in the FIFO. */
export const CURRENT = FIFO_HEAD + 2;
export const SAMPLES = CURRENT + DATA_SIZE;
export const STATE_SIZE = SAMPLES + DATA_SIZE * FIFO_SIZE;
