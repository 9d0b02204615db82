/**
 * Another daemon, as far as it makes a socket: tells that it begins, and then how that ended.
 *
 * @module
 */

import { listen } from "../../../lib/daemon/listeners.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(said: string): void;
};

scope.onmessage = ({ data: path }) => {
  scope.postMessage("begins");
  try {
    listen(path);
    scope.postMessage("listens");
  } catch (error) {
    scope.postMessage((error as Error).message);
  }
};
