/**
 * What packages and the manual say about the I2C daemon.
 *
 * @module
 */

import type { DeviceAbout } from "../daemon/device_kind.ts";

/** `vhost-device-i2c` */
export const about: DeviceAbout = {
  title: "I2C",
  nodes: {
    subsystem: "i2c-dev",
    names: "i2c-[0-9]*",
    deviceClass: "char-i2c",
    group: "i2c",
  },
  description: [
    "The guest sees one I2C adapter, on which the chips answer that it has been given, and no " +
    "others: chips at adapters of this host, or simulated ones. What a guest sends as one " +
    "transaction stays one on the bus. Guests that share an adapter take turns.",
  ],
  files: [
    { path: "/dev/i2c-*", meaning: "the I2C adapters of this host, from the module i2c-dev" },
  ],
  qemu: { device: "vhost-user-i2c-pci", since: "7.2 or later" },
  kernelOption: "CONFIG_I2C_VIRTIO",
  seeAlso: ["i2cdetect(8)"],
};
