import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { close } from "../../../ffi/fd.ts";
import { clearEventfd, createEventfd } from "../../../ffi/eventfd.ts";
import { EventReader, EventWriter, makeEventRing } from "../../../lib/events/event_ring.ts";

/** A ring with both its ends, and the eventfd that wakes the reader. */
function ring(capacity: number) {
  const wake = createEventfd();
  const memory = makeEventRing(capacity, wake);
  return {
    memory,
    writer: new EventWriter(memory),
    reader: new EventReader(memory),
    isWoken: () => clearEventfd(wake) === 8,
    [Symbol.dispose]: () => close(wake),
  };
}

/** Bytes that begin with `first` and count up. */
function counting(length: number, first = 0): DataView {
  return new DataView(Uint8Array.from({ length }, (_, index) => first + index).buffer);
}

Deno.test("an event is read as it was written, with its time", () => {
  using it = ring(1024);
  const before = performance.now();
  it.writer.write(7, 1, 2, 0xffffffff, 4, counting(20), 3, 10);
  assert(it.reader.next());
  const { kind, time, first, second, third, fourth, data } = it.reader.event;
  assertEquals([kind, first, second, third, fourth], [7, 1, 2, 0xffffffff, 4]);
  assertEquals([...data], [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert(time >= before && time <= performance.now());
  assert(!it.reader.next());
});

Deno.test("events of all lengths come through, round and round", () => {
  using it = ring(512);
  for (let round = 0; round < 2000; round++) {
    const length = (round * 7) % it.writer.maxLength;
    it.writer.write(1 + round % 5, round, 0, 0, 0, counting(length, round), 0, length);
    assert(it.reader.next());
    assertStrictEquals(it.reader.event.first, round);
    assertStrictEquals(it.reader.event.data.length, length);
    if (length > 0) {
      assertStrictEquals(it.reader.event.data[length - 1], (round + length - 1) & 0xff);
    }
    assert(!it.reader.next());
  }
  assertEquals(it.reader.takeLeftOut(), 0);
});

Deno.test("positions wrap around at 2^32 bytes", () => {
  using it = ring(512);
  const words = new Int32Array(it.memory.buffer);
  // Where writer and reader are after nearly 4 GiB, and after nearly 2.
  for (const position of [-64, 0x7fffffc0 | 0]) {
    words[0] = words[16] = position;
    const reader = new EventReader(it.memory, position);
    for (let round = 0; round < 5; round++) {
      it.writer.write(1, round, 0, 0, 0, counting(8), 0, 8);
      it.writer.write(2, round, 0, 0, 0);
      for (const kind of [1, 2]) {
        assert(reader.next());
        assertEquals([reader.event.kind, reader.event.first], [kind, round]);
      }
      assert(!reader.next());
    }
  }
});

Deno.test("what finds no room is counted and left out, and what was there stays", () => {
  using it = ring(512);
  for (let index = 0; index < 20; index++) it.writer.write(1, index, 0, 0, 0);
  const seen: number[] = [];
  while (it.reader.next()) seen.push(it.reader.event.first);
  assertEquals(seen, Array.from({ length: 12 }, (_, index) => index));
  assertEquals(it.reader.takeLeftOut(), 8);
  assertEquals(it.reader.takeLeftOut(), 0);
  it.writer.write(1, 99, 0, 0, 0);
  assert(it.reader.next());
  assertEquals(it.reader.event.first, 99);
});

Deno.test("an event that is too long for the ring is left out, the next is not", () => {
  using it = ring(512);
  const length = it.writer.maxLength + 1;
  it.writer.write(1, 0, 0, 0, 0, counting(length), 0, length);
  assert(!it.reader.next());
  assertEquals(it.reader.takeLeftOut(), 1);
  it.writer.write(1, 1, 0, 0, 0, counting(length), 0, length - 1);
  assert(it.reader.next());
});

Deno.test("a reader that sleeps is woken once, one that does not sleep never", () => {
  using it = ring(1024);
  it.writer.write(1, 0, 0, 0, 0);
  assert(!it.isWoken());
  assert(!it.reader.sleep(), "there is an event to be read first");
  assert(it.reader.next());
  assert(!it.reader.next());
  assert(it.reader.sleep());
  it.writer.write(1, 1, 0, 0, 0);
  it.writer.write(1, 2, 0, 0, 0);
  assert(it.isWoken());
  assert(!it.isWoken());
});

Deno.test("nothing is lost, doubled or torn between two threads", async () => {
  const wake = createEventfd();
  const memory = makeEventRing(4096, wake);
  const total = 50_000;
  const worker = new Worker(new URL("./writing_worker.ts", import.meta.url).href, {
    type: "module",
  });
  try {
    worker.postMessage({ memory, total });
    await new Promise((resolve) => worker.onmessage = resolve);
    const reader = new EventReader(memory);
    const deadline = performance.now() + 30_000;
    let next = 0, read = 0, leftOut = 0;
    while (read + leftOut < total && performance.now() < deadline) {
      while (reader.next()) {
        const { first, second, third, data } = reader.event;
        assert(first >= next, `event ${first} came again`);
        next = first + 1;
        read++;
        assertStrictEquals(second, (first * 31) >>> 0);
        assertStrictEquals(third, data.length);
        for (const byte of data) if (byte !== (first & 0xff)) fail(`event ${first} is torn`);
      }
      leftOut += reader.takeLeftOut();
    }
    assertStrictEquals(read + leftOut, total);
    assert(read > 1000, `only ${read} were read`);
  } finally {
    worker.terminate();
    close(wake);
  }
});
