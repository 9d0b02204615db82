/**
 * What packages and the manual say about the GPIO daemon.
 *
 * @module
 */

import type { DeviceAbout } from "../daemon/device_kind.ts";

/** `vhost-device-gpio` */
export const about: DeviceAbout = {
  title: "GPIO",
  nodes: {
    subsystem: "gpio",
    names: "gpiochip[0-9]*",
    deviceClass: "char-gpiochip",
    group: "gpio",
  },
  description: [
    "The guest sees a GPIO chip. Each guest has a chip of its own: all or some lines of a chip " +
    "of this host, which the daemon holds through libgpiod while the guest uses them, or " +
    "simulated lines that exist in the daemon only.",
    "Edge and level interrupts are passed on to guests whose VMM allows for them.",
  ],
  files: [
    { path: "/dev/gpiochip*", meaning: "the GPIO chips of this host" },
    {
      path: "libgpiod.so.3",
      meaning: "version 2 of libgpiod; needed for chips of this host only",
    },
  ],
  qemu: { device: "vhost-user-gpio-pci", since: "7.2 or later; 10 or later for interrupts" },
  kernelOption: "CONFIG_GPIO_VIRTIO",
  seeAlso: ["gpiodetect(1)", "gpioinfo(1)"],
};
