/**
 * What daemons say of what they simulate: the result of the method `describe`.
 *
 * @module
 */

import type { GuestDescription } from "../control/world.ts";
import type { Picture, Property, SetWhile, When } from "../simulation/property.ts";
import type { ThingDescription } from "../simulation/thing.ts";

/** A property of a thing; what it does not say does not apply. */
export interface DescribedProperty {
  readonly name: string;
  readonly type: Property["type"];
  readonly set: When;
  readonly help: string;
  readonly from?: number;
  readonly to?: number;
  readonly unit?: string;
  /** The base in which people write it, if that is not 10. */
  readonly base?: number;
  readonly choices?: readonly (string | number)[];
  /** How fine it is. */
  readonly step?: number;
  /** It can be set only while another property of the thing is something. */
  readonly setWhile?: SetWhile;
  /** How many bytes or numbers there are. */
  readonly count?: number;
  /** What the bytes are the picture of. */
  readonly picture?: Picture;
}

/** A thing; its name is the shortest by which its daemon knows nothing else. */
export interface DescribedThing extends Omit<ThingDescription, "properties"> {
  readonly properties: readonly DescribedProperty[];
  /** Another name by which it is found. */
  readonly alias?: string;
}

/** A daemon. */
export interface DescribedDaemon {
  readonly protocol: number;
  readonly program: string;
  readonly version: string;
  readonly guests: readonly GuestDescription[];
  readonly things: readonly DescribedThing[];
}
