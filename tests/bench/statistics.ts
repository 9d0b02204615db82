/**
 * Medians and percentiles.
 *
 * @module
 */

/** The value below which a share of the samples lies; sorts them in place. */
export function percentile(samples: Float64Array, share: number): number {
  samples.sort();
  return samples[Math.min(samples.length - 1, Math.floor(samples.length * share))];
}

/** The middle one of a few numbers. */
export function median(samples: readonly number[]): number {
  return percentile(Float64Array.from(samples), 0.5);
}
