/**
 * The daemon on a plain I2C adapter: daemon and front-end run inside a guest whose kernel has two
 * of them (uml_sim.c).
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { ERR, OK, read, write } from "../../support/i2c_driver.ts";
import { until } from "../../support/wait.ts";
import {
  busLog,
  busNumber,
  printed,
  refused,
  served,
  setPresent,
  type Situation,
  statuses,
} from "./hardware.ts";

const ALL = "main:0x50:0x51:0x60:0x61:0x62:0x63:0x33";

/** Runs something while a driver of the kernel has address 0x51. */
async function withDriver(
  bus: number,
  use: () => void | Promise<void>,
  chip = "24c02",
): Promise<void> {
  const folder = `/sys/bus/i2c/devices/i2c-${bus}`;
  Deno.writeTextFileSync(`${folder}/new_device`, `${chip} 0x51\n`);
  try {
    await use();
  } finally {
    Deno.writeTextFileSync(`${folder}/delete_device`, "0x51\n");
  }
}

Deno.test("I3 on a real bus a group is one I2C_RDWR, split from its neighbours", () =>
  served(["-l", ALL], (guest) => {
    const outcomes = guest.exchange(
      ...[write(0x50, 0, 1, 2), { ...write(0x50, 0), flags: 1 }, read(0x50, 2)],
      write(0x51, 7),
    );
    assertEquals(statuses(outcomes), [OK, OK, OK, OK]);
    assertEquals(outcomes[2].data, [1, 2]);
    assertEquals(busLog(), ["w3@0x50 = 1", "w1@0x50 r2@0x50 = 2", "w1@0x51 = 1"]);
  }));

Deno.test("I3 on a real bus 42 messages are one I2C_RDWR", () =>
  served(["-l", ALL], (guest) => {
    const outcomes = guest.transfer(...Array.from({ length: 42 }, () => read(0x50, 1)));
    assertEquals(statuses(outcomes), new Array(42).fill(OK));
    assertEquals(busLog().length, 1);
  }));

Deno.test("I3 on a real bus a group with two addresses keeps its repeated start", () =>
  served(["-l", ALL], (guest) => {
    guest.transfer(write(0x51, 0), write(0x50, 0), read(0x50, 1));
    assertEquals(busLog(), ["w1@0x51 w1@0x50 r1@0x50 = 3"]);
  }));

Deno.test("I4 on a real bus messages before one that ended the transfer keep their status", () =>
  served(["-l", ALL], (guest) => {
    const outcomes = guest.transfer(write(0x50, 0), read(0x63, 1), read(0x50, 1));
    assertEquals(statuses(outcomes), [OK, ERR, ERR]);
    assertEquals(statuses(guest.exchange(read(0x50, 1))), [OK]);
  }));

Deno.test("I4 on a real bus a NAK fails its group and no other", () =>
  served(["-l", ALL], (guest, { daemon }) => {
    const outcomes = guest.exchange(
      ...[{ ...write(0x33, 0), flags: 1 }, read(0x33, 1)],
      read(0x50, 1),
    );
    assertEquals(statuses(outcomes), [ERR, ERR, OK]);
    assertEquals(busLog(), ["w1@0x33 r1@0x33 = -6", "r1@0x50 = 1"]);
    assertNotMatch(daemon.log, /warn|error/);
  }));

Deno.test("I5 on a real bus messages have up to 8192 bytes; longer ones cause no traffic", () =>
  served(["-l", ALL], (guest) => {
    assertEquals(statuses(guest.exchange(read(0x50, 8192))), [OK]);
    const bytes = new Array(8192).fill(3);
    const [outcome] = guest.exchange({ ...write(0x50), bytes });
    assertEquals(outcome, { status: OK, data: bytes, length: 1 });
    busLog();
    const longer = guest.exchange(read(0x50, 8193), write(0x50, ...bytes, 3));
    assertEquals(statuses(longer), [ERR, ERR]);
    assertEquals(busLog(), []);
  }));

Deno.test("I5 on a real bus messages without data go out in both directions", () =>
  served(["-l", ALL], (guest) => {
    assertEquals(statuses(guest.exchange(write(0x50), read(0x50, 0))), [OK, OK]);
    assertEquals(busLog(), ["w0@0x50 = 1", "r0@0x50 = 1"]);
  }));

Deno.test("I6 on a real bus an address that is not listed causes no traffic", () =>
  served(["-l", "main:0x50"], (guest) => {
    const outcomes = guest.exchange(write(0x51, 0), read(0x51, 1), write(0x3));
    assertEquals(statuses(outcomes), [ERR, ERR, ERR]);
    assertEquals(busLog(), []);
  }));

Deno.test("I8 on real buses each address is reached on the adapter it is listed for", () =>
  served(["-l", "main:0x50,spare:0x51,s:0x20"], (guest) => {
    assertStrictEquals(guest.write(0x50, 0, 1), OK);
    assertStrictEquals(guest.write(0x51, 0, 2), OK);
    assertStrictEquals(guest.write(0x20, 0, 3), OK);
    assertEquals(busLog("i2c0"), ["w2@0x50 = 1"]);
    assertEquals(busLog("i2c1"), ["w2@0x51 = 1"]);
    assertEquals(guest.writeRead(0x20, [0], 1), [3]);
  }));

Deno.test("I8 guests that share a real adapter never mix", () =>
  served(["-l", ALL], (_guest, { guests }) => {
    const bytes = (
      guest: number,
      round: number,
    ) => [guest * 100 + round % 100, round >> 1 & 255];
    for (let round = 0; round < 300; round++) {
      const pending = guests.map((guest, index) =>
        guest.offer([write(0x50 + index, 4, ...bytes(index, round))])
      );
      guests.forEach((guest, index) => {
        assertEquals(statuses(guest.collect(pending[index])), [OK]);
      });
      guests.forEach((guest, index) => {
        assertEquals(guest.writeRead(0x50 + index, [4], 2), bytes(index, round));
      });
    }
  }, 2));

Deno.test("errors that are no NAK are explained once, and logged at debug after that", () =>
  served(["-l", ALL], (guest, { daemon }) => {
    for (let round = 0; round < 3; round++) {
      assertEquals(statuses(guest.exchange(read(0x61, 1), write(0x60, 1))), [ERR, ERR]);
    }
    const warnings = daemon.log.split("\n").filter((line) => / warn /.test(line));
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0], /0x61 failed: .* \(ETIMEDOUT\)/);
  }));

Deno.test("every NAK is logged at debug", () =>
  served(["-l", ALL, "--log-level", "debug"], (guest, { daemon }) => {
    guest.exchange(read(0x33, 1), read(0x33, 1));
    daemon.untilLogged(/debug .*0x33.*[\s\S]*debug .*0x33/);
  }));

Deno.test("an adapter that goes away while it is in use is missed, and found when it is back", async () => {
  const number = busNumber("main");
  for (const bus of ["main", String(number)]) {
    await served(["-l", `${bus}:0x50`], (guest, { daemon }) => {
      assertStrictEquals(guest.write(0x50, 0, 9), OK);
      setPresent(false);
      assertStrictEquals(guest.write(0x50, 0, 9), ERR);
      until("the warning", () => {
        guest.write(0x50, 0, 9);
        return /warn .*the adapter is gone/.test(daemon.log);
      });
      assertEquals(daemon.fds().values().some((it) => it.includes("i2c")), false);
      until("the bus to be put back", () => {
        try {
          setPresent(true);
          return true;
        } catch {
          return false;
        }
      });
      until("the adapter to be found", () => guest.write(0x50, 0, 9) === OK);
      assertMatch(daemon.log, /info .*the adapter is back/);
      assertEquals(daemon.log.match(/the adapter is gone/g)?.length, 1);
    });
  }
});

Deno.test("an adapter that goes away is let go of by guests that do not use it, too", () =>
  served(["-l", "main:0x50"], (_guest, { daemon }) => {
    setPresent(false);
    until("the warnings", () => daemon.log.match(/the adapter is gone/g)?.length === 2);
    until("the bus to be put back", () => {
      try {
        setPresent(true);
        return true;
      } catch {
        return false;
      }
    });
  }, 2));

Deno.test("an address that a driver of the kernel holds is left alone, and said so once (EBUSY)", () =>
  withDriver(busNumber("main"), () =>
    served(["-l", ALL], (guest, { daemon }) => {
      const bus = busNumber("main");
      assertMatch(daemon.log, /warn .*0x51 is held by the kernel's driver 'at24'/);
      assert(daemon.log.includes(`echo ${bus}-0051 >/sys/bus/i2c/drivers/at24/unbind`));
      assertEquals(statuses(guest.exchange(read(0x51, 1), read(0x50, 1))), [ERR, OK]);
      assertEquals(busLog(), ["r1@0x50 = 1"]);
      assertEquals(daemon.log.match(/is held by/g)?.length, 1);
      Deno.writeTextFileSync("/sys/bus/i2c/drivers/at24/unbind", `${bus}-0051`);
      assertEquals(statuses(guest.exchange(read(0x51, 1))), [OK]);
      assertMatch(daemon.log, /info .*0x51 is free now/);
    })));

Deno.test("I9 an address that a driver of the kernel takes while the daemon runs is left alone", () =>
  served(["-l", ALL], async (guest, { daemon }) => {
    const group = [{ ...write(0x51, 0), flags: 1 }, read(0x51, 1)];
    assertEquals(statuses(guest.exchange(...group)), [OK, OK]);
    await withDriver(busNumber("main"), () => {
      busLog();
      assertEquals(statuses(guest.exchange(...group, read(0x50, 1))), [ERR, ERR, OK]);
      assertEquals(busLog(), ["r1@0x50 = 1"]);
      daemon.untilLogged(/warn .*0x51 is held by the kernel's driver 'at24'/);
    });
    busLog();
    assertEquals(statuses(guest.exchange(...group)), [OK, OK]);
    assertEquals(busLog(), ["w1@0x51 r1@0x51 = 2"]);
  }));

Deno.test("I9 an address that is reserved for the daemon, by the driver 'dummy', is served", () =>
  withDriver(busNumber("main"), () =>
    served(["-l", ALL], (guest, { daemon }) => {
      assertEquals(statuses(guest.exchange(read(0x51, 1))), [OK]);
      assertEquals(busLog(), ["r1@0x51 = 1"]);
      assertNotMatch(daemon.log, /is held by/);
    }), "dummy"));

Deno.test("descriptors of adapters are closed when the daemon ends, and none leaks meanwhile", () =>
  served(["-l", ALL], (guest, { daemon }: Situation) => {
    guest.exchange(read(0x50, 1));
    const before = daemon.fdCount();
    for (let round = 0; round < 100; round++) guest.exchange(read(0x33, 1), read(0x50, 1));
    assertStrictEquals(daemon.fdCount(), before);
  }));

Deno.test("--list shows the adapters of the host with number, name and what they can do", () => {
  const lines = printed("--list").trim().split("\n");
  assert(lines.includes(`${busNumber("main")} "main": I2C messages, quick`));
  const smbus = lines.find((line) => line.includes('"uml-sim SMBus"'));
  assertStrictEquals(
    smbus,
    `${busNumber("uml-sim SMBus")} "uml-sim SMBus": SMBus only: quick, byte, byte data, ` +
      "word data, process call, block data, block process call, I2C block",
  );
});

Deno.test("an adapter that does not exist is refused with the list of what does", () => {
  for (const bus of ["77", "no such bus"]) {
    const { code, message } = refused(["-l", `${bus}:0x50`]);
    assertEquals(code, 1);
    assertMatch(message, /^vhost-device-i2c: [^\n]*(77|no such bus)[^\n]*$/);
    assert(message.includes(`${busNumber("main")} "main"`), message);
  }
});

Deno.test("one adapter by number and by name is refused", () => {
  const { code, message } = refused(["-l", `main:0x50,${busNumber("main")}:0x51`]);
  assertEquals(code, 2);
  assertMatch(message, /are the same adapter/);
});

Deno.test("an adapter without permission is refused, with the group that has it", () => {
  const node = `/dev/i2c-${busNumber("main")}`;
  const nobody = { uid: 65534, gid: 1000 };
  Deno.chmodSync(node, 0o600);
  const none = refused(["-l", "main:0x50"], nobody);
  assertEquals(none.code, 1);
  assertMatch(
    none.message,
    /^[^\n]*no permission to open \/dev\/i2c-\d+; [^\n]*group 'i2c'[^\n]*$/,
  );
  Deno.chownSync(node, 0, 65534);
  Deno.chmodSync(node, 0o660);
  const group = refused(["-l", "main:0x50"], nobody);
  assertMatch(group.message, /usermod -aG nogroup USER/);
});

Deno.test("a missing node of an adapter that is there is explained with modprobe i2c-dev", () => {
  Deno.removeSync(`/dev/i2c-${busNumber("spare")}`);
  const { code, message } = refused(["-l", "spare:0x50"]);
  assertEquals(code, 1);
  assertMatch(message, /^[^\n]*\/dev\/i2c-\d+ is missing[^\n]*modprobe i2c-dev$/);
  assertMatch(printed("--list"), /"spare": .*modprobe i2c-dev/);
});
