/**
 * The I2C daemon's part of the configuration file, beside the keys that all daemons share.
 *
 * ```yaml
 * adapters:                     # all guests see all of them, as one bus
 *   - bus: 1                    # an adapter of this host: the N of /dev/i2c-N, or its name
 *     addresses: [0x20, 72]     # whom the guest may address there
 *     ten-bit-addresses: [0x250]  # likewise, where the adapter can do that
 *   - simulated:                # an adapter with parts that are made up
 *       smbus-only: false       # true: refuses what is no SMBus transaction
 *       frequency: 100000       # of its clock in Hz, as traces draw it
 *       parts:
 *         - part: 24c02         # what it is, here an EEPROM
 *           address: 0x50       # or the first of several; with ten-bit: true up to 0x3ff
 *           name: board-id      # what to call it; its address if left out
 *           file: /var/lib/eeprom.bin  # keeps the contents; made where it does not exist
 *           write-cycle-ms: 5   # busy for so long after a write (default 0)
 *           read-only: false    # true: ignores what is written
 *         - part: lm75          # a temperature sensor; lm75b and tmp75 measure finer
 *           address: 0x48
 *           temperature: 23.5   # in °C (default 25), or
 *           # temperature-file: /run/temperature   # what this file says at the time
 *         - part: registers     # 8-bit registers
 *           address: 0x20
 *           registers: 16       # how many (default 256)
 *           values: { 0x00: [0x12, 0x34] }  # when the power comes on (default 0)
 *           read-only: [0x00]   # these are; true: all are
 *         - part: nak           # registers, too, but refuses: its address …
 *           address: 0x21
 *           after: 2            # … or, with this, what is written after so many bytes
 *           every: 10           # one transaction of so many (default 1)
 *         - part: stretch       # registers that stretch the clock
 *           address: 0x22
 *           microseconds: 500   # for so long (default 25000)
 *         - part: tca9548       # a multiplexer with parts behind its channels
 *           address: 0x70
 *           channels: { 0: [{ part: lm75, address: 0x48 }], 3: [{ part: lm75, address: 0x48 }] }
 *         - part: pca9535       # a GPIO expander
 *           address: 0x27
 *           interrupt: lid-int  # the line that its pin INT drives, or a list of lines
 * gpio-control: /run/gpio.control  # of the GPIO daemon that has these lines
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import { Claims } from "./claims.ts";
import type { AdapterChoice } from "./host/find_adapters.ts";
import { LAST_ADDRESS, LAST_TEN_BIT_ADDRESS, TEN_BIT } from "./protocol.ts";
import { type AdapterRequest, adapterText } from "./settings.ts";
import { readSimulated } from "./simulated/config.ts";

function readAddresses(
  node: ConfigNode | undefined,
  base: number,
  last: number,
  taken: Claims,
  owner: string,
): number[] {
  return (node?.list("addresses") ?? []).map((item) => {
    const address = base + item.integer(0, last, "an address");
    taken.claim(address, owner, (why) => item.fail(why));
    return address;
  });
}

/**
 * Reads the list of adapters of the configuration file.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readAdapters(node: ConfigNode): AdapterRequest[] {
  const list = node.list("adapters, each with 'bus' or 'simulated'");
  if (list.length === 0) node.fail("the list is empty, expected at least one adapter");
  const taken = new Claims();
  const choices = new Set<AdapterChoice>();
  return list.map((entry, index) => {
    const values = entry.mapping(["bus", "addresses", "ten-bit-addresses", "simulated"]);
    const { bus, simulated } = values;
    if ((bus === undefined) === (simulated === undefined)) {
      return entry.fail("expected either 'bus' or 'simulated'");
    }
    if (simulated !== undefined) {
      if (values.addresses !== undefined) {
        return values.addresses.fail("a simulated adapter has no 'addresses' but 'parts'");
      }
      return readSimulated(simulated, taken, `simulated bus ${index}`);
    }
    const chosen = bus as ConfigNode;
    const choice = chosen.isNumber
      ? chosen.integer(0, 2 ** 20, "a bus number")
      : chosen.word("a bus number or name");
    if (choices.has(choice)) chosen.fail(`bus ${adapterText(choice)} is listed twice`);
    choices.add(choice);
    const owner = `bus ${adapterText(choice)}`;
    const addresses = [
      ...readAddresses(values.addresses, 0, LAST_ADDRESS, taken, owner),
      ...readAddresses(
        values["ten-bit-addresses"],
        TEN_BIT,
        LAST_TEN_BIT_ADDRESS,
        taken,
        owner,
      ),
    ];
    if (addresses.length === 0) entry.fail("'addresses' is missing: whom the guest may address");
    return { kind: "host", choice, addresses };
  });
}
