/**
 * The entropy daemon: what makes it one.
 *
 * @module
 */

import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { EntropyDevice } from "./device.ts";
import { DEFAULT_SOURCE, HostSource } from "./host_source.ts";

/** What one guest gets: the path of its source. */
export type EntropySettings = string;

/** `vhost-device-entropy` */
export const entropy: DeviceKind<EntropySettings, "source"> = {
  program: "vhost-device-entropy",
  type: "rng",
  summary: "gives virtual machines random bytes of this host",
  options: [
    {
      name: "source",
      short: "f",
      value: "FILE",
      file: true,
      help: `where the bytes come from (default ${DEFAULT_SOURCE})`,
    },
  ],
  configKeys: ["source"],
  examples: [
    { args: "-s /run/entropy.sock", remark: "one guest" },
    { args: "-s /run/entropy.sock -f /dev/hwrng", remark: "what a chip of the host makes" },
  ],

  plan({ options, config, guestCount }) {
    const said = options.source ?? config.source?.string("the path of a file");
    const source = typeof said === "string" ? said : DEFAULT_SOURCE;
    // Better now, with a message of one line, than when the first guest asks.
    new HostSource(source).close();
    const guest = { settings: source, title: `random bytes from ${source}` };
    return Array.from({ length: guestCount ?? 1 }, () => guest);
  },

  create: (settings) => new EntropyDevice(new HostSource(settings)),

  list: () => [DEFAULT_SOURCE],
};
