import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isLocal,
  isOwnHost,
  readListenAddress,
  showAddress,
} from "../../../../lib/ctl/panel/address.ts";
import { UsageError } from "../../../../lib/errors.ts";

Deno.test("panel: addresses are read with and without a port, and shown so that they can be read", () => {
  const cases: [string, string, number][] = [
    ["127.0.0.1", "127.0.0.1", 0],
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    [":8080", "127.0.0.1", 8080],
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["lab.example:1234", "lab.example", 1234],
    ["[::1]:8080", "::1", 8080],
    ["[::1]", "::1", 0],
    ["::1", "::1", 0],
    ["fe80::1", "fe80::1", 0],
  ];
  for (const [text, hostname, port] of cases) {
    const read = readListenAddress(text);
    assertEquals(read, { hostname, port }, text);
    assertEquals(readListenAddress(showAddress(read)), read);
  }
  for (
    const wrong of [
      "",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "a:b",
      "http://a",
      "a b",
      "[::1",
      "1:2:3:4:5:x",
    ]
  ) {
    assertThrows(() => readListenAddress(wrong), UsageError, "expected ADDRESS:PORT");
  }
});

Deno.test("panel: a name is nobody's but that which is listened on", () => {
  const listening = { hostname: "lab.example", port: 80 };
  for (const host of ["127.0.0.1:5", "192.168.1.7", "[::1]:80", "localhost:3", "LAB.example:80"]) {
    assert(isOwnHost(host, listening), host);
  }
  for (
    const host of ["", "evil.example", "lab.example.evil", "1.2.3.4.evil", "127.0.0.1x", "[::1"]
  ) {
    assert(!isOwnHost(host, listening), host);
  }
  assertEquals(["127.0.0.1", "127.1.2.3", "::1", "localhost"].map(isLocal), [
    true,
    true,
    true,
    true,
  ]);
  assertEquals(["0.0.0.0", "192.168.1.7", "::", "lab"].map(isLocal), [false, false, false, false]);
});
