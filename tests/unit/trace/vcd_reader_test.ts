import { assertEquals, assertThrows } from "@std/assert";
import { Vcd } from "../../../lib/trace/vcd_reader.ts";

const HEAD = `$date today $end
$timescale 10 us $end
$scope module top $end
$scope module board $end
$var wire 1 ! lid $end
$var reg 4 # count $end
$upscope $end
$var wire 1 ! same $end
$var real 64 % level $end
$upscope $end
$enddefinitions $end
`;

Deno.test("a dump is read: wires with their scopes, changes with their times, remarks", () => {
  const { wires, changes, comments } = Vcd.parse(
    `${HEAD}#0\n$dumpvars\n1!\nbxZ10 #\n$end\n$comment half  way $end\n\n\n#25 0! r-1.5 %\n`,
  );
  assertEquals(wires, [
    { name: "lid", scopes: ["top", "board"], type: "wire", size: 1 },
    { name: "count", scopes: ["top", "board"], type: "reg", size: 4 },
    { name: "same", scopes: ["top"], type: "wire", size: 1 },
    { name: "level", scopes: ["top"], type: "real", size: 64 },
  ]);
  assertEquals(changes, [
    { time: 0, wire: 0, value: "1" },
    { time: 0, wire: 2, value: "1" },
    { time: 0, wire: 1, value: "xz10" },
    { time: 250_000, wire: 0, value: "0" },
    { time: 250_000, wire: 2, value: "0" },
    { time: 250_000, wire: 3, value: "-1.5" },
  ]);
  assertEquals(comments, [{ time: 0, text: "half way" }]);
});

Deno.test("what is no dump is refused", () => {
  const refused = (text: string) => assertThrows(() => Vcd.parse(text), Error).message;
  assertEquals(refused(""), "no wires are declared: is it a dump at all?");
  assertEquals(refused("hello"), "'h' is no level");
  assertEquals(refused(`${HEAD}#1\n0~\n`), "there is no wire '~'");
  assertEquals(refused(`${HEAD}#1\n5!\n`), "'5' is no level");
  assertEquals(refused(`${HEAD}#x\n`), "'x' is no number");
  assertEquals(refused(`${HEAD}#1\nrx %\n`), "'x' is no number");
  assertEquals(refused("$timescale 3 ns $end"), "'3ns' is no time scale, such as 1ns");
});
