/**
 * The daemon on top of real spidev nodes, with the bus as it is by default.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import { SPI_CPHA, SPI_CPOL, SPI_CS_HIGH } from "../../../ffi/spidev.ts";
import { Daemon } from "../../support/daemon.ts";
import { FrontEnd } from "../../support/front_end.ts";
import { encodeHead, RESULT, SpiGuest } from "../../support/spi_driver.ts";
import { REQUEST, u32 } from "../../support/wire.ts";
import { Random } from "../../support/random.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { pause, until } from "../../support/wait.ts";
import { pattern } from "../spi/spidev.ts";
import {
  busLog,
  config,
  configure,
  failNext,
  FUNC_CS_HIGH,
  longAnswer,
  MODE_FUNCTIONS_ALL,
  NODE,
  ok,
  OTHER_BUS,
  OTHER_NODE,
  randomRequest,
  refused,
  run,
  sentLength,
  served,
  setPresent,
  settingsOf,
  SIM,
  submitLong,
  transfers,
  wholeBusLog,
} from "./hardware.ts";

Deno.test("S1 the configuration is what the node's controller can do", () =>
  served(NODE, (guest) => {
    assertEquals(config(guest), {
      chipSelects: 1,
      csChange: 1,
      txNbits: 0,
      rxNbits: 0,
      bitsPerWord: 0,
      modes: MODE_FUNCTIONS_ALL & ~FUNC_CS_HIGH,
      frequency: 10_000_000,
    });
  }));

Deno.test("S1 a node is left as it was found, by probing and at the end", async () => {
  configure(NODE, SPI_CPHA | SPI_CS_HIGH, 12);
  try {
    const before = settingsOf(NODE);
    await served(NODE, (guest) => {
      assertEquals(settingsOf(NODE), before);
      assertStrictEquals(guest.exchange([1, 2], { mode: SPI_CPOL }).result, RESULT.OK);
      assertNotEquals(settingsOf(NODE), before);
    });
    assertEquals(settingsOf(NODE), before);
  } finally {
    configure(NODE, 0, 8);
  }
});

Deno.test("a transfer goes to the chip and back in both directions at the same time", () =>
  served(NODE, (guest) => {
    const tx = pattern(64);
    assertEquals(guest.exchange(tx), ok(tx));
    assertEquals(guest.transfer({}, { rx: 8 }), ok(new Uint8Array(8)));
    assertEquals(guest.transfer({}, { tx }), ok([]));
    const seen = transfers().map((line) => line.split(" ", 3).join(" "));
    assertEquals(seen, ["txrx len 64", "rx len 8", "tx len 64"]);
  }));

Deno.test("S4 each transfer has its own mode, speed and word size", () =>
  served(NODE, (guest) => {
    guest.exchange([1, 2, 3, 4], { mode: 0, frequency: 1_000_000 });
    guest.exchange([1, 2, 3, 4], { mode: 3, frequency: 2_000_000, bitsPerWord: 16 });
    guest.exchange([1, 2, 3, 4], { mode: 0x19, frequency: 3_000_000, bitsPerWord: 32 });
    guest.exchange([1, 2, 3, 4], { mode: 0 });
    assertEquals(transfers().map((line) => line.replace(/ nbits.*/, "")), [
      "txrx len 4 mode 0x0 hz 1000000 bpw 8",
      "txrx len 4 mode 0x3 hz 2000000 bpw 16",
      // LOOP is bit 4 of the protocol and bit 5 of Linux.
      "txrx len 4 mode 0x29 hz 3000000 bpw 32",
      "txrx len 4 mode 0x0 hz 10000000 bpw 8",
    ]);
  }));

Deno.test("S4 delays are passed on, rounded up to what spidev can express", () =>
  served(NODE, (guest) => {
    const head = { wordDelay: 1500, hold: 20_001, setup: 5000 };
    assertStrictEquals(guest.exchange([1, 2], head).result, RESULT.OK);
    const log = transfers();
    assertEquals(log.length, 1);
    assertMatch(log[0], /delays 21000\/2000\//);
  }));

Deno.test("the delays around a chip select's change take their time", () =>
  served(NODE, (guest) => {
    const begin = performance.now();
    guest.exchange([1], { setup: 20_000_000 });
    guest.exchange([1], { inactive: 20_000_000 });
    assert(performance.now() - begin >= 40);
  }));

Deno.test("cs_change releases the chip select after a transfer", () =>
  served(NODE, (guest) => {
    guest.transfer({ csChange: 1 }, { tx: [1] });
    guest.transfer({ csChange: 1 }, { rx: 1 });
    assertEquals(busLog().map((line) => line.slice(0, 7)), [
      "cs 0 on",
      "tx len ",
      "cs 0 of",
      "cs 0 on",
      "rx len ",
      "cs 0 of",
    ]);
  }));

Deno.test("without cs_change a command and what is read for it share a chip select's turn", () =>
  served(NODE, (guest) => {
    guest.transfer({}, { tx: [1] });
    guest.transfer({}, { rx: 1 });
    guest.exchange([1]);
    assertEquals(busLog().map((line) => line.slice(0, 7)), [
      "cs 0 on",
      "tx len ",
      "rx len ",
      "cs 0 of",
      "cs 0 on",
      "txrx le",
      "cs 0 of",
    ]);
  }));

Deno.test("a chip that is written twice sees two commands", () =>
  served(NODE, (guest) => {
    guest.transfer({}, { tx: [1] });
    guest.transfer({}, { tx: [2] });
    const log = busLog().map((line) => line.slice(0, 7));
    assertEquals(log, ["cs 0 on", "tx len ", "cs 0 of", "cs 0 on", "tx len "]);
  }));

Deno.test("a flash stays selected for its command, however many transfers that is, and no longer", () =>
  served(
    NODE,
    (guest) => {
      guest.transfer({}, { tx: [0x06] });
      for (const tx of [[0x02], [0, 1, 0], [7, 7, 7, 7]]) guest.transfer({}, { tx });
      guest.transfer({}, { tx: [0x05] });
      guest.transfer({}, { rx: 1 });
      assertEquals(busLog().map((line) => line.slice(0, 8)), [
        ...["cs 0 on", "tx len 1", "cs 0 off"],
        ...["cs 0 on", "tx len 1", "tx len 3", "tx len 4", "cs 0 off"],
        ...["cs 0 on", "tx len 1", "rx len 1", "cs 0 off"],
      ]);
    },
    1,
    { messages: "nor" },
  ));

Deno.test("a chip select that nothing follows is released after a while", () =>
  served(
    NODE,
    (guest) => {
      const begin = performance.now();
      guest.transfer({}, { tx: [1] });
      const log = `${SIM}/spi0/log`;
      until("a release", () => Deno.readTextFileSync(log).endsWith("cs 0 off\n"));
      assert(performance.now() - begin >= 20);
    },
    1,
    { messageTimeout: 20_000 },
  ));

Deno.test("S9 a chip whose message is known to be incomplete waits for a second, and no longer", () =>
  served(
    NODE,
    (guest) => {
      guest.transfer({}, { tx: [0x03] });
      const begin = performance.now();
      until("a release", () => wholeBusLog().at(-1) === "cs 0 off");
      assert(performance.now() - begin >= 950);
    },
    1,
    { messages: "nor", messageTimeout: 1000 },
  ));

for (const messages of ["command", "nor", "prefix:2", "gap"]) {
  Deno.test(`S9 whatever guests send under '${messages}', never are two chips selected, or one for ever`, () =>
    served(
      `${NODE},${OTHER_NODE}`,
      (_guest, { guests }) => {
        const random = new Random(messages.length);
        const selected = new Set<string>();
        // Emptying the log would lose what is written to it after it was read.
        let seen = 0;
        const follow = () => {
          const lines = wholeBusLog();
          for (; seen < lines.length; seen++) {
            const line = lines[seen];
            const [, chip, state] = /^cs (\d) (on|off)$/.exec(line) ?? [];
            if (state === "on") selected.add(chip);
            else if (state === "off") selected.delete(chip);
            assert(selected.size < 2, "two chips are selected");
          }
        };
        busLog();
        for (let round = 0; round < 15; round++) {
          const heads = guests.map((guest) =>
            guest.queues[0].submit(guest.segments(...randomRequest(random)))
          );
          guests.forEach((guest, index) =>
            assertEquals(guest.queues[0].waitUsed(guest.frontEnd).head, heads[index])
          );
          follow();
        }
        until("all chips are released", () => {
          follow();
          return selected.size === 0;
        });
      },
      2,
      { messages, messageTimeout: 1000 },
    ));
}

Deno.test("S5 the nodes of a bus are the chip selects of one controller", () =>
  served(`${NODE},${OTHER_NODE}`, (guest) => {
    assertEquals(config(guest).chipSelects, 2);
    guest.exchange([1], { chipSelect: 1 });
    guest.exchange([1], { chipSelect: 0 });
    assertStrictEquals(guest.exchange([1], { chipSelect: 2 }).result, RESULT.PARAM_ERR);
    const selected = busLog().filter((line) => line.endsWith("on"));
    assertEquals(selected, ["cs 1 on", "cs 0 on"]);
  }));

for (const length of [4096, 4097, 65536]) {
  Deno.test(`S6 a transfer of ${length} bytes goes through spidev's buffers of 4096`, () =>
    served(NODE, (guest) => {
      const tx = pattern(length);
      assertEquals(guest.exchange(tx), ok(tx));
      const log = busLog();
      assertStrictEquals(
        log.filter((line) => line.startsWith("txrx")).length,
        Math.ceil(length / 4096),
      );
      assertEquals(log.filter((line) => line.startsWith("cs")), ["cs 0 on", "cs 0 off"]);
    }));
}

Deno.test("S8 a transfer that would take longer than a second is refused, and not begun", () =>
  served(NODE, (guest, { daemon }) => {
    const tx = pattern(65536);
    assertStrictEquals(guest.exchange(tx, { frequency: 10_000 }).result, RESULT.PARAM_ERR);
    assertStrictEquals(guest.exchange([1], { frequency: 100 }).result, RESULT.PARAM_ERR);
    assertEquals(busLog(), []);
    assertMatch(daemon.log, /65536 bytes at 10000 Hz take 52\.4\d* s, the limit is 1 s/);
    assertMatch(daemon.log, /a word at 100 Hz takes 0\.08 s/);
    assertEquals(guest.exchange([1, 2]), ok([1, 2]));
  }));

Deno.test("S8 during a long transfer the daemon answers messages, and its chip stays selected", () =>
  served(NODE, (guest) => {
    submitLong(guest);
    let messages = 0;
    for (; !guest.queues[0].hasUsed(); messages++) guest.frontEnd.barrier();
    assert(messages >= 5, `${messages} messages`);
    assertEquals(guest.ram.read(guest.buffer("response", 1001), 1001), longAnswer());
    const log = busLog();
    assertEquals(log.filter((line) => line.startsWith("cs")), ["cs 0 on", "cs 0 off"]);
    const lengths = log.flatMap((line) => Number(/ len (\d+)/.exec(line)?.[1] ?? []));
    assertStrictEquals(lengths.reduce((sum, length) => sum + length), 1000);
    // 125 bytes take 100 ms.
    assert(Math.max(...lengths) < 125, `${lengths}`);
  }));

Deno.test("S8 a daemon that is stopped in the middle of a long transfer releases the chip at once", () =>
  served(
    NODE,
    async (guest, { daemon }) => {
      submitLong(guest, 20_000);
      const { code } = await daemon.stop();
      assertStrictEquals(code, 0);
      assert(sentLength() < 20_000);
      assertStrictEquals(busLog().at(-1), "cs 0 off");
    },
    1,
    { maxTransfer: 60_000 },
  ));

/** A front-end goes in the middle of its guest's long transfer, and another guest has the bus. */
function leavesMidway(before: (guest: SpiGuest) => void = () => {}): Promise<void> {
  return served(
    NODE,
    (_guest, { guests: [one, other] }) => {
      submitLong(one, 20_000);
      before(one);
      one.frontEnd.close();
      assertEquals(other.exchange([7]), ok([7]));
      assert(sentLength() < 20_000);
      const selected = busLog().filter((line) => line.startsWith("cs"));
      assertEquals(selected, ["cs 0 on", "cs 0 off", "cs 0 on", "cs 0 off"]);
    },
    2,
    { maxTransfer: 60_000 },
  );
}

/** Asks for the end of the ring, and does not wait for it. */
function stopRing({ frontEnd }: SpiGuest): void {
  frontEnd.send(REQUEST.GET_VRING_BASE, u32(0, 0));
}

Deno.test(
  "S8 a guest that leaves in the middle of a long transfer does not keep the bus",
  () => leavesMidway(),
);

Deno.test("S8 a queue that stops in the middle of a long transfer finishes it, and loses none", () =>
  served(NODE, (guest) => {
    submitLong(guest);
    const [queue] = guest.queues;
    const head = queue.submit(guest.segments(encodeHead({}), 1));
    guest.frontEnd.barrier();
    assertStrictEquals(guest.frontEnd.getVringBase(0), 1);
    assertStrictEquals(sentLength(), 1000);
    queue.waitUsed(guest.frontEnd);
    guest.start(queue, 1);
    guest.frontEnd.setVringEnable(0, true);
    assertStrictEquals(queue.waitUsed(guest.frontEnd).head, head);
  }));

Deno.test(
  "S8 a queue that stops finishes a long transfer only as long as its front-end is there",
  () => leavesMidway(stopRing),
);

Deno.test("S8 a queue that stops finishes a long transfer only as long as the daemon may run", () =>
  served(
    NODE,
    async (guest, { daemon }) => {
      submitLong(guest, 20_000);
      guest.frontEnd.barrier();
      stopRing(guest);
      const begin = performance.now();
      const { code } = await daemon.stop();
      assertStrictEquals(code, 0);
      assert(performance.now() - begin < 2000);
      assert(sentLength() < 20_000);
      assertStrictEquals(busLog().at(-1), "cs 0 off");
    },
    1,
    { maxTransfer: 60_000 },
  ));

Deno.test("delays of the longest kind take their time, with the chip selected between them", () =>
  served(NODE, (guest) => {
    const begin = performance.now();
    assertEquals(guest.exchange([1, 2], { setup: 65e6, hold: 65e6 }), ok([1, 2]));
    assertEquals(guest.transfer({ setup: 65e6 }, {}), ok([]));
    assert(performance.now() - begin >= 195);
    const log = busLog().map((line) => line.slice(0, 8));
    assertEquals(log, [
      ...["cs 0 on", "txrx len", "cs 0 off"],
      ...["cs 0 on", "cs 0 off"],
    ]);
  }));

Deno.test("S6 two long transfers may share a chip select's turn, too", () =>
  served(
    NODE,
    (guest) => {
      guest.transfer({ csChange: 1 }, { tx: pattern(5000) });
      guest.transfer({}, { rx: 5000 });
      const log = busLog().filter((line) => line.startsWith("cs"));
      assertEquals(log, ["cs 0 on", "cs 0 off"]);
    },
    1,
    { messages: "cs-change" },
  ));

Deno.test("S6 a transfer that fails comes back as TRANS_ERR, and the next one works", () =>
  served(NODE, (guest, { daemon }) => {
    failNext(5);
    assertStrictEquals(guest.exchange([1, 2]).result, RESULT.TRANS_ERR);
    assertEquals(guest.exchange([1, 2]), ok([1, 2]));
    assertMatch(daemon.log, /a transfer of \/dev\/spidev0\.0 has failed: Input\/output error/);
  }));

Deno.test("S7 a transfer that fails shows nothing of what was received; its result counts as written", () =>
  served(NODE, (guest) => {
    failNext(5);
    assertEquals(guest.exchange([1, 2]), {
      result: RESULT.TRANS_ERR,
      rx: [0, 0],
      used: 3,
    });
  }));

Deno.test("S6 after a failure a chip that was selected no longer is", () =>
  served(NODE, (guest) => {
    guest.transfer({}, { tx: [1] });
    failNext(5);
    assertStrictEquals(guest.transfer({}, { rx: 1 }).result, RESULT.TRANS_ERR);
    guest.transfer({}, { rx: 1 });
    const log = busLog().map((line) => line.slice(0, 7));
    assertEquals(log.slice(0, 4), ["cs 0 on", "tx len ", "rx len ", "cs 0 of"]);
    assertEquals(log.slice(-3), ["cs 0 on", "rx len ", "cs 0 of"]);
  }));

Deno.test("guests of one daemon share a bus, each transfer with its own guest's mode", () =>
  served(NODE, (_guest, { guests }) => {
    for (let round = 0; round < 20; round++) {
      const tx = pattern(9, round);
      guests.forEach((guest, mode) => {
        assertEquals(guest.exchange(tx, { mode }), ok(tx));
      });
    }
    const modes = transfers().map((line) => Number(/mode 0x(\d)/.exec(line)?.[1]));
    assertEquals(modes, Array.from({ length: 60 }, (_, index) => index % 3));
  }, 3));

Deno.test("a guest does not come between another's command and its answer", () =>
  served(NODE, (_guest, { guests: [one, other] }) => {
    one.transfer({}, { tx: [1] });
    const head = other.queues[0].submit(other.segments(new Uint8Array(32).fill(8, 1, 2), 3));
    // Long enough for the other's thread to have asked for the bus.
    pause(30);
    one.transfer({}, { rx: 1 });
    assertStrictEquals(other.queues[0].waitUsed(other.frontEnd).head, head);
    assertEquals(busLog().map((line) => line.slice(0, 7)), [
      "cs 0 on",
      "tx len ",
      "rx len ",
      "cs 0 of",
      "cs 0 on",
      "rx len ",
      "cs 0 of",
    ]);
  }, 2));

Deno.test("controllers of one bus take turns, too", () =>
  served([NODE, OTHER_NODE], (_guest, { guests: [one, other] }) => {
    one.transfer({}, { tx: [1] });
    const head = other.queues[0].submit(other.segments(encodeHead({}), 1));
    pause(30);
    one.transfer({}, { rx: 1 });
    assertStrictEquals(other.queues[0].waitUsed(other.frontEnd).head, head);
    assertEquals(other.exchange([7]), ok([7]));
    const selected = busLog().filter((line) => line.startsWith("cs"));
    assertEquals(selected, [
      ...["cs 0 on", "cs 0 off"],
      ...["cs 1 on", "cs 1 off"],
      ...["cs 1 on", "cs 1 off"],
    ]);
  }, 2));

Deno.test("a guest that is gone leaves the chip select released and the bus to others", () =>
  served(NODE, (_guest, { guests: [one, other] }) => {
    one.transfer({}, { tx: [1] });
    one.frontEnd.close();
    assertEquals(other.exchange([7]), ok([7]));
    const log = busLog().map((line) => line.slice(0, 7));
    assertEquals(log.slice(0, 3), ["cs 0 on", "tx len ", "cs 0 of"]);
  }, 2));

Deno.test("a node that is taken away fails transfers until it is back, and then works for all", () =>
  served(OTHER_BUS, (guest, { daemon, guests: [, other] }) => {
    assertEquals(guest.exchange([1]), ok([1]));
    setPresent(1, false);
    assertEquals(guest.exchange([1]).result, RESULT.TRANS_ERR);
    assertEquals(guest.exchange([1]).result, RESULT.TRANS_ERR);
    assertMatch(daemon.log, /\/dev\/spidev1\.0 is gone; transfers to it fail until it is back/);
    setPresent(1, true);
    until("it works again", () => guest.exchange([1], { mode: 3 }).result === RESULT.OK);
    assertEquals(other.exchange([2], { mode: 1 }), ok([2]));
    const modes = transfers(1).map((line) => / mode 0x(\d)/.exec(line)?.[1]);
    assertEquals(modes, ["0", "3", "1"]);
    assertEquals(daemon.log.match(/spidev1\.0 is gone/g)?.length, 1);
    assertEquals(daemon.log.match(/spidev1\.0 is back/g)?.length, 1);
  }, 2));

Deno.test("a node that has gone and come back between two transfers: nothing is lost", () =>
  served(OTHER_BUS, (guest) => {
    assertEquals(guest.exchange([1]), ok([1]));
    setPresent(1, false);
    setPresent(1, true);
    assertEquals(guest.exchange([2]), ok([2]));
  }));

Deno.test("S10 the start of a daemon selects no chip, and tries no mode that would", async () => {
  Deno.writeTextFileSync(`${SIM}/spi0/log`, "\n");
  using folder = new TemporaryFolder();
  const args = ["-s", folder.file("socket"), "-l", `${NODE},${OTHER_NODE}`];
  await using daemon = await Daemon.start("vhost-device-spi", args, { socketOption: false });
  daemon.untilLogged(/ at .*socket0/);
  const log = wholeBusLog();
  assert(log.some((line) => line.startsWith("setup 0 mode 0x2")), `${log}`);
  assertEquals(log.filter((line) => !/^(setup|cs) /.test(line)), []);
  assertEquals(log.filter((line) => line.endsWith("on")), []);
  assertEquals(log.filter((line) => (Number(/ mode (\S+)/.exec(line)?.[1]) & 4) !== 0), []);
});

Deno.test("S10 --list changes nothing, and shows what others have as well", async () => {
  configure(NODE, SPI_CPHA, 16);
  Deno.writeTextFileSync(`${SIM}/spi0/log`, "\n");
  const fd = open(NODE, O_RDWR);
  try {
    const { code, output } = await run(["--list"]);
    assertEquals(code, 0);
    assertMatch(
      output,
      /^\/dev\/spidev0\.0: up to 10 MHz, set to mode 1, words of 16 bits, 4096 bytes at a time, in use by deno \(process \d+\)$/m,
    );
    assertMatch(
      output,
      /^\/dev\/spidev0\.1: .* mode 0, words of 8 bits, 4096 bytes at a time$/m,
    );
    assertEquals(wholeBusLog(), []);
  } finally {
    close(fd);
    configure(NODE, 0, 8);
  }
});

Deno.test("S10 a node that another program has open is served as it is set, and left alone", async () => {
  configure(NODE, SPI_CPOL, 16);
  Deno.writeTextFileSync(`${SIM}/spi0/log`, "\n");
  const fd = open(NODE, O_RDWR);
  try {
    using folder = new TemporaryFolder();
    const args = ["-s", folder.file("socket"), "-l", NODE];
    await using daemon = await Daemon.start("vhost-device-spi", args, { socketOption: false });
    daemon.untilLogged(/ at .*socket0/);
    assertEquals(wholeBusLog(), []);
    assertMatch(daemon.log, /'\/dev\/spidev0\.0' is open in deno \(process \d+\), too: guests/);
    using guest = new SpiGuest(FrontEnd.connect(folder.file("socket0")));
    const { modes, bitsPerWord } = config(guest);
    assertEquals([modes, bitsPerWord], [0b1001, 0x8000]);
    assertEquals(guest.exchange([1, 2], { mode: 2, bitsPerWord: 16 }), ok([1, 2]));
    assertEquals(guest.exchange([1, 2], { mode: 0 }).result, RESULT.PARAM_ERR);
    assertEquals(wholeBusLog().filter((line) => line.startsWith("setup")), []);
  } finally {
    close(fd);
    configure(NODE, 0, 8);
  }
});

Deno.test("a second daemon does not get a node that another has", () =>
  served(NODE, () => refused(NODE, 1, /'\/dev\/spidev0\.0' is in use by another/)));

Deno.test("the start says what the nodes can do", () =>
  served(NODE, (_guest, { daemon }) => {
    assertMatch(
      daemon.log,
      /spidev0\.0 \(up to 10 MHz, modes 0-3, lsb-first, loop, words of any size\) at /,
    );
  }));

Deno.test("a node that does not exist is refused, with what is there instead", async () => {
  await refused("/dev/spidev0.7", 1, /bus 0 has no chip at chip select 7.*--list/);
  await refused("/dev/spidev9.0", 1, /this host has no SPI bus 9; see --list/);
});

Deno.test("a chip that spidev is not bound to is refused, with the command that binds it", async () => {
  await refused("/dev/spidev0.2", 1, /spidev is not bound to spi0\.2; bind it with: echo/);
  const { error } = await run(["-s", "/tmp/refused", "-l", "/dev/spidev0.2"]);
  const bind = /bind it with: (.*)$/m.exec(error)?.[1] ?? "false";
  const { success } = await new Deno.Command("sh", { args: ["-c", bind] }).output();
  assert(success, "the command does not work");
  pause(50);
  await served("/dev/spidev0.2", (guest) => {
    assertEquals(guest.exchange([1]), ok([1]));
  });
});

Deno.test("a node that is no spidev is refused", () =>
  refused("/dev/null", 1, /'\/dev\/null' is not a spidev node/));

Deno.test("a node without permission is refused", async () => {
  using folder = new TemporaryFolder();
  Deno.chmodSync(folder.path, 0o777);
  const { code, error } = await run(
    ["-s", folder.file("socket"), "-l", NODE],
    { uid: 65534, gid: 65534, env: { HOME: folder.path } },
  );
  assertMatch(error, /no permission for SPI device '\/dev\/spidev0\.0'; make it/);
  assertEquals(code, 1);
});

Deno.test("nodes of different buses are no controller", () =>
  refused(`${NODE},${OTHER_BUS}`, 2, /spidev1\.0' is on bus 1.*bus 0/));

Deno.test("the same node under two names is refused", async () => {
  using folder = new TemporaryFolder();
  Deno.symlinkSync(NODE, folder.file("link"));
  await refused(`${NODE},${folder.file("link")}`, 2, /are the same node/);
});
