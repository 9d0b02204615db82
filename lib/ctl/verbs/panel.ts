/**
 * `panel`: a page to look at.
 *
 * @module
 */

import { Daemons } from "../daemons.ts";
import { put, putJson } from "../output.ts";
import { isLocal, readListenAddress } from "../panel/address.ts";
import type { Verb } from "../verb.ts";

export const panel: Verb = {
  name: "panel",
  operands: "",
  least: 0,
  most: 0,
  help: "serve a page with all that there is, live, until interrupted",
  details: "The address is printed; open it with a browser. It has a token in it, without which " +
    "nobody gets in. Daemons that go away are waited for.",
  options: ["listen"],
  permissions: { net: true },
  connects: false,
  prepare: ({ options, sockets, json }) => {
    const listen = readListenAddress(`${options.listen ?? "127.0.0.1"}`);
    return async () => {
      // Says what is wrong with the sockets, if something is.
      new Daemons(sockets)[Symbol.dispose]();
      const { servePanel } = await import("../panel/server.ts");
      const { address, ended } = servePanel(sockets, listen);
      // It listens, and needs nothing else of the network.
      Deno.permissions.revokeSync({ name: "net" });
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        Deno.addSignalListener(signal, () => Deno.exit(0));
      }
      if (json) putJson({ address });
      else put(address);
      if (!isLocal(listen.hostname)) {
        console.error("whoever learns this address can do all that the page can, and so can those");
      }
      await ended;
    };
  },
};
