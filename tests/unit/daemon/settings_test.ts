import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import type { DeviceKind } from "../../../lib/daemon/device_kind.ts";
import { getLog } from "../../../lib/daemon/log.ts";
import type { OptionValues } from "../../../lib/input/options.ts";
import { COMMON_KEYS, logSettings, readSettings } from "../../../lib/daemon/settings.ts";
import { RuntimeError, UsageError } from "../../../lib/errors.ts";

/** A kind of device of which as many as wanted are there, or as many as the option says. */
const kind: DeviceKind<string> = {
  program: "vhost-device-test",
  type: "test",
  summary: "",
  options: [],
  configKeys: [],
  examples: [],
  plan: ({ options, guestCount }) =>
    Array.from(
      { length: options.devices === undefined ? guestCount ?? 1 : Number(options.devices) },
      (_, index) => ({ settings: `device ${index}`, title: "" }),
    ),
  create() {
    throw new RuntimeError("there is none");
  },
  list: () => [],
};

function read(options: OptionValues, text = "", systemd: number[] = []) {
  const config = ConfigNode.parse("f.yaml", text).mapping(COMMON_KEYS);
  return readSettings(kind, options, config, systemd, getLog(kind.program));
}

function refuses(message: RegExp, ...args: Parameters<typeof read>): void {
  assertMatch(assertThrows(() => read(...args), UsageError).message, message);
}

Deno.test("one guest at a path is what there is without more being said", () => {
  assertEquals(read({ "socket-path": "/s" }), {
    sockets: { path: "/s" },
    guests: [{ settings: "device 0", title: "" }],
    log: { level: "info", format: "text" },
    pollMicroseconds: 0,
    control: undefined,
    trace: undefined,
    sandbox: true,
  });
});

Deno.test("the count of sockets is that of the devices unless it is said", () => {
  assertEquals(read({ "socket-path": "/s", devices: "3" }).guests.length, 3);
  assertEquals(read({ "socket-path": "/s", "socket-count": "2" }).guests.length, 2);
  assertEquals(read({ "socket-path": "/s" }, "socket-count: 4").guests.length, 4);
  assertEquals(read({ fd: "5" }).guests.length, 1);
  assertEquals(read({}, "", [3, 4]).guests.length, 2);
});

Deno.test("options win over the configuration file", () => {
  const text = "socket-path: /f\nsocket-count: 2\nlog-level: warn\nlog-format: json\npoll-us: 9\n";
  const fromFile = read({}, text);
  assertEquals(fromFile.sockets, { path: "/f" });
  assertEquals(fromFile.log, { level: "warn", format: "json" });
  assertEquals(fromFile.pollMicroseconds, 9);
  const options = {
    "socket-path": "/o",
    "socket-count": "1",
    "log-level": "trace",
    "log-format": "text",
    "poll-us": "0",
  };
  assertEquals(read(options, text), {
    sockets: { path: "/o" },
    guests: [{ settings: "device 0", title: "" }],
    log: { level: "trace", format: "text" },
    pollMicroseconds: 0,
    control: undefined,
    trace: undefined,
    sandbox: true,
  });
});

Deno.test("what was passed to the process wins over the path in the configuration file", () => {
  assertEquals(read({ fd: "7" }, "socket-path: /f").sockets, { fd: 7 });
  assertEquals(read({}, "socket-path: /f", [3]).sockets, { systemd: [3] });
});

Deno.test("--fd wins over sockets passed by systemd", () => {
  assertEquals(read({ fd: "4" }, "", [3, 4]).sockets, { fd: 4 });
});

Deno.test("what does not agree is refused", () => {
  refuses(/^no socket is named; .* --socket-path PATH$/, {});
  refuses(/'--fd 3' and '--socket-path \/s' exclude each other/, { fd: "3", "socket-path": "/s" });
  refuses(/systemd has passed 1 socket; leave the option out/, { "socket-path": "/s" }, "", [3]);
  refuses(/'--socket-count' is 2, but '--fd' is for one guest/, { fd: "3", "socket-count": "2" });
  refuses(/'--socket-count' is 1, but systemd has passed 2/, { "socket-count": "1" }, "", [3, 4]);
  refuses(/'socket-count' is 1, but systemd has passed 2/, {}, "socket-count: 1", [3, 4]);
  refuses(/2 guests, but '--fd' is for one/, { fd: "3", devices: "2" });
  refuses(/1 guest, but systemd has passed 2 sockets/, { devices: "1" }, "", [3, 4]);
  refuses(
    /'--socket-count' is 2, but there are devices for 1 guest; make the two agree/,
    { "socket-path": "/s", "socket-count": "2", devices: "1" },
  );
  refuses(/257 guests, one daemon serves at most 256/, { "socket-path": "/s", devices: "257" });
});

Deno.test("numbers beyond their bounds are refused", () => {
  const path = { "socket-path": "/s" };
  refuses(/'--socket-count' has the value '0', .* from 1 to 256$/, {
    ...path,
    "socket-count": "0",
  });
  refuses(/'--fd' has the value '1048577', .* from 0 to 1048576$/, { fd: "1048577" });
  refuses(/'--poll-us' has the value '1000001', .* to 1000000$/, { ...path, "poll-us": "1000001" });
  refuses(/^f.yaml:1: poll-us: .* from 0 to 1000000, found -1$/, path, "poll-us: -1");
  refuses(/^f.yaml:1: socket-path: .* empty text$/, {}, "socket-path: ''");
});

Deno.test("how much is logged is known before everything else", () => {
  assertEquals(logSettings({}, {}), { level: "info", format: "text" });
  assertEquals(logSettings({ "log-level": "debug" }, {}), { level: "debug", format: "text" });
});

Deno.test("a trace of a device without wires is refused", () => {
  refuses(/^'trace' is 't\.vcd', but a device of this kind has no wires/, {
    ...{ "socket-path": "/s", trace: "t.vcd" },
  });
  refuses(/^'trace' is 'x', but/, { "socket-path": "/s" }, "trace: x");
});

Deno.test("a control socket is somewhere where there can be one, and no guest's", () => {
  const path = { "socket-path": "/s" };
  refuses(/^'control': socket path 'x+' has 108 bytes, .* choose a shorter one$/, {
    ...path,
    control: "x".repeat(108),
  });
  assertEquals(read({ ...path, control: "/s1" }).control, "/s1");
  refuses(/^'control' is '\/s1', and so is the socket of guest 1; choose another path$/, {
    ...path,
    ...{ control: "/s1", devices: "2" },
  });
});

Deno.test("a path with a zero byte is none", () => {
  for (const key of ["socket-path", "control", "trace"]) {
    refuses(
      new RegExp(`^f.yaml:1: ${key}: 'a\0b' has a zero byte in it; choose a path without$`),
      key === "socket-path" ? {} : { "socket-path": "/s" },
      `${key}: "a\\0b"`,
    );
  }
});
