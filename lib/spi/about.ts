/**
 * What packages and the manual say about the SPI daemon.
 *
 * @module
 */

import type { DeviceAbout } from "../daemon/device_kind.ts";

/** `vhost-device-spi` */
export const about: DeviceAbout = {
  title: "SPI",
  nodes: {
    subsystem: "spidev",
    names: "spidev[0-9]*",
    deviceClass: "char-spi",
    group: "spi",
  },
  description: [
    "The guest sees an SPI controller with one or more chip selects: spidev nodes of one bus of " +
    "this host, or simulated chips. Each transfer has the mode, speed and word size that the " +
    "guest asked for.",
  ],
  files: [
    { path: "/dev/spidev*", meaning: "the SPI devices of this host, from the driver spidev" },
    {
      path: "/sys/module/spidev/parameters/bufsiz",
      meaning: "the longest transfer that spidev takes in one piece",
    },
  ],
  qemu: { device: "vhost-user-spi-pci", since: "11 or later" },
  kernelOption: "CONFIG_SPI_VIRTIO",
  seeAlso: [],
};
