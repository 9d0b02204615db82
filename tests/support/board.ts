/**
 * What hangs on the virtual devices of a guest: a devicetree around a part of one.
 *
 * @module
 */

/** The devices, and what they are called in devicetrees: virtio device ids in hexadecimal. */
const IDS = { gpio: "29", i2c: "22", spi: "2d" } as const;

const CELLS: Readonly<Record<Device, string>> = {
  gpio: "gpio-controller; #gpio-cells = <2>; interrupt-controller; #interrupt-cells = <2>;",
  i2c: "#address-cells = <1>; #size-cells = <0>;",
  spi: "#address-cells = <1>; #size-cells = <0>;",
};

/** A kind of device. */
export type Device = keyof typeof IDS;

function node(device: Device): string {
  return `${device}: ${device} { compatible = "virtio,device${IDS[device]}"; ${CELLS[device]} };`;
}

/** For the User-Mode Linux guest; the sockets are called as those of a scenario. */
export function umlBoard(devices: readonly Device[], rest: string): string {
  const nodes = devices.map((device) =>
    `virtio-${device} {
       compatible = "virtio,uml";
       virtio-device-id = <0x${IDS[device]}>;
       socket-path = "@SOCKETS@/${device}.sock0";
       ${node(device)}
     };`
  );
  return `/dts-v1/;
/ {
  compatible = "linux,uml-virtio-guest";
  #address-cells = <1>;
  #size-cells = <0>;
  ${nodes.join("\n")}
};
${rest}`;
}

/** The first slot of the machine "pc" that is free without network. */
const FIRST_SLOT = 3;

/** For QEMU's machine "pc", with the devices in its first slots, in this order. */
export function qemuBoard(devices: readonly Device[], rest: string): string {
  const nodes = devices.map((device, index) => {
    const slot = FIRST_SLOT + index;
    return `virtio@${slot.toString(16)},0 {
       reg = <${slot << 11} 0 0 0 0>;
       ${node(device)}
     };`;
  });
  return `/dts-v1/;
/ {
  #address-cells = <2>;
  #size-cells = <2>;
  pci {
    device_type = "pci";
    bus-range = <0 255>;
    #address-cells = <3>;
    #size-cells = <2>;
    ${nodes.join("\n")}
  };
};
${rest}`;
}
