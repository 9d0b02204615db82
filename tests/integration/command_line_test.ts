import { assert, assertEquals, assertMatch } from "@std/assert";
import { findDaemons } from "../../tools/programs.ts";
import { inBatches, type Refusal, run, testRefusals } from "../support/refusals.ts";
import { listOf } from "../support/ways.ts";

const MOST_GUESTS = 256;

/** Refusals of values of `-c`, `--fd`, … */
function ofNumber(flags: readonly string[], range: string, values: readonly string[]): Refusal[] {
  return values.map((value) => ({
    name: `${flags[0]} ${JSON.stringify(value)}`,
    args: [flags[0], value, ...flags.slice(1)],
    value: `'${value}'`,
    remedy: range,
  }));
}

testRefusals("numbers of guests and of sockets that disagree are refused", () => {
  const socket = ["-s", "/nowhere/socket"];
  const agree = /make the two agree or leave the count out/;
  return [
    {
      name: "more sockets than devices",
      args: [...socket, "-c", "2", "-l", "s1"],
      value: "'--socket-count' is 2, but there are devices for 1 guest",
      remedy: agree,
    },
    {
      name: "more devices than sockets",
      args: [...socket, "-c", "1", "-l", "s1:s1"],
      value: "'--socket-count' is 1, but there are devices for 2 guests",
      remedy: agree,
    },
    {
      name: "more guests than one daemon serves",
      args: [...socket, "-l", listOf("s1", MOST_GUESTS + 1)],
      value: "257 guests",
      remedy: "at most 256; start several",
    },
    {
      name: "two sockets, with --fd",
      args: ["--fd", "3", "-c", "2", "-l", "s1:s1"],
      value: "'--socket-count' is 2",
      remedy: "leave the count out",
    },
    {
      name: "two devices, with --fd",
      args: ["--fd", "3", "-l", "s1:s1"],
      value: "2 guests",
      remedy: "make the two agree",
    },
    ...ofNumber(["-c", ...socket, "-l", "s1"], "expected a whole number from 1 to 256", [
      "0",
      "-1",
      "257",
      "1.5",
      "x",
      " 1",
      "1e1",
      "0b1",
      "２",
      "99999999999999999999",
    ]),
  ];
});

testRefusals("device lists that make no sense are refused", () => {
  const socket = ["-s", "/nowhere/socket"];
  const entry = (name: string, list: string, value: string, remedy: string | RegExp) => ({
    name,
    args: [...socket, `--device-list=${list}`],
    value,
    remedy,
  });
  const form = /expected entries like .* or s8/;
  return [
    entry("nothing", "", "'--device-list' has an empty value", "write --device-list D"),
    entry("a blank", " ", "' ' is no device", form),
    entry("a colon alone", ":", "device list ':': an entry is empty", form),
    entry("an empty entry at the begin", ":s1", "':s1': an entry is empty", form),
    entry("an empty entry in the middle", "s1::s1", "'s1::s1': an entry is empty", form),
    entry("an empty entry at the end", "s1:", "'s1:': an entry is empty", form),
    entry("a blank entry", "s1: :s1", "' ' is no device", form),
    entry("no lines", "s0", "'s0' has 0 lines", "1 to 65535"),
    entry("too many lines", "s65536", "'s65536' has 65536 lines", "1 to 65535"),
    entry("far too many lines", "s99999999999999999999", "'s99999999999999999999'", form),
    entry("s without a number", "s", "'s' has no number of lines", form),
    entry("a negative number of lines", "s-1", "'s-1' is no device", form),
    entry("a fraction", "s1.5", "'s1.5' is no device", form),
    entry("a blank before the number", "s 8", "'s 8' is no device", form),
    entry("a blank before the entry", " s8", "' s8' is no device", form),
    entry("a capital letter", "S8", "'S8' is no device", form),
    entry("digits of another script", "ｓ８", "'ｓ８' is no device", form),
    entry("a comma instead of a colon", "s8,8", "'s8,8' is no device", form),
    entry("a negative number", "-1", "'-1' is no device", form),
    entry("lines of a simulated chip", "s8[1]", "'s8[1]' picks lines", "write s8 alone"),
    entry("a bracket that is left open", "0[1", "'0[1' has a quote or a bracket", form),
    entry("an empty place between brackets", "0[1,,2]", "'[1,,2]'", form),
    entry("a range that runs backwards", "0[5-2]", "'5-2' runs backwards", form),
    entry("control characters", "\x1b[31m\nx", "'\\u001b[31m\\nx'", form),
  ];
});

testRefusals(
  "chips that this host does not have are told at run time",
  () =>
    ["no-such-chip", "4095", "/dev/gpiochip4095", '"a:b"'].map((chip) => ({
      name: chip,
      args: ["-s", "/nowhere/socket", "-l", chip],
      code: 1,
      value: /no-such-chip|4095|a:b|libgpiod/,
      remedy: /sN stands for|install the package|this host has|--list/,
    })),
);

testRefusals("options that are not understood are refused", () => {
  const refused = (args: string[], value: string, remedy: string): Refusal => ({
    name: args.map((arg) => arg || "''").join(" ") || "nothing",
    args,
    value,
    remedy,
  });
  return [
    refused(["--sockt-path", "x"], "'--sockt-path'", "did you mean '--socket-path'?"),
    refused(["--socket"], "'--socket'", "did you mean '--socket-path'?"),
    refused(["--count=3"], "'--count'", "did you mean '--socket-count'?"),
    refused(["--device", "s1"], "'--device'", "did you mean '--device-list'?"),
    refused(["--Help"], "'--Help'", "did you mean '--help'?"),
    refused(["---help"], "'---help'", "did you mean '--help'?"),
    refused(["--frobnicate"], "'--frobnicate'", "see --help"),
    refused(["--constructor"], "'--constructor'", "see --help"),
    refused(["--__proto__=1"], "'--__proto__'", "see --help"),
    refused(["-x"], "'-x'", "see --help"),
    refused(["-S", "x"], "'-S'", "see --help"),
    refused(["-hx"], "'-x'", "see --help"),
    refused(["foo"], "'foo'", "values follow their options"),
    refused([""], "''", "values follow their options"),
    refused(["-"], "'-'", "values follow their options"),
    refused(["-l", "s1", "foo"], "'foo'", "values follow their options"),
    refused(["--", "--help"], "'--help'", "values follow their options"),
    refused(["—help"], "'—help'", "write '--help'"),
    refused(["––socket-path", "x"], "'––socket-path'", "write '--socket-path'"),
  ];
});

testRefusals("values that are missing, empty, doubled or of no use are refused", () => {
  const refused = (args: string[], value: string, remedy: string): Refusal => ({
    name: args.map((arg) => arg || "''").join(" ") || "nothing",
    args,
    value,
    remedy,
  });
  return [
    refused([], "no socket is named", "--socket-path PATH"),
    refused(["-l", "s1"], "no socket is named", "--socket-path PATH"),
    refused(["-s", "/nowhere/socket"], "no device is named", "--device-list"),
    refused(["-s"], "'-s' has no value", "write -s PATH"),
    refused(["--socket-path"], "'--socket-path' has no value", "write --socket-path PATH"),
    refused(["-s", "-l", "s8"], "'-l' follows it", "--socket-path=PATH"),
    refused(["-s", "x", "--config"], "'--config' has no value", "write --config FILE"),
    refused(["-s", ""], "'-s' has an empty value", "write -s PATH"),
    refused(["-s="], "'-s' has an empty value", "write -s PATH"),
    refused(["--socket-path="], "'--socket-path' has an empty value", "write --socket-path PATH"),
    refused(["-c", ""], "'-c' has an empty value", "write -c N"),
    refused(["--config="], "'--config' has an empty value", "write --config FILE"),
    refused(["-s", "x", "-s", "x"], "'-s' is given twice", "give it once"),
    refused(["-c", "1", "--socket-count=1"], "'--socket-count' is given twice", "give it once"),
    refused(["-l", "s1", "-ls2"], "'-l' is given twice", "give it once"),
    refused(["--help", "-h"], "'-h' is given twice", "give it once"),
    refused(["--help=yes"], "'yes'", "leave that out"),
    refused(["--log-level", "loud"], "'loud'", "expected error, warn, info, debug or trace"),
    refused(["--log-level=INFO"], "'INFO'", "expected error, warn, info, debug or trace"),
    refused(["--log-format", "xml"], "'xml'", "expected text or json"),
    ...ofNumber(
      ["--poll-us", "-s", "/nowhere/socket", "-l", "s1"],
      "expected a whole number from 0 to 1000000",
      ["-5", "x", "1000001", "0.5"],
    ),
  ];
});

testRefusals("the other daemons tell in the same way", () => [
  {
    name: "an unknown option of the I2C daemon",
    program: "vhost-device-i2c",
    args: ["--device", "1:32"],
    value: "'--device'",
    remedy: "did you mean '--device-list'?",
  },
  {
    name: "an unknown option of the SPI daemon",
    program: "vhost-device-spi",
    args: ["--device-list", "s1"],
    value: "'--device-list'",
    remedy: "--device",
  },
  {
    name: "an I2C daemon without a device",
    program: "vhost-device-i2c",
    args: ["-s", "/nowhere/socket"],
    value: "no ",
    remedy: "--device-list",
  },
  {
    name: "an SPI daemon without a device",
    program: "vhost-device-spi",
    args: ["-s", "/nowhere/socket"],
    value: "no device is named",
    remedy: "--device",
  },
  {
    name: "an I2C daemon without a directory for its socket",
    program: "vhost-device-i2c",
    args: ["-s", "/nowhere/socket", "-l", "s:80"],
    code: 1,
    value: "'/nowhere'",
    remedy: "create it",
  },
  {
    name: "an SPI daemon without a directory for its socket",
    program: "vhost-device-spi",
    args: ["-s", "/nowhere/socket", "-l", "s1"],
    code: 1,
    value: "'/nowhere'",
    remedy: "create it",
  },
]);

Deno.test("each program shows its help and its version on standard output", async () => {
  const programs = (await findDaemons()).map(({ program }) => program);
  await inBatches(programs, async (program) => {
    for (const option of ["--help", "-h"]) {
      const { code, stdout, stderr } = await run(program, [option]);
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, new RegExp(`^${program}: .*\n\nUsage: ${program} `));
    }
    for (const option of ["--version", "-V"]) {
      const { code, stdout, stderr } = await run(program, [option]);
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, new RegExp(`^${program} \\d+\\.\\d+\\.\\d+\n$`));
    }
  });
});

Deno.test("capabilities are printed as JSON of the back-end's type", async () => {
  for (const { program, kind } of await findDaemons()) {
    const { code, stdout } = await run(program, ["--print-capabilities"]);
    assertEquals(code, 0);
    assertEquals(JSON.parse(stdout), { type: kind.type, features: [] });
  }
});

Deno.test("--print-capabilities ignores other options and arguments, wrong ones as well", async () => {
  for (
    const others of [
      ["-l", "nonsense"],
      ["--no-such-option", "--socket-path"],
      ["--help", "--version"],
      ["--config", "/no/such/file", "argument"],
      ["--print-capabilities", "--fd=7"],
    ]
  ) {
    for (const args of [["--print-capabilities", ...others], [...others, "--print-capabilities"]]) {
      const { code, stdout, stderr } = await run("vhost-device-gpio", args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
      assertEquals(JSON.parse(stdout), { type: "gpio", features: [] });
    }
  }
});

Deno.test("a standard output that is full is an error at run time", async () => {
  const outcome = await run("vhost-device-gpio", ["--help"], { prepare: "exec >/dev/full" });
  assertEquals(outcome.code, 1);
  assertMatch(outcome.stderr, /^vhost-device-gpio: standard output cannot be written: .*\n$/);
});

Deno.test("a standard output that is closed is no error", async () => {
  const outcome = await run("vhost-device-gpio", ["--help"], { prepare: "exec >&-" });
  assertEquals(outcome, { code: 0, stdout: "", stderr: "" });
});

Deno.test("a standard error that is closed or full does not change the exit code", async () => {
  for (const target of ["&-", "/dev/full"]) {
    const { code, stderr } = await run("vhost-device-gpio", [], { prepare: `exec 2>${target}` });
    assertEquals([code, stderr], [2, ""]);
  }
});

Deno.test("very long values are shown in part", async () => {
  const { code, stderr } = await run("vhost-device-gpio", ["-s", "x".repeat(20_000), "-l", "s1"]);
  assertEquals(code, 2);
  assert(stderr.length < 2000, `${stderr.length} characters`);
  assertMatch(stderr, /has 20001 bytes.*choose a shorter one\n$/);
});
