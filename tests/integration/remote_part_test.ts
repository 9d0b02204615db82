/** Parts that programs serve: what becomes of a guest when they are late, wrong or gone. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { startControlled } from "../support/control_daemon.ts";
import { command } from "../support/daemon.ts";
import { ERR, I2cGuest, OK, read, write } from "../support/i2c_driver.ts";
import { PartProgram } from "../support/part_program.ts";
import { RESULT, SpiGuest } from "../support/spi_driver.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const PROGRAM = fileURLToPath(new URL("../../examples/part/thermometer.py", import.meta.url));

/** The longest that an answer can take: a loaded machine is late, too. In milliseconds. */
const LIMIT = 1000;

const I2C = `
adapters:
  - simulated:
      parts:
        - { part: remote, address: 0x48, name: thermometer, answer-ms: ${LIMIT} }
        - { part: registers, address: 0x20, name: other, values: { 0: 7 } }
`;

Deno.test("a program that stands still holds a guest up once, for no longer than was said", async () => {
  await using it = await startControlled("i2c", I2C);
  await using program = await PartProgram.start(PROGRAM, it.path, "thermometer");
  using guest = new I2cGuest(it.daemon.connect());
  const temperature = () => {
    const [{ status }, { status: last, data }] = guest.transfer(write(0x48, 0), read(0x48, 2));
    return [status, last, data[0]];
  };
  assertEquals(temperature(), [OK, OK, 25]);
  program.suspend();
  const before = performance.now();
  assertEquals(guest.transfer(write(0x48, 0))[0].status, ERR);
  const first = performance.now() - before;
  assert(first >= LIMIT, `it took ${first} ms`);
  for (let count = 0; count < 20; count++) {
    assertEquals(guest.transfer(write(0x48, 0))[0].status, ERR);
  }
  const all = performance.now() - before - first;
  assert(all < 20 * LIMIT, `the others took ${all} ms`);
  // Others on the bus answer, and so does the daemon.
  assertEquals(guest.transfer(write(0x20, 0), read(0x20, 1))[1].data, [7]);
  using control = await it.connect();
  assertEquals(await control.call("get", { names: ["thermometer.served"] }), {
    "thermometer.served": true,
  });
  program.resume();
  for (const deadline = performance.now() + 20_000;;) {
    if (guest.transfer(write(0x48, 0))[0].status === OK) break;
    assert(performance.now() < deadline, "it does not answer again");
  }
  assertEquals(temperature(), [OK, OK, 25]);
  const { log } = it.daemon;
  assertEquals(
    log.match(/0x48 does not answer: its program has not answered within 1000 ms/g)?.length,
    1,
  );
  assertEquals(log.match(/the part at address 0x48 answers again/g)?.length, 1);
});

Deno.test("while a guest waits for a program, others look at parts of the same bus", async () => {
  await using it = await startControlled("i2c", I2C, 2);
  await using program = await PartProgram.start(PROGRAM, it.path, "thermometer");
  program.suspend();
  using guest = new I2cGuest(it.daemon.connect());
  using control = await it.connect();
  const pending = guest.offer([write(0x48, 0)]);
  const before = performance.now();
  assertEquals(await control.call("get", { names: ["other.registers"] }), {
    "other.registers": 256,
  });
  await control.call("write", { name: "other", data: "09" });
  const took = performance.now() - before;
  assert(took < LIMIT / 2, `it took ${took} ms`);
  assertEquals(guest.collect(pending)[0].status, ERR);
});

Deno.test("a part has one program, which says what it is, and may go and come back", async () => {
  await using it = await startControlled("i2c", I2C);
  using guest = new I2cGuest(it.daemon.connect());
  assertEquals(guest.transfer(read(0x48, 1))[0].status, ERR);
  it.daemon.untilLogged(/the part at address 0x48 does not answer: no program serves it/);
  using control = await it.connect();
  {
    await control.call("subscribe", { things: ["thermometer"] });
    await using _program = await PartProgram.start(PROGRAM, it.path, "thermometer");
    const told = [await control.event(), await control.event(), await control.event()];
    assertEquals(told.map(({ name, value }) => [name, value]), [
      ["thermometer.temperature", 25],
      ["thermometer.limit", 80],
      ["thermometer.served", true],
    ]);
    const refusal = await control.request("serve", { thing: "thermometer" });
    assertMatch(refusal.error!.message, /another program serves 'thermometer' already/);
    const { things } = await control.call("describe");
    const { properties } = things.find(({ name }: { name: string }) => name === "thermometer");
    assertEquals(properties.map(({ name }: { name: string }) => name), [
      ...["answer-ms", "served", "interrupt", "temperature", "limit"],
    ]);
    const set = await control.request("set", { values: { "thermometer.temperature": 200 } });
    assertMatch(set.error!.message, /expected a number from -55 to 125 °C, found 200/);
    await control.call("set", { values: { "thermometer.temperature": 90 } });
    const events = [await control.event(), await control.event()];
    assertEquals(events.map(({ name, value }) => [name, value]), [
      ["thermometer.temperature", 90],
      ["thermometer.interrupt", true],
    ]);
    assertEquals(guest.transfer(read(0x48, 1))[0].data, [90]);
  }
  // It has gone, and does not call any more.
  for (;;) {
    const { name, value } = await control.event();
    if (name === "thermometer.interrupt" && value === false) break;
  }
  assertEquals(guest.transfer(read(0x48, 1))[0].status, ERR);
  const set = await control.request("set", { values: { "thermometer.temperature": 20 } });
  assertMatch(set.error!.message, /no program serves it/);
  await using _program = await PartProgram.start(PROGRAM, it.path, "thermometer");
  assertEquals(guest.transfer(read(0x48, 1))[0].data, [25]);
});

Deno.test("what a program says that makes no sense is refused", async () => {
  await using it = await startControlled("i2c", I2C);
  using control = await it.connect();
  const refused = async (method: string, params: object) =>
    (await control.request(method, params)).error?.message ?? "accepted";
  const declare = (...properties: unknown[]) =>
    refused("serve", { thing: "thermometer", properties });
  assertMatch(
    await refused("serve", { thing: "other" }),
    /'other' is no part that a program serves/,
  );
  assertMatch(await declare({ name: "served", type: "boolean" }), /there is another of that name/);
  assertMatch(await declare({ name: "A b", type: "boolean" }), /a name has small letters/);
  assertMatch(await declare({ name: "x", type: "bytes" }), /'type' is to be boolean, /);
  assertMatch(await declare({ name: "x", type: "integer", from: 0 }), /'to' is to be a number/);
  assertMatch(
    await declare({ name: "x", type: "boolean", set: "start" }),
    /'set' is to be running/,
  );
  assertMatch(
    await declare({ name: "x", type: "integer", from: 0, to: 5, value: 6 }),
    /expected a whole number from 0 to 5, found 6/,
  );
  assertMatch(await refused("tell", { thing: "thermometer", values: {} }), /you do not serve/);
  assertEquals(await declare({ name: "x", type: "boolean" }), "accepted");
  const tell = (values: object) => refused("tell", { thing: "thermometer", values });
  assertMatch(await tell({ y: 1 }), /has declared no property 'y'/);
  assertMatch(await tell({ x: 7 }), /expected true or false, found 7/);
  assertMatch(await tell({ interrupt: 1 }), /'interrupt' is true or false/);
  assertEquals(await tell({ x: true }), "accepted");
});

/** Sends back what it gets plus one; refuses 0xff, expects more after 0x80, and is short after 2. */
const ECHO = `
import json, socket, sys
control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
def send(**message):
    control.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\\n")
send(id=1, method="serve", params={"thing": "cs0"})
for line in control.makefile("r"):
    message = json.loads(line)
    if message.get("id") == 1:
        print("serving", flush=True)
        continue
    params = message["params"]
    sent = bytes.fromhex(params["exchange"])
    if sent[0] == 0xff:
        send(id=message["id"], error={"code": 1, "message": "no"})
    elif sent[0] == 0xfe:
        send(id=message["id"], result={"data": "zz"})
    else:
        data = bytes([params["first"] * 100 + byte + 1 & 255 for byte in sent])
        send(id=message["id"], result={"data": data[:2].hex() if sent[0] == 2 else data.hex(), "more": sent[0] == 0x80})
`;

Deno.test("a program at a chip select answers each transfer, as long as it wants more of a message", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("echo.py"), ECHO);
  await using it = await startControlled(
    "spi",
    `guests: [{ simulated: { parts: [{ part: remote, answer-ms: ${LIMIT} }] } }]`,
  );
  await using _program = await PartProgram.start(folder.file("echo.py"), it.path);
  using guest = new SpiGuest(it.daemon.connect());
  assertEquals(guest.exchange([1, 5]).rx, [102, 106]);
  assertEquals(guest.exchange([0x80]).rx, [0x80 + 101]);
  assertEquals(guest.exchange([3]).rx, [4]);
  assertEquals(guest.exchange([3]).rx, [104]);
  assertEquals(guest.exchange([2, 2, 2, 2]).rx, [103, 103, 0xff, 0xff]);
  assertEquals(guest.exchange([0x80, 1], { csChange: 1 }).rx, [229, 102]);
  assertEquals(guest.exchange([0xff]).result, RESULT.TRANS_ERR);
  assertEquals(guest.exchange([0xfe]).result, RESULT.TRANS_ERR);
  const long = Array.from({ length: 40_000 }, (_, index) => 5 + index % 90);
  const { rx } = guest.exchange(long);
  assertEquals(rx.slice(0, 16384), long.slice(0, 16384).map((byte) => byte + 101));
  assertEquals(rx.slice(16384), long.slice(16384).map((byte) => byte + 1));
});

Deno.test("a part that nobody could come to serve is refused", async () => {
  using folder = new TemporaryFolder();
  const config = folder.file("config.yaml");
  Deno.writeTextFileSync(config, I2C);
  const [program, ...rest] = command("vhost-device-i2c");
  const { code, stderr } = await new Deno.Command(program, {
    args: [...rest, "-s", folder.file("s"), "--config", config],
  }).output();
  assertEquals(code, 2);
  assertMatch(
    new TextDecoder().decode(stderr),
    /a part is 'remote', .*name one with --control PATH/,
  );
});
