/** A thread that writes through a simulated bus, over and over, until it is told to stop. */

import { getLogger } from "@logtape/logtape";
import { Messages, SLOT_SIZE } from "../../../lib/i2c/messages.ts";
import {
  SimulatedAdapter,
  type SimulatedAdapterSettings,
} from "../../../lib/i2c/simulated/simulated_adapter.ts";

const scope = self as unknown as {
  onmessage: (
    event: MessageEvent<{ settings: SimulatedAdapterSettings; stop: Int32Array }>,
  ) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data: { settings, stop } }) => {
  const adapter = new SimulatedAdapter(settings, 1, getLogger(["test"]));
  const messages = new Messages();
  messages.addresses[0] = settings.parts[0].address;
  messages.lengths[0] = 257;
  for (let round = 0; Atomics.load(stop, 0) === 0; round++) {
    messages.data.bytes.fill(round & 0xff, 1, SLOT_SIZE);
    adapter.transfer(messages, 0, 1);
  }
  scope.postMessage("done");
};
