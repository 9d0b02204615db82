import { assert, assertEquals } from "@std/assert";
import { close } from "../../../ffi/fd.ts";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { TRACE_RING_SIZE } from "../../../lib/daemon/control.ts";
import { EventReader, EventWriter, makeEventRing } from "../../../lib/events/event_ring.ts";
import {
  EVENT_DATA,
  SPI_HELD,
  SPI_MORE,
  SPI_RELEASE,
  SPI_TRANSFER,
} from "../../../lib/events/kinds.ts";
import { SpiEvents } from "../../../lib/spi/events.ts";
import { Transfer } from "../../../lib/spi/protocol.ts";
import { HostBuffer } from "../../../lib/virtio/descriptor_chain.ts";

/** A full duplex transfer of so many bytes, and what is told of it. */
function told(length: number, capacity: number, dataLimit: number, held = false) {
  const wake = createEventfd();
  const memory = makeEventRing(capacity, wake);
  const reader = new EventReader(memory);
  reader.want(1 << SPI_TRANSFER | 1 << SPI_RELEASE, dataLimit);
  const transfer = new Transfer();
  transfer.bitsPerWord = 8;
  transfer.txLength = transfer.rxLength = length;
  const sent = new HostBuffer(length);
  const received = new HostBuffer(length);
  for (let index = 0; index < length; index++) {
    sent.bytes[index] = index >> 8;
    received.bytes[index] = ~(index >> 8);
  }
  new SpiEvents(new EventWriter(memory)).transfer(transfer, { sent, received }, true, held);
  close(wake);
  const pieces: { flags: number; third: number; data: Uint8Array }[] = [];
  while (reader.next()) {
    const { second: flags, third, data } = reader.event;
    pieces.push({ flags, third, data: data.slice() });
  }
  return { pieces, leftOut: reader.takeLeftOut() };
}

Deno.test("a mebibyte in both directions finds room for a trace, piece by piece", () => {
  const { pieces, leftOut } = told(2 ** 20, TRACE_RING_SIZE, EVENT_DATA);
  assertEquals(leftOut, 0);
  assertEquals(pieces.length, 16);
  pieces.forEach(({ flags, third, data }, index) => {
    assertEquals(third, 2 ** 20 - index * EVENT_DATA);
    assertEquals((flags & SPI_MORE) !== 0, index > 0);
    // The chip is selected until the last.
    assertEquals((flags & SPI_HELD) !== 0, index < 15);
    assertEquals(data.length, 2 * EVENT_DATA);
    assertEquals([data[256], data[EVENT_DATA + 256]], [1, 254]);
  });
});

Deno.test("of a transfer with a hole in it nothing more is told", () => {
  const { pieces, leftOut } = told(2 ** 20, 2 ** 20, EVENT_DATA);
  assertEquals([pieces.length, leftOut], [7, 1]);
});

Deno.test("whoever wants but the beginning is told that alone, and how long it is", () => {
  const { pieces } = told(2 ** 20, 2 ** 20, 256, true);
  assertEquals(pieces.map(({ third, data }) => [third, data.length]), [[2 ** 20, 512]]);
  assert(pieces[0].flags & SPI_HELD);
});
