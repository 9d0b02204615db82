/**
 * The daemon on top of real spidev nodes: daemon and front-end run inside a guest whose kernel has
 * two make-believe SPI buses (uml_sim.c) that return what they are sent.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertStrictEquals,
} from "@std/assert";
import { close, O_RDWR, open } from "../../../ffi/fd.ts";
import {
  readBitsPerWord,
  readMaxSpeed,
  readMode,
  SPI_CPHA,
  SPI_CPOL,
  SPI_CS_HIGH,
  writeBitsPerWord,
  writeMode,
} from "../../../ffi/spidev.ts";
import { command, Daemon } from "../../support/daemon.ts";
import { FrontEnd } from "../../support/front_end.ts";
import { encodeHead, RESULT, SpiGuest } from "../../support/spi_driver.ts";
import { Random } from "../../support/random.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { pause, until } from "../../support/wait.ts";
import type { Case } from "./case.ts";
import { pattern } from "./spidev.ts";

const NODE = "/dev/spidev0.0";
const OTHER_NODE = "/dev/spidev0.1";
const OTHER_BUS = "/dev/spidev1.0";
const SIM = "/sys/kernel/debug/uml_sim";
const MODE_FUNCTIONS_ALL = 0x7f;
const FUNC_CS_HIGH = 0x10;

/** What the bus was asked to do since the last time the log was emptied. */
function wholeBusLog(bus = 0): string[] {
  const text = Deno.readTextFileSync(`${SIM}/spi${bus}/log`);
  return text.split("\n").filter((line) => line !== "");
}

/** The same without changes of settings; empties the log. */
function busLog(bus = 0): string[] {
  const lines = wholeBusLog(bus);
  Deno.writeTextFileSync(`${SIM}/spi${bus}/log`, "\n");
  return lines.filter((line) => !line.startsWith("setup"));
}

/** Only the transfers among them. */
function transfers(bus = 0): string[] {
  return busLog(bus).filter((line) => !line.startsWith("cs"));
}

function failNext(number: number): void {
  Deno.writeTextFileSync("/sys/module/uml_sim/parameters/spi_fail", `${number}`);
}

interface Situation {
  readonly daemon: Daemon;
  readonly guests: readonly SpiGuest[];
}

/** Runs something with a daemon of these nodes and its guests, after an empty bus log. */
async function served(
  device: string | string[],
  use: (guest: SpiGuest, situation: Situation) => void | Promise<void>,
  count = 1,
  { messageTimeout = 1_000_000, messages = "command", maxTransfer = 1000 } = {},
): Promise<void> {
  using folder = new TemporaryFolder();
  const file = folder.file("spi.yaml");
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      guests: [device].flat().map((device) => ({ device, messages })),
      "message-timeout-us": messageTimeout,
      "max-transfer-ms": maxTransfer,
    }),
  );
  const args = ["--config", file];
  await using daemon = await Daemon.start("vhost-device-spi", args, { count });
  const guests = Array.from({ length: count }, (_, guest) => new SpiGuest(daemon.connect(guest)));
  try {
    busLog();
    await use(guests[0], { daemon, guests });
  } finally {
    for (const guest of guests) guest[Symbol.dispose]();
  }
  assertNotMatch(daemon.log, /internal error/);
}

/** Runs the program to its end. */
async function run(args: readonly string[], options: Deno.CommandOptions = {}) {
  const [program, ...rest] = [...command("vhost-device-spi"), ...args];
  const child = new Deno.Command(program, { ...options, args: rest });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout), error: text.decode(stderr) };
}

/** Checks that the program refuses to start with these arguments. */
async function refused(device: string, code: number, pattern: RegExp): Promise<void> {
  const outcome = await run(["-s", "/tmp/refused", "-l", device]);
  assertMatch(outcome.error, pattern);
  assertEquals(outcome.error.trimEnd().split("\n").length, 1, "more than one line");
  assertStrictEquals(outcome.code, code);
}

function settingsOf(path: string) {
  const fd = open(path, O_RDWR);
  try {
    return { mode: readMode(fd), bits: readBitsPerWord(fd), speed: readMaxSpeed(fd) };
  } finally {
    close(fd);
  }
}

/** Settings stay with the node when it is closed. */
function configure(path: string, mode: number, bits: number): void {
  const fd = open(path, O_RDWR);
  writeMode(fd, mode);
  writeBitsPerWord(fd, bits);
  close(fd);
}

function config(guest: SpiGuest) {
  const bytes = guest.frontEnd.getConfig(0, 32);
  assert(bytes !== undefined);
  const view = new DataView(bytes.buffer);
  return {
    chipSelects: view.getUint8(0),
    csChange: view.getUint8(1),
    txNbits: view.getUint8(2),
    rxNbits: view.getUint8(3),
    bitsPerWord: view.getUint32(4, true),
    modes: view.getUint32(8, true),
    frequency: view.getUint32(12, true),
  };
}

const ok = (rx: ArrayLike<number>) => ({
  result: RESULT.OK,
  rx: Array.from(rx),
  used: rx.length + 1,
});

/** A request that makes sense more often than not, and the room for its answer. */
function randomRequest(random: Random): [request: Uint8Array, room: number] {
  const tx = random.oneIn(4)
    ? []
    : Array.from({ length: 1 + random.below(8) }, () =>
      random.pick([0x02, 0x03, 0x05, 0x06, 0x0f, 0x13, 0x9f, 0x20, random.below(256)]));
  const head = encodeHead({
    chipSelect: random.oneIn(8) ? random.below(4) : random.below(2),
    csChange: random.oneIn(8) ? random.below(3) : random.below(2),
    mode: random.pick([0, 0, 0, 3]),
    bitsPerWord: random.oneIn(8) ? 16 : 8,
    frequency: random.pick([0, 1_000_000, 10_000_000]),
    setup: random.pick([0, 0, 1000]),
    inactive: random.pick([0, 0, 2_000_000]),
  });
  const room = random.oneIn(2) ? tx.length : random.oneIn(2) ? 0 : random.below(8);
  return [Uint8Array.of(...head, ...tx), random.oneIn(3) ? 1 : room + 1];
}

/** Takes a bus away, or puts it back. */
function setPresent(bus: number, present: boolean): void {
  Deno.writeTextFileSync(`${SIM}/spi${bus}/present`, present ? "1" : "0");
}

/** Begins a transfer of 0.8 ms for each byte. */
function submitLong(guest: SpiGuest, length = 1000): void {
  const request = new Uint8Array(32 + length);
  request.set(encodeHead({ frequency: 10_000 }));
  request.set(pattern(length), 32);
  guest.queues[0].submit(guest.segments(request, length + 1));
  until("its first piece", () => sentLength() > 0);
}

/** What comes back for it, with its result. */
function longAnswer(): Uint8Array<ArrayBuffer> {
  const answer = new Uint8Array(1001);
  answer.set(pattern(1000));
  return answer;
}

/** How many bytes have gone over the bus since its log was emptied. */
function sentLength(): number {
  const lengths = wholeBusLog().map((line) => Number(/ len (\d+)/.exec(line)?.[1] ?? 0));
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** With the bus as it is by default. */
const cases: readonly Case[] = [
  {
    name: "S1 the configuration is what the node's controller can do",
    run: () =>
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
      }),
  },
  {
    name: "S1 a node is left as it was found, by probing and at the end",
    async run() {
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
    },
  },
  {
    name: "a transfer goes to the chip and back in both directions at the same time",
    run: () =>
      served(NODE, (guest) => {
        const tx = pattern(64);
        assertEquals(guest.exchange(tx), ok(tx));
        assertEquals(guest.transfer({}, { rx: 8 }), ok(new Uint8Array(8)));
        assertEquals(guest.transfer({}, { tx }), ok([]));
        const seen = transfers().map((line) => line.split(" ", 3).join(" "));
        assertEquals(seen, ["txrx len 64", "rx len 8", "tx len 64"]);
      }),
  },
  {
    name: "S4 each transfer has its own mode, speed and word size",
    run: () =>
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
      }),
  },
  {
    name: "S4 delays are passed on, rounded up to what spidev can express",
    run: () =>
      served(NODE, (guest) => {
        const head = { wordDelay: 1500, hold: 20_001, setup: 5000 };
        assertStrictEquals(guest.exchange([1, 2], head).result, RESULT.OK);
        const log = transfers();
        assertEquals(log.length, 1);
        assertMatch(log[0], /delays 21000\/2000\//);
      }),
  },
  {
    name: "the delays around a chip select's change take their time",
    run: () =>
      served(NODE, (guest) => {
        const begin = performance.now();
        guest.exchange([1], { setup: 20_000_000 });
        guest.exchange([1], { inactive: 20_000_000 });
        assert(performance.now() - begin >= 40);
      }),
  },
  {
    name: "cs_change releases the chip select after a transfer",
    run: () =>
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
      }),
  },
  {
    name: "without cs_change a command and what is read for it share a chip select's turn",
    run: () =>
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
      }),
  },
  {
    name: "a chip that is written twice sees two commands",
    run: () =>
      served(NODE, (guest) => {
        guest.transfer({}, { tx: [1] });
        guest.transfer({}, { tx: [2] });
        const log = busLog().map((line) => line.slice(0, 7));
        assertEquals(log, ["cs 0 on", "tx len ", "cs 0 of", "cs 0 on", "tx len "]);
      }),
  },
  {
    name: "a flash stays selected for its command, however many transfers that is, and no longer",
    run: () =>
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
      ),
  },
  {
    name: "a chip select that nothing follows is released after a while",
    run: () =>
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
      ),
  },
  {
    name: "S9 a chip whose message is known to be incomplete waits for a second, and no longer",
    run: () =>
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
      ),
  },
  ...["command", "nor", "prefix:2", "gap"].map((messages) => ({
    name:
      `S9 whatever guests send under '${messages}', never are two chips selected, or one for ever`,
    run: () =>
      served(
        `${NODE},${OTHER_NODE}`,
        (_guest, { guests }) => {
          const random = new Random(messages.length);
          const selected = new Set<string>();
          const follow = () => {
            for (const line of busLog()) {
              const [, chip, state] = /^cs (\d) (on|off)$/.exec(line) ?? [];
              if (state === "on") selected.add(chip);
              else if (state === "off") selected.delete(chip);
              assert(selected.size < 2, "two chips are selected");
            }
          };
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
      ),
  })),
  {
    name: "S5 the nodes of a bus are the chip selects of one controller",
    run: () =>
      served(`${NODE},${OTHER_NODE}`, (guest) => {
        assertEquals(config(guest).chipSelects, 2);
        guest.exchange([1], { chipSelect: 1 });
        guest.exchange([1], { chipSelect: 0 });
        assertStrictEquals(guest.exchange([1], { chipSelect: 2 }).result, RESULT.PARAM_ERR);
        const selected = busLog().filter((line) => line.endsWith("on"));
        assertEquals(selected, ["cs 1 on", "cs 0 on"]);
      }),
  },
  ...[4096, 4097, 65536].map((length) => ({
    name: `S6 a transfer of ${length} bytes goes through spidev's buffers of 4096`,
    run: () =>
      served(NODE, (guest) => {
        const tx = pattern(length);
        assertEquals(guest.exchange(tx), ok(tx));
        const log = busLog();
        assertStrictEquals(
          log.filter((line) => line.startsWith("txrx")).length,
          Math.ceil(length / 4096),
        );
        assertEquals(log.filter((line) => line.startsWith("cs")), ["cs 0 on", "cs 0 off"]);
      }),
  })),
  {
    name: "S8 a transfer that would take longer than a second is refused, and not begun",
    run: () =>
      served(NODE, (guest, { daemon }) => {
        const tx = pattern(65536);
        assertStrictEquals(guest.exchange(tx, { frequency: 10_000 }).result, RESULT.PARAM_ERR);
        assertStrictEquals(guest.exchange([1], { frequency: 100 }).result, RESULT.PARAM_ERR);
        assertEquals(busLog(), []);
        assertMatch(daemon.log, /65536 bytes at 10000 Hz take 52\.4\d* s, the limit is 1 s/);
        assertMatch(daemon.log, /a word at 100 Hz takes 0\.08 s/);
        assertEquals(guest.exchange([1, 2]), ok([1, 2]));
      }),
  },
  {
    name: "S8 during a long transfer the daemon answers messages, and its chip stays selected",
    run: () =>
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
      }),
  },
  {
    name: "S8 a daemon that is stopped in the middle of a long transfer releases the chip at once",
    run: () =>
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
      ),
  },
  {
    name: "S8 a guest that leaves in the middle of a long transfer does not keep the bus",
    run: () =>
      served(
        NODE,
        (_guest, { guests: [one, other] }) => {
          submitLong(one, 20_000);
          one.frontEnd.close();
          assertEquals(other.exchange([7]), ok([7]));
          assert(sentLength() < 20_000);
          const selected = busLog().filter((line) => line.startsWith("cs"));
          assertEquals(selected, ["cs 0 on", "cs 0 off", "cs 0 on", "cs 0 off"]);
        },
        2,
        { maxTransfer: 60_000 },
      ),
  },
  {
    name: "S8 a queue that stops in the middle of a long transfer finishes it, and loses none",
    run: () =>
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
      }),
  },
  {
    name: "delays of the longest kind take their time, with the chip selected between them",
    run: () =>
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
      }),
  },
  {
    name: "S6 two long transfers may share a chip select's turn, too",
    run: () =>
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
      ),
  },
  {
    name: "S6 a transfer that fails comes back as TRANS_ERR, and the next one works",
    run: () =>
      served(NODE, (guest, { daemon }) => {
        failNext(5);
        assertStrictEquals(guest.exchange([1, 2]).result, RESULT.TRANS_ERR);
        assertEquals(guest.exchange([1, 2]), ok([1, 2]));
        assertMatch(daemon.log, /a transfer of \/dev\/spidev0\.0 has failed: Input\/output error/);
      }),
  },
  {
    name:
      "S7 a transfer that fails shows nothing of what was received; its result counts as written",
    run: () =>
      served(NODE, (guest) => {
        failNext(5);
        assertEquals(guest.exchange([1, 2]), {
          result: RESULT.TRANS_ERR,
          rx: [0, 0],
          used: 3,
        });
      }),
  },
  {
    name: "S6 after a failure a chip that was selected no longer is",
    run: () =>
      served(NODE, (guest) => {
        guest.transfer({}, { tx: [1] });
        failNext(5);
        assertStrictEquals(guest.transfer({}, { rx: 1 }).result, RESULT.TRANS_ERR);
        guest.transfer({}, { rx: 1 });
        const log = busLog().map((line) => line.slice(0, 7));
        assertEquals(log.slice(0, 4), ["cs 0 on", "tx len ", "rx len ", "cs 0 of"]);
        assertEquals(log.slice(-3), ["cs 0 on", "rx len ", "cs 0 of"]);
      }),
  },
  {
    name: "guests of one daemon share a bus, each transfer with its own guest's mode",
    run: () =>
      served(NODE, (_guest, { guests }) => {
        for (let round = 0; round < 20; round++) {
          const tx = pattern(9, round);
          guests.forEach((guest, mode) => {
            assertEquals(guest.exchange(tx, { mode }), ok(tx));
          });
        }
        const modes = transfers().map((line) => Number(/mode 0x(\d)/.exec(line)?.[1]));
        assertEquals(modes, Array.from({ length: 60 }, (_, index) => index % 3));
      }, 3),
  },
  {
    name: "a guest does not come between another's command and its answer",
    run: () =>
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
      }, 2),
  },
  {
    name: "controllers of one bus take turns, too",
    run: () =>
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
      }, 2),
  },
  {
    name: "a guest that is gone leaves the chip select released and the bus to others",
    run: () =>
      served(NODE, (_guest, { guests: [one, other] }) => {
        one.transfer({}, { tx: [1] });
        one.frontEnd.close();
        assertEquals(other.exchange([7]), ok([7]));
        const log = busLog().map((line) => line.slice(0, 7));
        assertEquals(log.slice(0, 3), ["cs 0 on", "tx len ", "cs 0 of"]);
      }, 2),
  },
  {
    name: "a node that is taken away fails transfers until it is back, and then works for all",
    run: () =>
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
      }, 2),
  },
  {
    name: "a node that has gone and come back between two transfers: nothing is lost",
    run: () =>
      served(OTHER_BUS, (guest) => {
        assertEquals(guest.exchange([1]), ok([1]));
        setPresent(1, false);
        setPresent(1, true);
        assertEquals(guest.exchange([2]), ok([2]));
      }),
  },
  {
    name: "S10 the start of a daemon selects no chip, and tries no mode that would",
    async run() {
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
    },
  },
  {
    name: "S10 --list changes nothing, and shows what others have as well",
    async run() {
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
    },
  },
  {
    name: "S10 a node that another program has open is served as it is set, and left alone",
    async run() {
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
    },
  },
  {
    name: "a second daemon does not get a node that another has",
    run: () => served(NODE, () => refused(NODE, 1, /'\/dev\/spidev0\.0' is in use by another/)),
  },
  {
    name: "the start says what the nodes can do",
    run: () =>
      served(NODE, (_guest, { daemon }) => {
        assertMatch(
          daemon.log,
          /spidev0\.0 \(up to 10 MHz, modes 0-3, lsb-first, loop, words of any size\) at /,
        );
      }),
  },
  {
    name: "a node that does not exist is refused, with what is there instead",
    async run() {
      await refused("/dev/spidev0.7", 1, /bus 0 has no chip at chip select 7.*--list/);
      await refused("/dev/spidev9.0", 1, /this host has no SPI bus 9; see --list/);
    },
  },
  {
    name: "a chip that spidev is not bound to is refused, with the command that binds it",
    async run() {
      await refused("/dev/spidev0.2", 1, /spidev is not bound to spi0\.2; bind it with: echo/);
      const { error } = await run(["-s", "/tmp/refused", "-l", "/dev/spidev0.2"]);
      const bind = /bind it with: (.*)$/m.exec(error)?.[1] ?? "false";
      const { success } = await new Deno.Command("sh", { args: ["-c", bind] }).output();
      assert(success, "the command does not work");
      pause(50);
      await served("/dev/spidev0.2", (guest) => {
        assertEquals(guest.exchange([1]), ok([1]));
      });
    },
  },
  {
    name: "a node that is no spidev is refused",
    run: () => refused("/dev/null", 1, /'\/dev\/null' is not a spidev node/),
  },
  {
    name: "a node without permission is refused",
    async run() {
      using folder = new TemporaryFolder();
      Deno.chmodSync(folder.path, 0o777);
      const { code, error } = await run(
        ["-s", folder.file("socket"), "-l", NODE],
        { uid: 65534, gid: 65534, env: { HOME: folder.path } },
      );
      assertMatch(error, /no permission for SPI device '\/dev\/spidev0\.0'; make it/);
      assertEquals(code, 1);
    },
  },
  {
    name: "nodes of different buses are no controller",
    run: () => refused(`${NODE},${OTHER_BUS}`, 2, /spidev1\.0' is on bus 1.*bus 0/),
  },
  {
    name: "the same node under two names is refused",
    async run() {
      using folder = new TemporaryFolder();
      Deno.symlinkSync(NODE, folder.file("link"));
      await refused(`${NODE},${folder.file("link")}`, 2, /are the same node/);
    },
  },
];

/** With a bus that can do less in one place and more in another. */
const otherCases: readonly Case[] = [
  {
    name: "S1 word sizes, modes and data lines are those of the controller",
    run: () =>
      served(NODE, (guest) => {
        const { txNbits, rxNbits, bitsPerWord, modes } = config(guest);
        assertEquals([txNbits, rxNbits], [0b011, 0b001]);
        assertEquals(bitsPerWord, 0x8080);
        assertEquals(modes, 0b0000111);
      }),
  },
  {
    name: "S2 what the controller cannot do is refused, and not tried",
    run: () =>
      served(NODE, (guest) => {
        const heads = [
          { bitsPerWord: 32 },
          { mode: SPI_CPOL },
          { mode: SPI_CS_HIGH },
          { txNbits: 8 },
          { rxNbits: 4 },
          { frequency: 10_000_001 },
        ];
        for (const head of heads) {
          assertStrictEquals(guest.exchange([1, 2, 3, 4], head).result, RESULT.PARAM_ERR);
        }
        assertEquals(busLog(), []);
      }),
  },
  {
    name: "transfers over several data lines go out as such, within one message, too",
    run: () =>
      served(NODE, (guest) => {
        assertStrictEquals(guest.transfer({ txNbits: 4 }, { tx: [1] }).result, RESULT.OK);
        assertStrictEquals(guest.transfer({ rxNbits: 2 }, { rx: 1 }).result, RESULT.OK);
        const log = busLog();
        const nbits = log.map((line) => /nbits (\S+)/.exec(line)?.[1]).filter(Boolean);
        assertEquals(nbits, ["4/0", "0/2"]);
        // The first is that of setting the mode.
        const selected = log.filter((line) => line.startsWith("cs"));
        assertEquals(selected, ["cs 0 off", "cs 0 on", "cs 0 off"]);
      }),
  },
];

for (const { name, run } of Deno.args.includes("other") ? otherCases : cases) {
  Deno.test(name, run);
}
