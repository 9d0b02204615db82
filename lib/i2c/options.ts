/**
 * The I2C daemon's part of the command line and of the configuration file.
 *
 * The file, beside the keys that all daemons share:
 *
 * ```yaml
 * adapters:                     # all guests see all of them, as one bus
 *   - bus: 1                    # an adapter of this host: the N of /dev/i2c-N, or its name
 *     addresses: [0x20, 72]     # whom the guest may address there
 *     ten-bit-addresses: [0x250]  # likewise, where the adapter can do that
 *   - simulated:                # an adapter with chips that are made up
 *       smbus-only: false       # true: refuses what is no SMBus transaction
 *       chips:
 *         - address: 0x50       # or the first of several; with ten-bit: true up to 0x3ff
 *           chip: 24c02         # 24c01 to 24c512: an EEPROM
 *           file: /var/lib/eeprom.bin  # keeps the contents; made where it does not exist
 *           write-cycle-ms: 5   # busy for so long after a write (default 0)
 *           read-only: false    # true: ignores what is written
 *         - address: 0x48
 *           chip: lm75          # a temperature sensor; lm75b and tmp75 measure finer
 *           temperature: 23.5   # in °C (default 25), or
 *           # temperature-file: /run/temperature   # what this file says at the time
 *         - address: 0x20
 *           chip: registers     # 8-bit registers
 *           registers: 16       # how many (default 256)
 *           values: [{ at: 0, bytes: [0x12, 0x34] }]  # when the power comes on (default 0)
 *           read-only: false
 *         - address: 0x21
 *           chip: nak           # registers, too, but refuses: its address …
 *           after: 2            # … or, with this, what is written after so many bytes
 *           every: 10           # one transaction of so many (default 1)
 *         - address: 0x22
 *           chip: stretch       # registers that stretch the clock
 *           microseconds: 500   # for so long (default 25000)
 * ```
 *
 * @module
 */

import type { ConfigNode } from "../input/config_node.ts";
import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { UsageError } from "../errors.ts";
import { chipModel, chipNames } from "./simulated/parts.ts";
import { PLAIN_EEPROM } from "./simulated/parts/eeprom.ts";
import type { AdapterChoice } from "./host/find_adapters.ts";
import { ADDRESS_COUNT, addressText, TEN_BIT } from "./protocol.ts";
import { addressCount, type ChipDescription } from "./simulated/simulated_adapter.ts";

/** An adapter that the guests are to have. */
export type AdapterRequest =
  /** One of this host. */
  | {
    readonly kind: "host";
    readonly choice: AdapterChoice;
    readonly addresses: readonly number[];
  }
  /** One that is made up. */
  | {
    readonly kind: "simulated";
    readonly smbusOnly: boolean;
    readonly chips: readonly ChipDescription[];
  };

/** What stands for a simulated adapter in a device list. */
const SIMULATED = "s";
const LIST_FORM = "BUS:ADDRESS[:ADDRESS]...[,BUS:ADDRESS...]";
const LAST_ADDRESS = TEN_BIT - 1;
const LAST_TEN_BIT_ADDRESS = ADDRESS_COUNT - TEN_BIT - 1;

export const i2cOptions: readonly OptionSpec[] = [
  {
    name: "device-list",
    short: "l",
    value: "LIST",
    help: `buses and addresses for the guests: ${LIST_FORM}`,
    details: "BUS is the number of an I2C adapter of this host, the N of /dev/i2c-N, or its name " +
      "as --list shows it. ADDRESS is a 7-bit address, decimal or hexadecimal with 0x. The bus " +
      "'s' is a simulated one with a 256-byte EEPROM at each address. All guests share all " +
      "buses, and each sees them as one.",
  },
];

/** An adapter as people speak of it. */
export function adapterText(choice: AdapterChoice): string {
  return typeof choice === "number" ? `${choice}` : `'${choice}'`;
}

/** Keeps account of what is whose. To the guest all adapters are one bus. */
class Claims {
  readonly #owners = new Map<number, string>();
  readonly #files = new Set<string>();

  /** @throws whatever `fail` does, where the address is taken */
  claim(address: number, owner: string, fail: (why: string) => never): void {
    const other = this.#owners.get(address);
    if (other === owner) fail(`address ${addressText(address)} is listed twice for ${owner}`);
    if (other !== undefined) {
      fail(
        `address ${addressText(address)} is listed for ${other} and for ${owner}; ` +
          "guests see one bus, where an address is one chip",
      );
    }
    this.#owners.set(address, owner);
  }

  /** The same for files that belong to one chip. */
  claimFile(path: string, fail: (why: string) => never): void {
    if (this.#files.has(path)) fail(`the file '${path}' already belongs to another chip`);
    this.#files.add(path);
  }
}

function plainEeprom(address: number): ChipDescription {
  return { address, name: PLAIN_EEPROM, config: chipModel(PLAIN_EEPROM).configure("24c02", {}) };
}

/** Cuts an entry at the colons. A name may have some as well: `NVIDIA i2c adapter 1 at 1:00.0`. */
function splitEntry(entry: string): { bus: string; addresses: string[] } {
  const fields = entry.split(":");
  let first = fields.length;
  if (readInteger(fields[0]) !== undefined || fields[0].trim() === SIMULATED) first = 1;
  else while (first > 1 && readInteger(fields[first - 1]) !== undefined) first--;
  if (first === fields.length && fields.length > 1) first = fields.length - 1;
  return { bus: fields.slice(0, first).join(":").trim(), addresses: fields.slice(first) };
}

/**
 * Reads a device list, for example `1:32:0x15,s:80`.
 *
 * @throws {UsageError} if it makes no sense
 */
export function readDeviceList(list: string): AdapterRequest[] {
  const fail = (why: string): never => {
    throw new UsageError(`device list '${list}': ${why}`);
  };
  const taken = new Claims();
  const choices = new Set<AdapterChoice>();
  return list.split(",").map((entry, index) => {
    const { bus, addresses: texts } = splitEntry(entry.trim());
    if (bus === "") fail(`an entry names no bus, expected ${LIST_FORM}`);
    if (texts.length === 0) {
      fail(`bus '${bus}' comes without an address; add those to be served: ${bus}:ADDRESS`);
    }
    const simulated = bus === SIMULATED;
    const choice = readInteger(bus) ?? bus;
    if (!simulated && choices.has(choice)) {
      fail(`bus '${bus}' is listed twice; put all its addresses in one entry`);
    }
    choices.add(choice);
    const owner = simulated ? `simulated bus ${index}` : `bus ${adapterText(choice)}`;
    const addresses = texts.map((text) => {
      const address = readInteger(text.trim());
      if (address === undefined) {
        return fail(`'${text}' is no address, expected a number from 0 to ${LAST_ADDRESS}`);
      }
      if (address > LAST_ADDRESS) {
        return fail(
          `address ${text} is beyond the last 7-bit one, ${LAST_ADDRESS} (0x7f); ` +
            "10-bit addresses are for the configuration file",
        );
      }
      taken.claim(address, owner, fail);
      return address;
    });
    return simulated
      ? { kind: "simulated", smbusOnly: false, chips: addresses.map(plainEeprom) }
      : { kind: "host", choice, addresses };
  });
}

function readChip(node: ConfigNode, taken: Claims, owner: string): ChipDescription {
  const known = ["address", "chip", "ten-bit"];
  const all = chipNames.flatMap((name) => chipModel(name).keys);
  const name = node.mapping([...known, ...all]).chip?.choice(chipNames) ??
    node.fail("'chip' is missing: what chip it is");
  const model = chipModel(name);
  const values = node.mapping([...known, ...model.keys]);
  const tenBit = values["ten-bit"]?.boolean() ?? false;
  const last = tenBit ? LAST_TEN_BIT_ADDRESS : LAST_ADDRESS;
  const { address: at } = values;
  if (at === undefined) return node.fail("'address' is missing");
  const address = at.integer(0, last, "an address") + (tenBit ? TEN_BIT : 0);
  const chip = { address, name, config: model.configure(name, values) };
  const file = model.ownFile?.(chip.config);
  if (file !== undefined) taken.claimFile(file, (why) => node.fail(why));
  const count = addressCount(chip);
  const limit = tenBit ? ADDRESS_COUNT : TEN_BIT;
  if (address + count > limit) at.fail(`a ${name} takes ${count} addresses from here on`);
  for (let offset = 0; offset < count; offset++) {
    taken.claim(address + offset, owner, (why) => at.fail(why));
  }
  return chip;
}

function readSimulated(node: ConfigNode, taken: Claims, owner: string): AdapterRequest {
  const { chips, "smbus-only": smbusOnly } = node.mapping(["chips", "smbus-only"]);
  const list = chips?.list("chips") ?? node.fail("'chips' is missing: the list of chips on it");
  return {
    kind: "simulated",
    smbusOnly: smbusOnly?.boolean() ?? false,
    chips: list.map((chip) => readChip(chip, taken, owner)),
  };
}

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
        return values.addresses.fail("a simulated adapter has no 'addresses' but 'chips'");
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
