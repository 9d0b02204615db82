/**
 * The I2C daemon's part of the command line.
 *
 * @module
 */

import type { OptionSpec } from "../input/options.ts";
import { readInteger } from "../text/numbers.ts";
import { gpioControlOption } from "../simulation/wires.ts";
import { UsageError } from "../errors.ts";
import { Claims } from "./claims.ts";
import type { AdapterChoice } from "./host/find_adapters.ts";
import { LAST_ADDRESS, STANDARD_FREQUENCY } from "./protocol.ts";
import { type AdapterRequest, adapterText } from "./settings.ts";
import { i2cParts } from "./simulated/parts.ts";
import { PLAIN_EEPROM } from "./simulated/parts/eeprom.ts";
import type { I2cPartDescription } from "./simulated/simulated_adapter.ts";

/** What stands for a simulated adapter in a device list. */
const SIMULATED = "s";
const LIST_FORM = "BUS:ADDRESS[:ADDRESS]...[,BUS:ADDRESS...]";

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
  gpioControlOption,
];

function plainEeprom(address: number): I2cPartDescription {
  return { ...i2cParts.usual(PLAIN_EEPROM), address };
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
      ? {
        kind: "simulated",
        smbusOnly: false,
        frequency: STANDARD_FREQUENCY,
        parts: addresses.map(plainEeprom),
      }
      : { kind: "host", choice, addresses };
  });
}
