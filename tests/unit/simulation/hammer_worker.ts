/** A thread that writes through a simulated bus, over and over. */

import { getLogger } from "@logtape/logtape";
import { Messages, SLOT_SIZE } from "../../../lib/i2c/messages.ts";
import {
  SimulatedAdapter,
  type SimulatedAdapterSettings,
} from "../../../lib/i2c/simulated/simulated_adapter.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ settings: SimulatedAdapterSettings; rounds: number }>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data: { settings, rounds } }) => {
  const adapter = new SimulatedAdapter(settings, getLogger(["test"]));
  const messages = new Messages();
  messages.addresses[0] = settings.parts[0].address;
  messages.lengths[0] = 257;
  scope.postMessage("begins");
  for (let round = 0; round < rounds; round++) {
    messages.data.bytes.fill(round & 0xff, 1, SLOT_SIZE);
    adapter.transfer(messages, 0, 1);
  }
  scope.postMessage("done");
};
