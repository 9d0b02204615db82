import {
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
  fail,
} from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { UsageError } from "../../../lib/errors.ts";
import { readGuests, readTimes, TIME_KEYS } from "../../../lib/spi/config.ts";
import { AUTOMATIC, type MessageSetting } from "../../../lib/spi/host/messages/settings.ts";
import { readDevice, readMessages, withMessages } from "../../../lib/spi/options.ts";
import type { ControllerSettings } from "../../../lib/spi/settings.ts";

const guests = (yaml: string) => readGuests(ConfigNode.parse("spi.yaml", yaml));

function simulated(yaml: string) {
  const [settings] = guests(yaml);
  if (settings.kind !== "simulated") fail("not simulated");
  return settings;
}

Deno.test("a node is a controller with one chip select", () => {
  const settings = readDevice("/dev/spidev0.1");
  assertEquals(settings, { kind: "nodes", paths: ["/dev/spidev0.1"], messages: [AUTOMATIC] });
});

Deno.test("several nodes of a bus are the chip selects of a controller, in their order", () => {
  const settings = readDevice("/dev/spidev3.2,/dev/spidev3.0");
  const paths = ["/dev/spidev3.2", "/dev/spidev3.0"];
  assertEquals(settings, { kind: "nodes", paths, messages: [AUTOMATIC, AUTOMATIC] });
});

Deno.test("sN is a controller with N loopbacks", () => {
  const settings = readDevice("s3");
  if (settings.kind !== "simulated") fail("not simulated");
  assertEquals(settings.parts.map(({ part }) => part), ["loopback", "loopback", "loopback"]);
  assertEquals(settings.limits.chipSelects, 3);
  assertEquals(settings.limits.bitsPerWordMask, 0xffffffff);
});

const refusedDevices: [device: string, message: RegExp][] = [
  ["s0", /0 chip selects, a controller has 1 to 255/],
  ["s256", /256 chip selects/],
  ["s", /no number of chip selects, expected/],
  ["s2x", /no number of chip selects/],
  ["spidev0.0", /'spidev0\.0' is no path; did you mean '\/dev\/spidev0\.0'\?/],
  ["0", /'0' is no path; expected \/dev\/spidevX\.Y/],
  ["/dev/spidev0.0,", /an entry is empty/],
  [",/dev/spidev0.0", /an entry is empty/],
  ["/dev/spidev0.0,/dev/spidev0.0", /'\/dev\/spidev0\.0' is given twice/],
  ["/dev/spidev0.0,/dev//spidev0.0", /are the same node/],
  ["/dev/spidev0.0,/dev/spidev1.0", /on bus 1, the nodes before it on bus 0.*of one bus/],
];

for (const [device, message] of refusedDevices) {
  Deno.test(`the device '${device}' is refused`, () => {
    assertMatch(assertThrows(() => readDevice(device), UsageError).message, message);
  });
}

Deno.test("the file may name the device as the command line does", () => {
  assertEquals(guests("- device: /dev/spidev0.0,/dev/spidev0.1"), [
    {
      kind: "nodes",
      paths: ["/dev/spidev0.0", "/dev/spidev0.1"],
      messages: [AUTOMATIC, AUTOMATIC],
    },
  ]);
});

function messages(settings: ControllerSettings): readonly MessageSetting[] {
  if (settings.kind !== "nodes") fail("no nodes");
  return settings.messages;
}

Deno.test("the file may say where messages end, for each node", () => {
  const [settings] = guests(`
    - device: /dev/spidev0.0,/dev/spidev0.1,/dev/spidev0.2,/dev/spidev0.3
      messages: [nor, prefix: 1, "eeprom:2", cs-change]
  `);
  assertEquals(messages(settings), [
    { rule: "nor" },
    { rule: "prefix", number: 1 },
    { rule: "eeprom", number: 2 },
    { rule: "cs-change" },
  ]);
});

Deno.test("one rule is that of all nodes", () => {
  const device = "/dev/spidev0.0,/dev/spidev0.1";
  const [settings] = guests(`- { device: '${device}', messages: prefix:0 }`);
  const rule: MessageSetting = { rule: "prefix", number: 0 };
  assertEquals(messages(settings), [rule, rule]);
  assertEquals(messages(withMessages(readDevice(device), readMessages("prefix:0"))), [rule, rule]);
});

Deno.test("the command line says the same with commas", () => {
  const rules = readMessages("command,nor,nand,gap,eeprom:3,prefix:0x10");
  assertEquals(rules.slice(0, 4).map(({ rule }) => rule), ["command", "nor", "nand", "gap"]);
  assertEquals(rules.slice(4), [{ rule: "eeprom", number: 3 }, { rule: "prefix", number: 16 }]);
});

for (
  const rule of ["", "NOR", "prefix", "prefix:", "prefix:256", "eeprom:0", "eeprom:4", "nor:1"]
) {
  Deno.test(`'${rule}' is no rule for messages`, () => {
    const { message } = assertThrows(() => readMessages(`nor,${rule}`), UsageError);
    assertMatch(message, /is no rule, expected command, nor, nand, eeprom:N, prefix:N, gap or cs/);
  });
}

Deno.test("rules have to be as many as nodes, or one", () => {
  const settings = readDevice("/dev/spidev0.0");
  const { message } = assertThrows(
    () => withMessages(settings, readMessages("nor,nor")),
    UsageError,
  );
  assertStrictEquals(message, "2 rules for 1 nodes; give one for each, or one for all");
});

Deno.test("a guest can share an earlier guest's controller", () => {
  const [first, second, third] = guests("[{ simulated: 1 }, { simulated: 2 }, { share: 0 }]");
  assertStrictEquals(first, third);
  assertNotStrictEquals(first, second);
});

Deno.test("parts have what the file says of them", () => {
  const { parts, limits } = simulated(`
- simulated:
    parts:
      - part: loopback
      - { part: flash, name: firmware, size-kib: 4096, id: 0x012345, file: f.bin }
      - part: flash
      - part: registers
        chip-select: 6
        values: { 0x0f: 0x33, 2: [7, 8] }
        read-only: [0x0f]
        failing: [127]
      - part: loopback`);
  const times = { "erase-ms": 0, "program-us": 0 };
  assertEquals(parts, [
    { chipSelect: 0, part: "loopback", name: undefined, settings: {} },
    {
      chipSelect: 1,
      part: "flash",
      name: "firmware",
      settings: { ...times, "size-kib": 4096, id: 0x012345, file: "f.bin", contents: [] },
    },
    {
      chipSelect: 2,
      part: "flash",
      name: undefined,
      settings: { ...times, "size-kib": 256, id: undefined, file: undefined, contents: [] },
    },
    {
      chipSelect: 6,
      part: "registers",
      name: undefined,
      settings: {
        values: [{ at: 15, bytes: [0x33] }, { at: 2, bytes: [7, 8] }],
        "read-only": [15],
        failing: [127],
      },
    },
    { chipSelect: 7, part: "loopback", name: undefined, settings: {} },
  ]);
  assertEquals(limits.chipSelects, 8);
});

Deno.test("a controller has the limits that the file gives it", () => {
  const { limits } = simulated(`
- simulated:
    parts: [{ part: loopback }]
    max-frequency: 5000000
    bits-per-word: [8, 9]
    modes: [1, 2]
    cs-high: false
    lsb-first: true
    loop: false
    tx-lines: 2
    rx-lines: 8`);
  assertEquals(limits.maxFrequency, 5_000_000);
  assertEquals(limits.bitsPerWordMask, 0x180);
  assertEquals(limits.modeFunctions, 0b0101111);
  assertEquals([limits.txNbits, limits.rxNbits], [1, 7]);
});

Deno.test("chips that are no loopbacks take words of whole bytes", () => {
  const { limits } = simulated("[{ simulated: { parts: [{ part: loopback }, { part: flash }] } }]");
  assertEquals(limits.bitsPerWordMask, 0x80008080);
});

const refusedFiles: [what: string, yaml: string, message: RegExp][] = [
  ["no guest", "[]", /the list is empty/],
  ["a guest without a controller", "[{}]", /expected one of 'device', 'simulated' and 'share'/],
  ["a guest with two", "[{ device: s1, simulated: 1 }]", /expected one of 'device'/],
  ["a device that is refused", "[{ device: s0 }]", /spi\.yaml:1: \[0\]\.device: device 's0'/],
  ["more rules than nodes", "[{ device: /dev/spidev0.0, messages: [nor, nor] }]", /2 rules for 1/],
  ["an unknown rule", "[{ device: /dev/spidev0.0, messages: nro }]", /expected command, .*nro/],
  ["two rules in one", "[{ device: /d/s, messages: [{ prefix: 1, eeprom: 1 }] }]", /one rule/],
  ["a prefix too long", "[{ device: /d/s, messages: [prefix: 256] }]", /bytes from 0 to 255/],
  ["rules for loopbacks", "[{ device: s1, messages: nor }]", /simulated chips know where/],
  ["rules for simulated chips", "[{ simulated: 1, messages: nor }]", /'messages' goes with nodes/],
  ["the former key", "[{ device: /dev/spidev0.0, flash: [0] }]", /write 'messages: nor'/],
  [
    "a node in two controllers",
    "[{ device: '/dev/spidev0.0,/dev/spidev0.1' }, { device: /dev/spidev0.1 }]",
    /\[1\]: '\/dev\/spidev0\.1' is taken by entry 0; write 'share: 0'/,
  ],
  [
    "a flash file in two controllers",
    "[{ simulated: { parts: [{ part: flash, file: f }] } }, { simulated: { parts: [{ part: flash, file: f }] } }]",
    /'f' is taken by entry 0/,
  ],
  ["sharing with nobody", "[{ share: 0 }]", /no earlier entry/],
  [
    "sharing with a later entry",
    "[{ simulated: 1 }, { share: 1 }]",
    /an earlier entry from 0 to 0/,
  ],
  ["an unknown key", "[{ simulated: { part: [] } }]", /unknown key 'part'; did you mean 'parts'/],
  ["no parts", "[{ simulated: { parts: [] } }]", /0 parts, a controller has 1 to 255/],
  [
    "an unknown part",
    "[{ simulated: { parts: [{ part: eeprom }] } }]",
    /expected loopback, flash, registers, .* or remote, found 'eeprom'/,
  ],
  [
    "two parts at one chip select",
    "[{ simulated: { parts: [{ part: flash, chip-select: 1 }, { part: flash, chip-select: 1 }] } }]",
    /parts\[1\]\.chip-select: chip select 1 has another part/,
  ],
  [
    "a chip select that there is not",
    "[{ simulated: { parts: [{ part: flash, chip-select: 255 }] } }]",
    /a chip select from 0 to 254, found 255/,
  ],
  [
    "a name for two parts",
    "[{ simulated: { parts: [{ part: flash, name: a }] } }, " +
    "{ simulated: { parts: [{ part: flash, name: a }] } }]",
    /the name 'a' is taken by another part/,
  ],
  [
    "the chips of before",
    "[{ simulated: { chips: [loopback] } }]",
    /no key 'chips' any more; write 'parts', a list such as \[\{ part: loopback \}/,
  ],
  [
    "a loopback in the form of before",
    "[{ simulated: { parts: [loopback] } }]",
    /write it as \{ part: loopback \}/,
  ],
  [
    "a flash in the form of before",
    "[{ simulated: { parts: [flash: { size-kib: 1024, file: f }] } }]",
    /write it as \{ part: flash, size-kib: 1024, file: f \}/,
  ],
  [
    "a flash of an odd size",
    "[{ simulated: { parts: [{ part: flash, size-kib: 300 }] } }]",
    /expected 256, 512, .*, 32768 or 65536 KiB, found 300/,
  ],
  [
    "a register that there is not",
    "[{ simulated: { parts: [{ part: registers, read-only: [128] }] } }]",
    /a register from 0 to 127/,
  ],
  [
    "a register's value that is no byte",
    "[{ simulated: { parts: [{ part: registers, values: { 1: 256 } }] } }]",
    /a byte or a list of bytes from 0 to 255/,
  ],
  [
    "a mode that there is not",
    "[{ simulated: { parts: [{ part: loopback }], modes: [4] } }]",
    /0 to 3/,
  ],
  ["no modes", "[{ simulated: { parts: [{ part: loopback }], modes: [] } }]", /the list is empty/],
  [
    "3 data lines",
    "[{ simulated: { parts: [{ part: loopback }], tx-lines: 3 } }]",
    /expected 1, 2, 4 or 8 data lines, found 3/,
  ],
  [
    "odd words for a flash",
    "[{ simulated: { parts: [{ part: flash }], bits-per-word: [12] } }]",
    /words of 12 bits go with loopbacks only/,
  ],
];

for (const [what, yaml, message] of refusedFiles) {
  Deno.test(`a file with ${what} is refused, with its line`, () => {
    const error = assertThrows(() => guests(yaml), UsageError);
    assertMatch(error.message, /^spi\.yaml:1: /);
    assertMatch(error.message, message);
  });
}

Deno.test("a chip waits for 10 ms, and a transfer may take 1 s, unless said otherwise", () => {
  const times = (yaml: string) => readTimes(ConfigNode.parse("spi.yaml", yaml).mapping(TIME_KEYS));
  assertEquals(times(""), { messageTimeout: 10, maxTransfer: 1000 });
  assertEquals(times("message-timeout-us: 2500\nmax-transfer-ms: 60000\n"), {
    messageTimeout: 2.5,
    maxTransfer: 60000,
  });
  assertThrows(() => times("message-timeout-us: 1000001\n"), UsageError);
  assertThrows(() => times("max-transfer-ms: 0\n"), UsageError);
});

Deno.test("the example configuration is one that is accepted", () => {
  const file = new URL("../../../examples/spi.yaml", import.meta.url).pathname;
  const keys = ConfigNode.load(file).mapping(["socket-path", "guests", ...TIME_KEYS]);
  const [first, second] = readGuests(keys.guests!);
  assertStrictEquals(first, second);
  if (first.kind !== "simulated") fail("not simulated");
  assertEquals(
    first.parts.map(({ part }) => part),
    ["loopback", "flash", "registers", "fram", "mcp3008", "max31855", "adxl345"],
  );
  assertEquals(readTimes(keys), { messageTimeout: 10, maxTransfer: 1000 });
});
