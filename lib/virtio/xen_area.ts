/**
 * What a front-end says of memory of another domain of a Xen host.
 *
 * Source: QEMU, docs/interop/vhost-user.rst ("Memory region description").
 *
 * @module
 */

/** Through which node it is mapped: just one of them. */
export const FOREIGN = 1 << 0;
export const GRANTED = 1 << 1;
/**
 * Nothing of it can be mapped in advance. The protocol's description says "bit 8"; the front-ends
 * that there are take the value 8, as the first back-end to know it does. Neither means anything
 * else.
 */
export const NOT_IN_ADVANCE = 1 << 8 | 8;

/** The two fields that a region's description has in addition. */
export interface XenArea {
  /** "xen mmap flags" */
  readonly flags: number;
  /** Whose memory it is. */
  readonly domain: number;
}
