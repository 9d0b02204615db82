import { assert, assertEquals, assertGreaterOrEqual, assertStrictEquals } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { I2cDevice } from "../../../lib/i2c/device.ts";
import { Messages } from "../../../lib/i2c/messages.ts";
import { readAdapters } from "../../../lib/i2c/config.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { powerUp, SimulatedAdapter } from "../../../lib/i2c/simulated/simulated_adapter.ts";
import { ConfigNode } from "../../../lib/input/config_node.ts";
import { ERR, group, I2cGuest, OK, read, write } from "../../support/i2c_driver.ts";
import { InProcess } from "../../support/in_process.ts";
import { ADDRESS_COUNT } from "../../../lib/i2c/protocol.ts";

const log = getLogger(["test"]);
const everywhere = Array.from({ length: ADDRESS_COUNT }, (_, address) => address);

function withParts(parts: string, use: (guest: I2cGuest) => void, smbusOnly = false): void {
  const yaml = `[{ simulated: { smbus-only: ${smbusOnly}, parts: [${parts}] } }]`;
  const [request] = readAdapters(ConfigNode.parse("test", yaml));
  assert(request.kind === "simulated");
  const adapter = new SimulatedAdapter(powerUp(new Simulation(), request, 1), 0, log);
  const served = [{ adapter, addresses: everywhere }];
  using backEnd = new InProcess(new I2cDevice(served, new Messages(), log));
  using guest = new I2cGuest(backEnd.connect());
  use(guest);
}

function statuses(outcomes: { status: number }[]): number[] {
  return outcomes.map(({ status }) => status);
}

Deno.test("I4 on a simulated bus messages before one that failed keep their status", () => {
  withParts("{ part: 24c02, address: 80 }, { part: nak, address: 33, after: 1 }", (guest) => {
    const outcomes = guest.transfer(
      write(80, 0, 7),
      write(33, 0),
      write(33, 0, 1),
      write(80, 0, 8),
    );
    assertEquals(statuses(outcomes), [OK, OK, ERR, ERR]);
    assertEquals(guest.writeRead(80, [0], 1), [7]);
  });
});

Deno.test("I5 on a simulated bus messages have up to 65535 bytes", () => {
  withParts("{ part: 24c512, address: 80 }", (guest) => {
    const [, { data }] = guest.transfer(write(80, 0, 0), read(80, 65535));
    assertEquals(data, new Array(65535).fill(0xff));
    const bytes = [0, 0, ...Array.from({ length: 65533 }, (_, index) => index & 0xff)];
    assertEquals(statuses(guest.exchange({ ...write(80), bytes })), [OK]);
    // All of it went to the first page, round and round.
    const lastRound = 65533 - 65533 % 128;
    assertEquals(guest.writeRead(80, [0, 0], 2), bytes.slice(2 + lastRound, 4 + lastRound));
  });
});

Deno.test("I6 on a simulated bus nobody answers where there is no chip", () => {
  withParts("{ part: 24c02, address: 80 }", (guest) => {
    assertEquals(statuses(guest.exchange(write(81, 0), read(81, 1), write(81))), [
      ERR,
      ERR,
      ERR,
    ]);
  });
});

Deno.test("I7 a simulated SMBus adapter refuses what SMBus cannot express", () => {
  withParts("{ part: registers, address: 80 }", (guest) => {
    assertStrictEquals(guest.write(80, 1, 2), OK);
    assertEquals(guest.writeRead(80, [1], 1), [2]);
    assertEquals(statuses(guest.exchange(read(80, 2))), [ERR]);
    assertEquals(statuses(guest.transfer(write(80, 1), read(80, 34))), [ERR, ERR]);
  }, true);
});

Deno.test("a 10-bit chip and a 7-bit chip of the same bits are two", () => {
  const parts = "{ part: 24c02, address: 80 }, { part: registers, address: 80, ten-bit: true }";
  withParts(parts, (guest) => {
    const tenBit = { ...read(0, 1), address: 0x50f0 };
    assertEquals(guest.exchange(tenBit)[0].data, [0]);
    assertEquals(guest.exchange(read(80, 1))[0].data, [0xff]);
  });
});

Deno.test("a chip that stretches the clock takes its time for each message", () => {
  const parts = "{ part: stretch, address: 0x22, microseconds: 20000 }";
  withParts(parts, (guest) => {
    const begin = performance.now();
    assertEquals(guest.transfer(write(0x22, 0, 5), write(0x22, 0), read(0x22, 1))[2].data, [5]);
    assertGreaterOrEqual(performance.now() - begin, 60);
  });
});

Deno.test("I10 guests that share a bus and a thread get it one after the other", () => {
  const yaml = "[{ simulated: { parts: [{ part: stretch, address: 0x22, microseconds: 5000 }] } }]";
  const [request] = readAdapters(ConfigNode.parse("test", yaml));
  assert(request.kind === "simulated");
  const settings = powerUp(new Simulation(), request, 2);
  const made = [0, 1].map((guest) => {
    const adapter = new SimulatedAdapter(settings, guest, log);
    const served = [{ adapter, addresses: everywhere }];
    return new InProcess(new I2cDevice(served, new Messages(), log));
  });
  using one = made[0];
  using two = made[1];
  using guestOne = new I2cGuest(one.connect());
  using guestTwo = new I2cGuest(two.connect());
  const first = guestOne.offer(group(write(0x22, 1, 7), write(0x22, 1), read(0x22, 1)));
  one.settle();
  const second = guestTwo.offer(group(write(0x22, 1, 9), write(0x22, 1), read(0x22, 1)));
  two.settle();
  assertEquals(guestOne.collect(first)[2].data, [7]);
  assertEquals(guestTwo.collect(second)[2].data, [9]);
});

Deno.test("behind a multiplexer, parts answer while their channel is selected", () => {
  const parts = `
    { part: registers, address: 0x20, values: { 0: 9 } },
    { part: tca9548, address: 0x70, channels: {
      0: [{ part: registers, address: 0x48, values: { 0: 1 } }],
      3: [{ part: registers, address: 0x48, values: { 0: 2 } },
          { part: registers, address: 0x49, values: { 0: 3 } }],
      4: [{ part: tca9548, address: 0x71, channels: {
        7: [{ part: registers, address: 0x48, values: { 0: 4 } }],
      } }],
    } }`;
  withParts(parts, (guest) => {
    const at48 = () =>
      guest.exchange(write(0x48, 0), read(0x48, 1)).map(({ status, data }) =>
        status === OK ? data?.[0] : undefined
      )[1];
    assertEquals(at48(), undefined);
    assertEquals(guest.writeRead(0x20, [0], 1), [9]);
    for (
      const [selected, expected] of [[1, 1], [8, 2], [9, 1], [2, undefined], [0x10, undefined]]
    ) {
      assertStrictEquals(guest.write(0x70, selected!), OK);
      assertEquals(guest.exchange(read(0x70, 1))[0].data, [selected]);
      assertEquals(at48(), expected);
    }
    assertStrictEquals(guest.write(0x71, 0x80), OK);
    assertEquals(at48(), 4);
    assertStrictEquals(guest.write(0x70, 0), OK);
    assertEquals(at48(), undefined);
    assertStrictEquals(guest.write(0x70, 8), OK);
    assertStrictEquals(guest.write(0x71, 0x80), ERR);
    assertEquals(guest.writeRead(0x49, [0], 1), [3]);
    assertEquals(guest.writeRead(0x20, [0], 1), [9]);
  });
});

Deno.test("a multiplexer selects at the end of the transaction", () => {
  const parts =
    "{ part: tca9548, address: 0x70, channels: { 0: [{ part: registers, address: 0x48 }] } }";
  withParts(parts, (guest) => {
    assertEquals(statuses(guest.transfer(write(0x70, 1), write(0x48, 0))), [OK, ERR]);
    assertEquals(statuses(guest.transfer(write(0x48, 0), write(0x70, 0), write(0x48, 0))), [
      ...[OK, OK, OK],
    ]);
    assertEquals(statuses(guest.exchange(write(0x48, 0))), [ERR]);
  });
});
