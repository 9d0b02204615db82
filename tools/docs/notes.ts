/**
 * What the manual says about each device beyond its options.
 *
 * @module
 */

/** About one device. */
export interface ProgramNotes {
  /** Paragraphs of the description, after the first that all programs share. */
  readonly description: readonly string[];
  /** Files of the host, each with what they are to the program. */
  readonly files: readonly { readonly path: string; readonly meaning: string }[];
  /** The device's name on QEMU's command line, and the oldest version that has it. */
  readonly qemu: { readonly device: string; readonly since: string };
  /** The option of the guest's kernel. */
  readonly kernelOption: string;
  /** Other manual pages. */
  readonly seeAlso: readonly string[];
}

/** By the type of device. */
export const NOTES: Readonly<Record<string, ProgramNotes>> = {
  gpio: {
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
  },
  i2c: {
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
  },
  spi: {
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
  },
};
