import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { startControlled } from "../support/control_daemon.ts";
import { Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest, IN, IRQ, OUT, VALID } from "../support/gpio_driver.ts";
import { ERR, I2cGuest, OK } from "../support/i2c_driver.ts";
import { SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/wait.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: lid, direction: input, value: 1 }
        - { name: relay }
        - {}
`;
const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50, name: eeprom }
        - { part: lm75, address: 0x48, name: sensor }
`;
const FLASH = "guests:\n  - simulated:\n      parts: [{ part: flash, name: boot }]\n";

Deno.test("control: describe lists things with their properties, and guests with their state", async () => {
  await using it = await startControlled("gpio", LINES);
  using client = await it.connect();
  const before = await client.call("describe");
  assertEquals(before.program, "vhost-device-gpio");
  assertEquals(before.things.map(({ name }: { name: string }) => name), ["lid", "relay", "2"]);
  const { properties } = before.things[0];
  const value = properties.find(({ name }: { name: string }) => name === "value");
  assertEquals([value.type, value.set, value.from, value.to], ["integer", "both", 0, 1]);
  assertEquals(before.guests.map(({ state }: { state: string }) => state), ["waiting"]);
  using _guest = new GpioGuest(it.daemon.connect());
  it.daemon.untilLogged(/ready: /);
  const { guests } = await client.call("describe");
  assertEquals(guests[0].state, "ready");
  assertEquals(guests[0].socket, it.daemon.socket());
});

Deno.test("control: a line that is set reaches the guest, as level and as interrupt", async () => {
  await using it = await startControlled("gpio", LINES);
  using client = await it.connect();
  using guest = new GpioGuest(it.daemon.connect());
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 1);
  await client.call("set", { values: { lid: 0 } });
  assertEquals(guest.get(GPIO.GET_VALUE, 0), 0);
  assertEquals(await client.call("get", { names: ["lid", "lid.direction", "0/lid"] }), {
    lid: 0,
    "lid.direction": "input",
    "0/lid": 0,
  });
  guest.ask(GPIO.SET_DIRECTION, 0, IN);
  guest.ask(GPIO.SET_IRQ_TYPE, 0, IRQ.RISING);
  guest.unmask(0);
  await client.call("pulse", { name: "lid", milliseconds: 20 });
  assertEquals(guest.nextEvent().status, VALID);
  assertEquals(await client.call("get", { names: ["lid"] }), { lid: 0 });
});

Deno.test("control: what a guest drives is told, with a sequence number and the time", async () => {
  await using it = await startControlled("gpio", LINES);
  using client = await it.connect();
  using guest = new GpioGuest(it.daemon.connect());
  await client.call("subscribe", { things: ["relay"] });
  const before = Date.now() / 1000;
  guest.ask(GPIO.SET_DIRECTION, 1, OUT);
  for (const value of [1, 0]) guest.ask(GPIO.SET_VALUE, 1, value);
  await client.call("set", { values: { lid: 0 } });
  const events = [];
  for (let count = 0; count < 4; count++) events.push(await client.event());
  assertEquals(events.map(({ name, value, sequence }) => [sequence, name, value]), [
    [0, "relay.direction", "output"],
    [1, "relay.driven-by", "guest"],
    [2, "relay", 1],
    [3, "relay", 0],
  ]);
  for (const { time } of events) assert(time > before - 1 && time < before + 60);
});

Deno.test("control: guests that come and go are told", async () => {
  await using it = await startControlled("gpio", LINES);
  using client = await it.connect();
  await client.call("subscribe", { things: [] });
  const guest = new GpioGuest(it.daemon.connect());
  guest.get(GPIO.GET_VALUE, 0);
  guest[Symbol.dispose]();
  const states = [await client.event(), await client.event(), await client.event()];
  assertEquals(states.map(({ kind, guest, state }) => [kind, guest, state]), [
    ["guest", 0, "connected"],
    ["guest", 0, "ready"],
    ["guest", 0, "waiting"],
  ]);
});

Deno.test("control: a sensor is warmed, an EEPROM read and written, faults strike as often as told", async () => {
  await using it = await startControlled("i2c", PARTS);
  using client = await it.connect();
  using guest = new I2cGuest(it.daemon.connect());
  await client.call("set", { values: { "sensor.temperature": 85 } });
  assertEquals(guest.writeRead(0x48, [0], 2), [85, 0]);
  assertEquals(guest.write(0x50, 0x10, 0xab, 0xcd), OK);
  assertEquals(await client.call("read", { name: "eeprom", at: 15, length: 4 }), {
    at: 15,
    data: "ffabcdff",
  });
  await client.call("write", { name: "eeprom", at: 0, data: "0102" });
  assertEquals(guest.writeRead(0x50, [0], 2), [1, 2]);
  await client.call("inject", { thing: "eeprom", fault: "nak", count: 2 });
  assertEquals([1, 2, 3].map(() => guest.write(0x50, 0)), [ERR, ERR, OK]);
  await client.call("set", { values: { "bus.stuck": true } });
  assertEquals(guest.write(0x50, 0), ERR);
  await client.call("set", { values: { "bus.stuck": false } });
  assertEquals(guest.write(0x50, 0), OK);
});

Deno.test("control: transactions are told to whom they are of interest", async () => {
  await using it = await startControlled("i2c", PARTS);
  using client = await it.connect();
  using other = await it.connect();
  using guest = new I2cGuest(it.daemon.connect());
  await client.call("subscribe", { things: [], transactions: true });
  await other.call("subscribe", { things: ["eeprom"] });
  guest.write(0x50, 0x20, 1, 2, 3);
  guest.writeRead(0x50, [0x20], 3);
  // Nobody is asked at an address that is not served: nothing is on the bus.
  guest.write(0x33, 0);
  await client.call("inject", { thing: "eeprom", fault: "nak" });
  guest.write(0x50, 0x30);
  const told = [await client.event(), await client.event(), await client.event()];
  assertEquals(told.map(({ kind, place, messages, ok }) => [kind, place, messages, ok]), [
    ["transaction", "address 0x50", [{ write: "20010203" }], true],
    ["transaction", "address 0x50", [{ write: "20" }, { read: "010203" }], true],
    ["transaction", "address 0x50", [{ write: "30" }], false],
  ]);
  const { kind, name, at, data } = await other.event();
  assertEquals([kind, name, at, data], ["property", "eeprom.contents", 0x20, "010203"]);
});

Deno.test("control: SPI transfers are told, and a flash is read and written", async () => {
  await using it = await startControlled("spi", FLASH);
  using client = await it.connect();
  using guest = new SpiGuest(it.daemon.connect());
  await client.call("write", { name: "boot", at: 0x100, data: "c0ffee" });
  await client.call("subscribe", { transactions: true });
  assertEquals(guest.transfer({}, { tx: [3, 0, 1, 0] }).result, 0);
  assertEquals(guest.transfer({}, { rx: 3 }).rx, [0xc0, 0xff, 0xee]);
  const told = [await client.event(), await client.event()];
  assertEquals(told.map(({ place, messages }) => [place, messages]), [
    ["chip select 0", [{ write: "03000100" }]],
    ["chip select 0", [{ read: "c0ffee" }]],
  ]);
});

Deno.test("control: the socket is the user's own, and is gone at the end", async () => {
  const it = await startControlled("gpio", LINES);
  assertEquals(Deno.lstatSync(it.path).mode! & 0o777, 0o600);
  using folder = new TemporaryFolder();
  await using second = await Daemon.start("vhost-device-gpio", [
    ...["-l", "s1", "-s", folder.file("other"), "--control", it.path],
  ], { socketOption: false });
  assertEquals(await second.ended(), 1);
  assertMatch(second.log, /socket '.*control' is in use by another process; stop that one/);
  const path = it.path;
  assertEquals((await it.daemon.stop()).code, 0);
  await it[Symbol.asyncDispose]();
  assertEquals([...Deno.readDirSync(folder.path)], []);
  assertThrows(() => Deno.lstatSync(path), Deno.errors.NotFound);
});

Deno.test("control: what makes no sense is an error with a reason, and the next request is served", async () => {
  await using it = await startControlled("gpio", LINES);
  using client = await it.connect();
  const cases: [string, number, RegExp][] = [
    ["{", -32700, /not JSON/],
    ["[]", -32600, /batches/],
    ["7", -32600, /an object/],
    ['{"id":1,"method":"get"}', -32600, /"jsonrpc": "2.0"/],
    ['{"jsonrpc":"2.0","id":1}', -32600, /'method' is missing/],
    ['{"jsonrpc":"2.0","id":{},"method":"get"}', -32600, /'id'/],
    ['{"jsonrpc":"2.0","id":1,"method":"constructor"}', -32601, /there are describe, get/],
    ['{"jsonrpc":"2.0","id":1,"method":"get","params":[1]}', -32602, /by their names/],
    ['{"jsonrpc":"2.0","id":1,"method":"get"}', -32602, /'names'/],
    ['{"jsonrpc":"2.0","id":1,"method":"get","params":{"names":["lad"]}}', -32000, /'lid'/],
    ['{"jsonrpc":"2.0","id":1,"method":"get","params":{"names":["lid.x"]}}', -32000, /it has/],
    ['{"jsonrpc":"2.0","id":1,"method":"set","params":{"values":{"lid":2}}}', -32000, /0 to 1/],
    [
      '{"jsonrpc":"2.0","id":1,"method":"set","params":{"values":{"lid.name":"x"}}}',
      -32000,
      /conf/,
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"pulse","params":{"name":"lid"}}', -32602, /milliseconds/],
    [
      '{"jsonrpc":"2.0","id":1,"method":"read","params":{"name":"lid","length":1}}',
      -32000,
      /bytes/,
    ],
  ];
  for (const [line, code, message] of cases) {
    await client.send(`${line}\n`);
    const { error } = (await client.next())!;
    assertEquals(error?.code, code, line);
    assertMatch(error!.message, message);
  }
  assertEquals(await client.call("get", { names: ["lid"] }), { lid: 1 });
});

Deno.test("control: a name that two guests have is told apart", async () => {
  const lines = "{ simulated: { lines: [{ name: lid }] } }";
  await using it = await startControlled("gpio", `guests: [${lines}, ${lines}]\n`, 2);
  using client = await it.connect();
  const { error } = await client.request("get", { names: ["lid"] });
  assertMatch(error!.message, /more than one 'lid'; choose from 0\/lid, 1\/lid/);
  await client.call("set", { values: { "1/lid": 1 } });
  assertEquals(await client.call("get", { names: ["0/lid", "1/lid"] }), { "0/lid": 0, "1/lid": 1 });
});

Deno.test("control: 1,000 connections, 100,000 lines of nonsense and one without end cost nobody anything", async () => {
  await using it = await startControlled("gpio", LINES);
  using guest = new GpioGuest(it.daemon.connect());
  guest.get(GPIO.GET_VALUE, 0);
  const before = it.daemon.fdCount();
  for (let count = 0; count < 1000; count++) (await it.connect())[Symbol.dispose]();
  const hostile = await it.connect();
  const nonsense = "{]\n".repeat(10_000);
  const sending = (async () => {
    for (let count = 0; count < 10; count++) await hostile.send(nonsense);
  })();
  let errors = 0;
  while (errors < 100_000) {
    assertEquals((await hostile.next())?.error?.code, -32700);
    errors++;
    if (errors % 10_000 === 0) assertEquals(guest.get(GPIO.GET_VALUE, 0), 1);
  }
  await sending;
  using endless = await it.connect();
  await endless.send("x".repeat(1 << 20)).catch(() => {});
  await endless.send("x".repeat(1 << 20)).catch(() => {});
  assertEquals(await endless.next().catch(() => undefined), undefined);
  using client = await it.connect();
  assertEquals(await client.call("get", { names: ["lid"] }), { lid: 1 });
  hostile[Symbol.dispose]();
  until("descriptors to be as before", () => it.daemon.fdCount() <= before + 3);
  assert(it.daemon.log.length < 100_000, "the log is flooded");
});

Deno.test("control: a client that does not read is told how many events it has missed", async () => {
  await using it = await startControlled("gpio", LINES);
  using slow = await it.connect();
  using fast = await it.connect();
  await slow.call("subscribe");
  for (let round = 0; round < 40_000; round += 100) {
    const values = Array.from(
      { length: 100 },
      (_, index) =>
        JSON.stringify({ jsonrpc: "2.0", method: "set", params: { values: { lid: index % 2 } } }),
    );
    await fast.send(`${values.join("\n")}\n`);
  }
  await fast.call("get", { names: ["lid"] });
  let next = 0, missed = 0;
  while (missed === 0) {
    // Once there is room again, the next event comes with the number of those before it.
    if (next % 1000 === 0) await fast.call("set", { values: { lid: next / 1000 % 2 } });
    const event = await slow.event();
    assertEquals(event.sequence, next, "something is missed unseen");
    if (event.kind === "missed") missed = event.count;
    next += event.kind === "missed" ? missed : 1;
  }
  assert(missed > 1000, `${missed} were missed`);
  assertEquals((await slow.event()).sequence, next);
});

Deno.test("control: the ten lines of Python in the guide do what they say", async () => {
  const guide = Deno.readTextFileSync(new URL("../../docs/control.md", import.meta.url));
  const [, script] = /^```python\n(.*?)^```$/ms.exec(guide)!;
  await using it = await startControlled(
    "i2c",
    "adapters: [{ simulated: { parts: [{ part: 24c02, address: 0x50 }] } }]",
  );
  using guest = new I2cGuest(it.daemon.connect());
  const python = new Deno.Command("python3", { args: ["-c", script, it.path], stdout: "piped" });
  const { code, stdout } = await python.output();
  assertEquals(code, 0);
  assertEquals(new TextDecoder().decode(stdout), "hello\n['bus', '0x50']\n");
  assertEquals(guest.writeRead(0x50, [0], 5), [...new TextEncoder().encode("hello")]);
});
