import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { I2cDevice } from "../../../lib/i2c/device.ts";
import { Messages } from "../../../lib/i2c/messages.ts";
import {
  ERR,
  FAIL_NEXT,
  I2cGuest,
  type Message,
  OK,
  READ,
  sevenBit,
} from "../../support/i2c_driver.ts";
import { InProcess, RecordingLog } from "../../support/in_process.ts";
import { Random } from "../../support/random.ts";
import { RecordingAdapter } from "./recording_adapter.ts";

const SEED = 20_231;
const MAX_LENGTH = 64;
const MAX_MESSAGES = 42;

/** Mostly sensible, but of every kind there is. */
function randomMessage(random: Random, more: boolean): Message {
  const reads = random.oneIn(2);
  const length = random.oneIn(5) ? 0 : random.below(random.oneIn(9) ? 100 : 20);
  const address = random.oneIn(12) ? random.below(0x10000) : sevenBit(0x50 + random.below(3));
  return {
    address,
    flags: (reads !== random.oneIn(15) ? READ : 0) | (more ? FAIL_NEXT : 0),
    bytes: reads ? [] : random.bytes(length),
    room: reads ? length : 0,
  };
}

/** True if a message can be tried at all. */
function isPossible({ address, flags, bytes, room }: Message): boolean {
  const listed = address === sevenBit(0x50) || address === sevenBit(0x51);
  const reads = (flags & READ) !== 0;
  const length = Math.max(bytes.length, room);
  return listed && length <= MAX_LENGTH && (length === 0 || reads === room > 0);
}

function expectedStatuses(group: readonly Message[], succeeding: number): number[] {
  if (group.length > MAX_MESSAGES) return group.map(() => ERR);
  const impossible = group.findIndex((message) => !isPossible(message));
  const possible = impossible < 0 ? group.length : impossible;
  return group.map((_, index) => index < Math.min(possible, succeeding) ? OK : ERR);
}

Deno.test("I4 the status of each message of random groups is what the specification says", () => {
  const random = new Random(SEED);
  const adapter = new RecordingAdapter(MAX_LENGTH);
  const device = new I2cDevice(
    [{ adapter, addresses: [0x50, 0x51] }],
    new Messages(),
    new RecordingLog().logger,
  );
  using backEnd = new InProcess(device);
  using guest = new I2cGuest(backEnd.connect());
  for (let round = 0; round < 3000; round++) {
    const count = random.oneIn(20) ? 1 + random.below(60) : 1 + random.below(6);
    const messages = Array.from(
      { length: count },
      (_, index) => randomMessage(random, index < count - 1),
    );
    adapter.succeeding = random.oneIn(4) ? random.below(count + 1) : Infinity;
    adapter.transactions.length = 0;
    const outcomes = guest.exchange(...messages);
    const expected = expectedStatuses(messages, adapter.succeeding);
    const context = `round ${round} of seed ${SEED}`;
    assertEquals(outcomes.map(({ status }) => status), expected, context);
    assert(adapter.transactions.length <= 1, context);
    outcomes.forEach(({ status, data, length }, index) => {
      const { bytes, room } = messages[index];
      if (bytes.length > 0) assertEquals(data, Array.from(bytes), context);
      else if (status === ERR) assert(data.every((byte) => byte === 0), context);
      assertStrictEquals(length, room + 1, context);
    });
  }
});
