/**
 * The GPIO daemon's part of the configuration file, beside the keys that all daemons share.
 *
 * ```yaml
 * guests:                      # one entry per guest, in the order of the sockets
 *   - chip: 0                  # a chip of this host: number, path, name or label (text)
 *     lines:                   # which lines the guest gets, in its order; all if left out
 *       - 4                    # a line by its number or the host's name for it
 *       - line: 17             # or with what is special about it:
 *         name: led            # what the guest is told instead of the host's name; "" for none
 *         access: output       # read-write (default): an input or an output, as the guest likes;
 *                              # input or output: that only; read-only: what the host has made
 *                              # of the line, to be looked at and not to be changed
 *         bias: pull-up        # disabled, pull-up or pull-down; as the host has it if left out
 *         drive: open-drain    # push-pull (default), open-drain or open-source
 *         active-low: true     # what is low on the wire is 1 for the guest; default false
 *         safe: 0              # what the output drives after the guest has let go of it: 0, 1
 *                              # (as the guest counts), or keep for what it was; if left out,
 *                              # the line is given back to the host
 *   - simulated: 8             # a simulated chip with 8 lines
 *   - simulated:
 *       lines:                 # or with lines one by one
 *         - name: led          # optional; unique, printable ASCII
 *           direction: output  # none (default), input or output, before the guest sets it
 *           value: 1           # 0 (default) or 1: driven by an output, found at an input
 *         - name: button
 *         - {}
 *       wires:                 # what an output drives is what an input sees
 *         - from: led          # a line's name or number
 *           to: button
 * ```
 *
 * A line with a safe state stays requested by the daemon while no guest has it, for the kernel does
 * not promise what becomes of a line that is given back: most chips leave it as it is, some make it
 * an input. At the end of the daemon such a line drives its safe state for the last time, and then
 * it is given back, too.
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import { readHostChip } from "./host/config.ts";
import type { GpioChoice } from "./settings.ts";
import { readSimulated } from "./simulated/config.ts";

/**
 * Reads the list of guests of the configuration file.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readGuests(node: ConfigNode): GpioChoice[] {
  const guests = node.list("guests, each with 'chip' or 'simulated'");
  if (guests.length === 0) node.fail("the list is empty, expected one entry per guest");
  return guests.map((guest) => {
    const { simulated, chip, lines } = guest.mapping(["simulated", "chip", "lines"]);
    if (chip !== undefined && simulated !== undefined) {
      return simulated.fail("a guest has either 'chip' or 'simulated', not both");
    }
    if (chip !== undefined) return readHostChip(chip, lines);
    if (simulated === undefined) return guest.fail("expected a mapping with 'chip' or 'simulated'");
    if (lines !== undefined) {
      return lines.fail("the lines of a simulated chip go below 'simulated'");
    }
    return readSimulated(simulated);
  });
}
