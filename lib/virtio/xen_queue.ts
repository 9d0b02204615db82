/**
 * The device's side of a virtqueue of a guest of Xen.
 *
 * @module
 */

import type { DescriptorChain } from "./descriptor_chain.ts";
import { CHAIN, SplitQueue } from "./split_queue.ts";
import { joinXenAddress } from "./xen_address.ts";

/**
 * A ring whose buffers may be grants, and mapped for no longer than they are used. They are unmapped
 * before the driver is told that a chain was used: it takes the grants back then, and Linux gives up
 * a device that still has them.
 */
export class XenQueue extends SplitQueue {
  override pop(chain: DescriptorChain): number {
    const found = super.pop(chain);
    if (found !== CHAIN) chain.unmap();
    return found;
  }

  protected override joinAddress(high: number, low: number): number {
    return joinXenAddress(high, low);
  }

  override release(chain: DescriptorChain): void {
    chain.unmap();
  }
}
