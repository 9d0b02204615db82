/** The grammar of the device list, as far as real chips are concerned. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { readDeviceList } from "../../../lib/gpio/options.ts";

/** The chips of a list, each with its lines where they are picked. */
function chips(list: string): unknown[] {
  return readDeviceList(list).map((choice) => {
    if (choice.kind === "simulated") return choice.lines.length;
    return choice.lines === undefined
      ? [choice.chip]
      : [choice.chip, choice.lines.map(({ line }) => line)];
  });
}

const accepted: [list: string, meaning: unknown[]][] = [
  ["0", [[0]]],
  ["0:3", [[0], [3]]],
  ["3:s4:6:s1", [[3], 4, [6], 1]],
  ["/dev/gpiochip0", [["/dev/gpiochip0"]]],
  ["gpiochip0:gpiochip3", [["gpiochip0"], ["gpiochip3"]]],
  ["pinctrl-bcm2711", [["pinctrl-bcm2711"]]],
  ["20200000.gpio", [["20200000.gpio"]]],
  ["sgpio:sx8", [["sgpio"], ["sx8"]]],
  ["0[4,17,27]", [[0, [4, 17, 27]]]],
  ["0[4-7]", [[0, [4, 5, 6, 7]]]],
  ["0[9,0-2,5]:s8", [[0, [9, 0, 1, 2, 5]], 8]],
  ["0[led, key-1]", [[0, ["led", "key-1"]]]],
  ["0[a:b]:1", [[0, ["a:b"]], [1]]],
  ['"INT3450:00"', [["INT3450:00"]]],
  ['"INT3450:00"[3]:"pinctrl:xyz":2', [["INT3450:00", [3]], ["pinctrl:xyz"], [2]]],
  ['"s8":"0":"a[b]"', [["s8"], ["0"], ["a[b]"]]],
];

for (const [list, meaning] of accepted) {
  Deno.test(`-l ${list} is understood`, () => assertEquals(chips(list), meaning));
}

const refused: [list: string, why: RegExp][] = [
  ["", /an entry is empty/],
  ["0:", /an entry is empty/],
  [":0", /an entry is empty/],
  ["0::3", /an entry is empty/],
  ["[4]", /'\[4\]' does not name a chip/],
  ['""', /'""' does not name a chip/],
  ["-1", /'-1' is no device/],
  ["0[4", /'0\[4' has a quote or a bracket without its counterpart/],
  ["0]4", /without its counterpart/],
  ['"a:b', /without its counterpart/],
  ['a"b"', /without its counterpart/],
  ["0[4]x", /without its counterpart/],
  ["0[]", /'\[\]' has an empty place/],
  ["0[4,,5]", /'\[4,,5\]' has an empty place/],
  ["0[7-4]", /the range '7-4' runs backwards/],
  ["0[65536]", /'65536' is beyond 65535/],
  ["0[0-99999999999999999999]", /beyond 65535/],
  ["s", /'s' has no number of lines/],
  ["s0", /'s0' has 0 lines/],
  ["s70000", /'s70000' has 70000 lines/],
  ["s8[1]", /'s8\[1\]' picks lines of a simulated chip/],
];

for (const [list, why] of refused) {
  Deno.test(`-l ${list || "(nothing)"} is refused with the list and the reason`, () => {
    const error = assertThrows(() => readDeviceList(list), UsageError);
    assertMatch(error.message, why);
    assert(error.message.startsWith(`device list '${list}': `), error.message);
    assertNotMatch(error.message, /\n/);
  });
}
