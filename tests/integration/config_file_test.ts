import { assertEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { type Refusal, testRefusals } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const ONE_GUEST = "guests: [{ simulated: 8 }]\n";

/** A configuration file that is refused, though nothing is wrong with the command line. */
function refused(
  folder: TemporaryFolder,
  name: string,
  contents: string | Uint8Array,
  value: string,
  remedy: string | RegExp,
): Refusal {
  const path = Deno.makeTempFileSync({ dir: folder.path, suffix: ".yaml" });
  if (typeof contents === "string") Deno.writeTextFileSync(path, contents);
  else Deno.writeFileSync(path, contents);
  return { name, args: ["-s", folder.file("socket"), "--config", path], value, remedy };
}

testRefusals("configuration files that cannot be read are refused", (folder) => {
  const path = (name: string, path: string, value: string, remedy: string | RegExp): Refusal => ({
    name,
    args: ["-s", folder.file("socket"), "--config", path],
    value: `'${path}' ${value}`,
    remedy,
  });
  const yaml = "--config takes a YAML file";
  Deno.writeTextFileSync(folder.file("file"), "");
  Deno.writeTextFileSync(folder.file("secret"), ONE_GUEST, { mode: 0 });
  const isRoot = Deno.uid() === 0;
  return [
    path("missing", folder.file("none"), "cannot be read: No such file", "check the path"),
    path("below a file", folder.file("file/x"), "cannot be read: Not a directory", yaml),
    path("a directory", folder.path, "cannot be read: Is a directory", yaml),
    path("without end", "/dev/zero", "has more than 4194304 bytes", "is it the right file?"),
    {
      ...path("unreadable", folder.file("secret"), "cannot be read: Permission denied", "readable"),
      // Root without this capability is as bound by modes as anybody.
      wrapper: isRoot ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [],
    },
    refused(folder, "binary", new Uint8Array([0x7f, 0x45, 0xff, 0xfe]), "is not UTF-8", yaml),
    refused(folder, "empty", "", "no device is named", "--device-list"),
    refused(folder, "comments alone", "# nothing\n", "no device is named", "--device-list"),
  ];
});

testRefusals("configuration files that are not proper YAML are refused with the line", (folder) => [
  refused(folder, "a tab", "guests:\n\t- simulated: 8\n", ":2:", "use spaces"),
  refused(folder, "an open bracket", "guests: [\n", ":2: not valid YAML", "end with a ]"),
  refused(folder, "an open quote", 'socket-path: "x\n', ":2: not valid YAML", "closing"),
  refused(folder, "a second document", `${ONE_GUEST}---\n`, ":2:", "into the first one"),
  refused(folder, "a tag", "guests: !foo 8\n", ":1: Unresolved tag: !foo", "leave the tag out"),
  refused(
    folder,
    "a key twice",
    `${ONE_GUEST}${ONE_GUEST}`,
    ":2: the key 'guests'",
    "give it once",
  ),
  refused(folder, "an alias", "guests: *x\n", ":1: guests: the alias '*x'", "'&x' before it"),
  refused(folder, "windows line ends", "guests:\r\n  - {}\r\nx: 1\r\n", ":3:", "unknown key 'x'"),
]);

testRefusals("keys that all daemons share are checked", (folder) => {
  const key = (line: string, found: string, expected: string) =>
    refused(folder, line, `${line}\n${ONE_GUEST}`, found, expected);
  const withoutSocket = (refusal: Refusal): Refusal => ({
    ...refusal,
    args: refusal.args.slice(2),
  });
  return [
    key("log-leve: info", ":1: unknown key 'log-leve'", "did you mean 'log-level'?"),
    key("frobnicate: 1", ":1: unknown key 'frobnicate'", "expected socket-path, "),
    key("5: 1", ":1: unknown key '5'", "expected socket-path, "),
    key("log-level: loud", ":1: log-level", "expected error, warn, info, debug or trace"),
    key("log-format: 3", ":1: log-format", "expected text or json, found 3"),
    key("poll-us: -1", ":1: poll-us", "from 0 to 1000000, found -1"),
    key('socket-count: "1"', ":1: socket-count", "leave out the quotes"),
    key("socket-count: 0", ":1: socket-count", "from 1 to 256, found 0"),
    key("socket-count: 2", "'socket-count' is 2", "leave the count out"),
    withoutSocket(key("socket-path: 5", ":1: socket-path", "put it in quotes: '5'")),
    withoutSocket(key("socket-path: [a]", ":1: socket-path", "expected a path")),
    withoutSocket(key("socket-path:", ":1: socket-path", "expected a path, found nothing")),
    withoutSocket(key("socket-path: ''", ":1: socket-path", "expected a path")),
    withoutSocket(key('socket-path: "/a\\0b"', "'/a\\u0000b'", "choose a path without")),
    {
      name: "a list at the top",
      args: refused(folder, "list", "- simulated: 8\n", "", "").args,
      value: ".yaml:1: ",
      remedy: "expected a mapping with the keys socket-path",
    },
  ];
});

Deno.test("a configuration file says everything that options can", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("config.yaml");
  Deno.writeTextFileSync(
    path,
    [
      `socket-path: ${folder.file("other")}`,
      "socket-count: 2",
      "log-level: debug",
      "log-format: json",
      "poll-us: 0",
      "guests:",
      "  - &chip { simulated: 3 }",
      "  - *chip",
      "",
    ].join("\r\n"),
  );
  await using daemon = await Daemon.start("vhost-device-gpio", ["--config", path], {
    socketOption: false,
  });
  daemon.untilLogged(/other1/);
  const lines = daemon.log.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    lines.map(({ guest, message }) => `${guest}: ${message}`),
    [0, 1].map((guest) => `${guest}: 3 simulated lines at ${folder.file("other")}${guest}`),
  );
});

Deno.test("options win over the configuration file", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("config.yaml");
  Deno.writeTextFileSync(path, "socket-path: /nowhere/x\nlog-level: error\nguests: [{}]\n");
  const args = ["--config", path, "--log-level", "info", "-l", "s5"];
  await using daemon = await Daemon.start("vhost-device-gpio", args);
  daemon.untilLogged(/guest 0: 5 simulated lines/);
});
