import { assert, assertEquals, assertMatch, assertNotMatch, fail } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { UsageError } from "../../../lib/errors.ts";
import { readAdapters } from "../../../lib/i2c/config.ts";
import { readDeviceList } from "../../../lib/i2c/options.ts";
import type { AdapterRequest } from "../../../lib/i2c/settings.ts";
import { TEN_BIT } from "../../../lib/i2c/protocol.ts";

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert(error instanceof UsageError, String(error));
    assertNotMatch(error.message, /\n/);
    return error.message;
  }
  return fail("it was accepted");
}

const host = (choice: number | string, ...addresses: number[]): AdapterRequest => ({
  kind: "host",
  choice,
  addresses,
});

Deno.test("a device list names buses by number, and addresses in decimal or hexadecimal", () => {
  assertEquals(readDeviceList("2:32:21,3:10:0x23"), [host(2, 32, 21), host(3, 10, 35)]);
});

Deno.test("a device list names buses by name", () => {
  const list = "i915 gmbus dpd:32:21,DPDDC-D:10";
  assertEquals(readDeviceList(list), [host("i915 gmbus dpd", 32, 21), host("DPDDC-D", 10)]);
});

Deno.test("a bus name may have colons", () => {
  const list = "NVIDIA i2c adapter 1 at 1:00.0:0x50,AMDGPU DM i2c hw bus 0:81:82";
  assertEquals(readDeviceList(list), [
    host("NVIDIA i2c adapter 1 at 1:00.0", 80),
    host("AMDGPU DM i2c hw bus 0", 81, 82),
  ]);
});

Deno.test("the bus s is a simulated one with an EEPROM at each address", () => {
  const [bus, other] = readDeviceList("s:80:72,s:33");
  assert(bus.kind === "simulated" && other.kind === "simulated");
  assertEquals(bus.parts.map(({ address, part }) => [address, part]), [
    [80, "24c02"],
    [72, "24c02"],
  ]);
  assertEquals(other.parts.length, 1);
});

const badLists: readonly [string, string, RegExp][] = [
  ["an empty entry", "1:80,,2:81", /an entry names no bus/],
  ["an empty list", "", /an entry names no bus/],
  ["a bus without a name", ":80", /an entry names no bus/],
  ["a bus without addresses", "1", /bus '1' comes without an address.*1:ADDRESS/],
  ["a simulated bus without addresses", "s", /bus 's' comes without an address/],
  ["an address that is no number", "1:abc", /'abc' is no address/],
  ["an address that is no number, of a named bus", "DPDDC:x", /'x' is no address/],
  ["an empty address", "1:80:", /'' is no address/],
  ["a negative address", "1:-5", /'-5' is no address/],
  ["a fraction", "1:8.5", /'8.5' is no address/],
  ["address 128, which the reference takes", "1:128", /address 128 is beyond the last 7-bit one/],
  ["an address far too large", "1:70000", /address 70000 is beyond/],
  ["an address twice on a bus", "1:80:0x50", /address 0x50 is listed twice for bus 1/],
  ["I8 an address on two buses", "1:80,2:80", /address 0x50 is listed for bus 1 and for bus 2/],
  ["I8 an address on two simulated buses", "s:80,s:80", /listed for simulated bus 0 and for/],
  ["a bus twice", "1:80,1:81", /bus '1' is listed twice/],
  ["a named bus twice", "dpd:80,dpd:81", /bus 'dpd' is listed twice/],
];

for (const [what, list, expected] of badLists) {
  Deno.test(`a device list with ${what} is refused`, () => {
    assertMatch(refusal(() => readDeviceList(list)), expected);
  });
}

function adapters(yaml: string): AdapterRequest[] {
  return readAdapters(ConfigNode.parse("i2c.yaml", yaml));
}

Deno.test("the configuration file says all that the device list says, and 10-bit addresses", () => {
  const requests = adapters(`
- { bus: 1, addresses: [0x20, 72] }
- { bus: "i915 gmbus dpd", addresses: [80], ten-bit-addresses: [0x250] }
`);
  assertEquals(requests, [host(1, 32, 72), host("i915 gmbus dpd", 80, TEN_BIT + 0x250)]);
});

Deno.test("the configuration file describes simulated adapters with their chips", () => {
  const [request] = adapters(`
- simulated:
    smbus-only: true
    parts:
      - { part: 24c16, address: 0x50 }
      - { part: lm75, address: 0x48, temperature: 23.5 }
      - { part: registers, address: 0x120, ten-bit: true }
`);
  assert(request.kind === "simulated");
  assertEquals(request.smbusOnly, true);
  assertEquals(request.parts.map(({ address, part }) => [address, part]), [
    [0x50, "24c16"],
    [0x48, "lm75"],
    [TEN_BIT + 0x120, "registers"],
  ]);
});

Deno.test("the example is a configuration that is accepted", () => {
  const file = new URL("../../../examples/i2c.yaml", import.meta.url);
  const { adapters: node } = ConfigNode.load(file.pathname)
    .mapping(["adapters", "socket-path", "socket-count", "log-level"]);
  assert(node !== undefined);
  assertEquals(readAdapters(node).length, 1);
});

const badFiles: readonly [string, string, RegExp][] = [
  ["an empty list", "[]", /^i2c.yaml:1: the list is empty/],
  ["no list", "bus: 1", /expected a list of adapters/],
  ["an unknown key", "- { buss: 1 }", /unknown key 'buss'; did you mean 'bus'\?/],
  ["neither bus nor simulated", "- { addresses: [1] }", /expected either 'bus' or 'simulated'/],
  ["both", "- { bus: 1, simulated: { parts: [] } }", /expected either 'bus' or 'simulated'/],
  ["no addresses", "- bus: 1", /'addresses' is missing/],
  ["addresses of a simulated adapter", "- { simulated: {}, addresses: [1] }", /but 'parts'/],
  [
    "an address beyond 127",
    "- { bus: 1, addresses: [128] }",
    /an address from 0 to 127, found 128/,
  ],
  ["a 10-bit address beyond 1023", "- { bus: 1, ten-bit-addresses: [1024] }", /from 0 to 1023/],
  ["an address twice", "- { bus: 1, addresses: [80, 0x50] }", /0x50 is listed twice for bus 1/],
  ["a bus twice", "- { bus: 1, addresses: [1] }\n- { bus: 1, addresses: [2] }", /:2: .*bus 1 is/],
  ["an unknown chip", "- simulated: { parts: [{ part: 24c03, address: 1 }] }", /24c03/],
  ["a chip without a model", "- simulated: { parts: [{ address: 1 }] }", /'part' is missing/],
  ["a chip without an address", "- simulated: { parts: [{ part: lm75 }] }", /'address' is missing/],
  [
    "another chip's key",
    "- simulated: { parts: [{ part: lm75, address: 1, file: x }] }",
    /unknown key 'file'/,
  ],
  [
    "a chip beyond the last address",
    "- simulated: { parts: [{ part: 24c16, address: 124 }] }",
    /8 add/,
  ],
  [
    "chips that overlap",
    "- simulated: { parts: [{ part: 24c16, address: 80 }, { part: lm75, address: 87 }] }",
    /address 0x57 is listed twice/,
  ],
  [
    "a file for two chips",
    "- simulated: { parts: [{ part: 24c02, address: 80, file: x }, " +
    "{ part: 24c02, address: 81, file: x }] }",
    /the file 'x' already belongs to another part/,
  ],
  ["no parts", "- simulated: {}", /'parts' is missing/],
  [
    "channels of what has none",
    "- simulated: { parts: [{ part: lm75, address: 72, channels: { 0: [] } }] }",
    /a lm75 has no channels/,
  ],
  [
    "a channel beyond the last one",
    "- simulated: { parts: [{ part: tca9548, address: 112, channels: { 8: [] } }] }",
    /a channel from 0 to 7, found 8/,
  ],
  [
    "an address behind a channel twice",
    "- simulated: { parts: [{ part: tca9548, address: 112, channels: " +
    "{ 1: [{ part: lm75, address: 72 }, { part: lm75, address: 72 }] } }] }",
    /address 0x48 is listed twice for channel 1 of 0x70/,
  ],
  [
    "an address behind a channel that is before it as well",
    "- simulated: { parts: [{ part: tca9548, address: 112, channels: " +
    "{ 1: [{ part: lm75, address: 112 }] } }] }",
    /address 0x70 is listed for simulated bus 0 and for channel 1 of 0x70/,
  ],
  [
    "an address before a channel that is behind it as well",
    "- simulated: { parts: [{ part: tca9548, address: 112, channels: " +
    "{ 1: [{ part: lm75, address: 72 }] } }, { part: lm75, address: 72 }] }",
    /address 0x48 is listed for channel 1 of 0x70 and for simulated bus 0/,
  ],
  [
    "a name of a part behind a channel twice",
    "- simulated: { parts: [{ part: tca9548, address: 112, channels: " +
    "{ 1: [{ part: lm75, address: 72, name: a }], 2: [{ part: lm75, address: 72, name: a }] } }] }",
    /the name 'a' is taken/,
  ],
  [
    "the chips of before",
    "- simulated:\n    chips: []",
    /^i2c\.yaml:2: .*no key 'chips' any more; write 'parts', a list such as \[\{ part: 24c02, add/,
  ],
  [
    "the chip of before",
    "- simulated: { parts: [{ address: 80, chip: 24c02 }] }",
    /no key 'chip' any more; write part: 24c02/,
  ],
  [
    "the registers' values of before",
    "- simulated: { parts: [{ part: registers, address: 1, values: [{ at: 0x10, bytes: [1] }] }] }",
    /write it as \{ 0x10: \[1\] \}, without 'at' and 'bytes'/,
  ],
  [
    "a name for two parts",
    "- simulated: { parts: [{ part: lm75, address: 1, name: a }] }\n" +
    "- simulated: { parts: [{ part: lm75, address: 2, name: a }] }",
    /^i2c\.yaml:2: .*the name 'a' is taken by another part/,
  ],
];

for (const [what, yaml, expected] of badFiles) {
  Deno.test(`a configuration file with ${what} is refused, with its place`, () => {
    const message = refusal(() => adapters(yaml));
    assertMatch(message, /^i2c\.yaml:\d+: /);
    assertMatch(message, expected);
  });
}
