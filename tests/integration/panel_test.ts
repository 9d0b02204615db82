/** The panel's server: who gets in, and what is served. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { startControlled } from "../support/control_daemon.ts";
import { ctl } from "../support/ctl.ts";
import { type RunningPanel, startPanel } from "../support/panel.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const LINES = "guests: [{ simulated: { lines: [{ name: lid, value: 1 }] } }]\n";

async function withPanel(
  use: (panel: RunningPanel, control: string) => Promise<void>,
  ...options: string[]
): Promise<void> {
  await using gpio = await startControlled("gpio", LINES);
  await using panel = await startPanel([gpio.path], ...options);
  await use(panel, gpio.path);
}

/** A request over a connection of its own, with exactly these headers; its status and body. */
async function ask(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port, host } = new URL(address);
  const name = hostname.replace(/^\[|\]$/g, "");
  using connection = await Deno.connect({ hostname: name, port: Number(port) });
  const all = { Host: host, Connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  await connection.write(
    new TextEncoder().encode(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`),
  );
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    // A WebSocket stays open, as does what asked for one.
    const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(text) ?? [];
    const body = text.indexOf("\r\n\r\n") + 4;
    if (text.startsWith("HTTP/1.1 101") || text.length >= body + Number(length)) break;
  }
  const [head, ...body] = text.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head: head.toLowerCase(), body: body.join("") };
}

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

Deno.test("panel: nobody gets in without the token, under another name, or from another page", async () => {
  await withPanel(async ({ address }, control) => {
    assertMatch(address, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
    const { pathname, origin, port } = new URL(address);
    const status = async (path: string, headers = {}, method = "GET") =>
      (await ask(address, path, headers, method)).status;
    assertEquals(await status(pathname), 200);
    assertEquals((await ask(address, `${pathname}daemons`)).body.includes(control), true);
    const wrong = pathname.replace(/[0-9a-f]\/$/, (it) => it === "0/" ? "1/" : "0/");
    for (const path of ["/", "/daemons", wrong, `${wrong}daemons`, pathname.slice(0, -1), "//"]) {
      assertEquals(await status(path), 404, path);
    }
    // A name that somebody lets lead here, as with DNS rebinding.
    for (const host of [`evil.example:${port}`, "", "127.0.0.1.evil.example", "localhost.evil"]) {
      assertEquals(await status(pathname, { Host: host }), 403, host);
    }
    // The near end of an ssh tunnel has a port of its own.
    for (const host of ["localhost:8080", "127.0.0.1", `[::1]:${port}`]) {
      assertEquals(await status(pathname, { Host: host }), 200, host);
    }
    for (
      const from of [
        "http://evil.example",
        "null",
        `http://localhost:${port}`,
        `https://127.0.0.1:${port}`,
      ]
    ) {
      assertEquals(await status(pathname, { Origin: from }), 403, from);
      assertEquals(await status(`${pathname}daemon/0`, { ...UPGRADE, Origin: from }), 403, from);
    }
    assertEquals(await status(`${pathname}daemon/0`, UPGRADE), 403);
    assertEquals(await status(`${wrong}daemon/0`, { ...UPGRADE, Origin: origin }), 404);
    assertEquals(await status(`${pathname}daemon/1`, { ...UPGRADE, Origin: origin }), 404);
    assertEquals(await status(`${pathname}daemon/0`, { Origin: origin }), 426);
    assertEquals(await status(`${pathname}daemon/0`, { ...UPGRADE, Origin: origin }), 101);
    assertEquals(await status(pathname, {}, "POST"), 405);
  });
});

Deno.test("panel: it listens where it is told to, and nowhere else", async () => {
  await withPanel(async ({ address }) => {
    const port = Number(new URL(address).port);
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.2", port }));
    await withPanel(
      async (other) => {
        assertMatch(other.address, /^http:\/\/127\.0\.0\.2:\d+\//);
        assertEquals((await ask(other.address, new URL(other.address).pathname)).status, 200);
        assertNotEquals(new URL(other.address).pathname, new URL(address).pathname);
      },
      "--listen",
      "127.0.0.2",
    );
    using folder = new TemporaryFolder();
    await using gpio = await startControlled("gpio", LINES);
    const taken = await ctl(["panel", "-c", gpio.path, "--listen", `127.0.0.1:${port}`]);
    assertEquals(taken.code, 1);
    assertMatch(
      taken.stderr,
      /^vhost-device-ctl: cannot listen on 127\.0\.0\.1:\d+: [^\n]+; choose another [^\n]+\n$/,
    );
    const nobody = await ctl(["panel", "-c", folder.file("none")]);
    assertEquals(nobody.code, 1);
    assertMatch(nobody.stderr, /cannot connect to socket '[^\n]+none'[^\n]+\n$/);
  });
});

Deno.test("panel: everything of the page is served, lets nothing else in, and is shown nowhere else", async () => {
  await withPanel(async ({ address, ctl }) => {
    const { pathname } = new URL(address);
    const seen = new Set<string>();
    const look = async (path: string) => {
      if (seen.has(path)) return;
      seen.add(path);
      const { status, head, body } = await ask(address, `${pathname}${path}`);
      assertEquals(status, 200, path);
      assertMatch(head, /content-security-policy: default-src 'none'; script-src 'self';/);
      for (
        const header of [
          "referrer-policy: no-referrer",
          "x-content-type-options: nosniff",
          "cache-control: no-store",
        ]
      ) {
        assert(head.includes(header), `${path}: ${header}`);
      }
      assert(
        !/https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(body),
        `${path} names something elsewhere`,
      );
      const links = body.matchAll(/(?:href|src)="([^"]+)"|from "\.\/([^"]+)"/g);
      for (const [, link, module] of links) await look(link ?? module);
    };
    await look("");
    assert(seen.size > 15, [...seen].join(" "));
    ctl.kill("SIGTERM");
    assertEquals(await ctl.ended(), 0);
    assertEquals(await ctl.errors, "");
  });
});

/** A frame of text from a client to a server: RFC 6455, section 5.2; the mask is 0. */
function frameOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  assert(bytes.length < 126);
  return new Uint8Array([0x81, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}

Deno.test("panel: a page that does not read costs nobody anything, and is told what it has missed", async () => {
  await using i2c = await startControlled(
    "i2c",
    "adapters: [{ simulated: { parts: [{ part: 24c02, address: 0x50, name: eeprom }] } }]\n",
  );
  await using panel = await startPanel([i2c.path]);
  const { hostname, port, host, origin, pathname } = new URL(panel.address);
  using page = await Deno.connect({ hostname, port: Number(port) });
  const headers = { Host: host, Origin: origin, ...UPGRADE };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await page.write(
    new TextEncoder().encode(`GET ${pathname}daemon/0 HTTP/1.1\r\n${lines}\r\n`),
  );
  const buffer = new Uint8Array(1 << 20);
  await page.read(buffer);
  await page.write(frameOf('{"jsonrpc":"2.0","id":1,"method":"subscribe"}'));
  await page.read(buffer);
  // More than all buffers between the daemon and the page have room for.
  using client = await i2c.connect();
  const rss = () =>
    Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${panel.ctl.pid}/status`))![1]);
  const before = rss();
  for (let turn = 0; turn < 400; turn++) {
    const one = (id: number) =>
      `${
        JSON.stringify({
          jsonrpc: "2.0",
          id,
          method: "write",
          params: { name: "eeprom", data: "5a".repeat(256) },
        })
      }\n`;
    await client.send(Array.from({ length: 100 }, (_, id) => one(id)).join(""));
    for (let count = 0; count < 100; count++) await client.next();
  }
  const grown = (rss() - before) / 1024;
  assert(grown < 40, `the panel has grown by ${grown} MiB`);
  let text = "";
  const decoder = new TextDecoder();
  await client.call("write", { name: "eeprom", data: "00" });
  while (!text.includes('"kind":"missed"')) {
    const count = await page.read(buffer);
    assert(count !== null, "the page is sent away");
    text = text.slice(-100) + decoder.decode(buffer.subarray(0, count));
    // The daemon tells it with the next event.
    await client.call("write", { name: "eeprom", data: "00" });
  }
});
