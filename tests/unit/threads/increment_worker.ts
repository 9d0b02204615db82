/** A thread that counts up under a lock that it shares with others. */

import { Lock } from "../../../lib/threads/lock.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ lock: SharedArrayBuffer; counter: SharedArrayBuffer }>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data }) => {
  const lock = new Lock(data.lock);
  const counter = new Uint32Array(data.counter);
  for (let round = 0; round < 200_000; round++) {
    lock.acquire();
    const seen = counter[0];
    counter[1] = seen;
    counter[0] = counter[1] + 1;
    lock.release();
  }
  scope.postMessage("done");
};
