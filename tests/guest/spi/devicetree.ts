/**
 * The devicetree of a guest with an SPI controller.
 *
 * @module
 */

/** One controller, bus 3 to the guest, with these chips below it. */
export function spiDevicetree(chips: string): string {
  return `/dts-v1/;
    / {
      compatible = "linux,uml-virtio-guest";
      #address-cells = <1>;
      #size-cells = <0>;
      aliases { spi3 = &spi; };
      virtio-spi {
        compatible = "virtio,uml";
        virtio-device-id = <45>;
        socket-path = "@SOCKETS@/socket0";
        spi: spi {
          compatible = "virtio,device2d";
          #address-cells = <1>;
          #size-cells = <0>;
          ${chips}
        };
      };
    };`;
}
