import { type EventRingMemory, EventWriter } from "../../../lib/events/event_ring.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ memory: EventRingMemory; total: number }>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data: { memory, total } }) => {
  scope.postMessage("begins");
  const writer = new EventWriter(memory);
  const words = new Int32Array(memory.buffer);
  const data = new DataView(new ArrayBuffer(256));
  for (let index = 0; index < total; index++) {
    // Now and then the reader gets to the end, else the ring would be full all the time.
    if (index % 50 === 0) {
      for (let spin = 0; Atomics.load(words, 16) !== Atomics.load(words, 0) && spin < 1e6; spin++);
    }
    const length = index % 200;
    for (let at = 0; at < length; at++) data.setUint8(at, index);
    writer.write(1, index, (index * 31) >>> 0, length, 0, data, 0, length);
  }
};
