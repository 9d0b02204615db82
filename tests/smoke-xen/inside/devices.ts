/** GPIO, I2C and SPI, with all ways to describe a domain's memory, and with domains of both kinds. */

import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Daemon } from "../../support/daemon.ts";
import { GPIO, GpioGuest, IN, IRQ, OUT, VALID } from "../../support/gpio_driver.ts";
import type { GuestOptions } from "../../support/guest.ts";
import { GuestRam } from "../../support/guest_ram.ts";
import { I2cGuest, OK } from "../../support/i2c_driver.ts";
import { RESULT, SpiGuest } from "../../support/spi_driver.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { PROTOCOL_CONFIG, PROTOCOL_REPLY_ACK, PROTOCOL_XEN_MMAP } from "../../support/wire.ts";
import { LAYOUTS, RING_PAGES, XenDomain } from "../../support/xen_domain.ts";

const GPIO_CONFIG = `
guests:
  - simulated:
      lines: [{ name: led }, { name: button }]
      wires: [{ from: led, to: button }]
`;

/** A test of one device with each layout, in domains of both kinds. */
function onXen(
  program: string,
  args: (folder: TemporaryFolder) => string[],
  use: (daemon: Daemon, options: GuestOptions, pages: () => number) => void,
): void {
  Deno.test(`${program} serves domains of Xen`, async (context) => {
    using folder = new TemporaryFolder();
    await using daemon = await Daemon.start(program, ["--sandbox", "on", ...args(folder)]);
    for (const kind of ["hvm", "pv"] as const) {
      for (const { name, regions, lent = false } of LAYOUTS) {
        await context.step(`${kind}: ${name}`, () => {
          using domain = new XenDomain(kind);
          const ram = new GuestRam(regions(domain));
          const [, buffers] = ram.regions;
          const mapped = () => domain.mapped(RING_PAGES, domain.pages - RING_PAGES);
          use(daemon, {
            ram,
            ...(buffers === undefined ? {} : { buffers }),
            protocolFeatures: PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_XEN_MMAP,
            acknowledged: true,
          }, lent ? mapped : () => 0);
        });
      }
    }
    assertMatch(Deno.readTextFileSync(`/proc/${daemon.pid}/status`), /^Seccomp:\t2$/m);
    assertNotMatch(daemon.log, / error | warn /);
    assertEquals(daemon.log.match(/ ready: /g)?.length, 2 * LAYOUTS.length);
    // Nothing is mapped any more, or something would be left of the domains.
    assertEquals(XenDomain.ids(), [0]);
  });
}

onXen("vhost-device-gpio", (folder) => {
  const config = folder.file("gpio.yaml");
  Deno.writeTextFileSync(config, GPIO_CONFIG);
  return ["--config", config];
}, (daemon, options, mapped) => {
  using guest = new GpioGuest(daemon.connect(), { ...options, size: 16 });
  guest.get(GPIO.SET_VALUE, 0, 0);
  guest.get(GPIO.SET_DIRECTION, 0, OUT);
  guest.get(GPIO.SET_DIRECTION, 1, IN);
  const levels = [1, 0, 1].map((value) => {
    guest.get(GPIO.SET_VALUE, 0, value);
    return guest.get(GPIO.GET_VALUE, 1);
  });
  assertEquals(levels, [1, 0, 1]);
  // An event's buffer is with the device for long, and not mapped meanwhile.
  guest.get(GPIO.SET_IRQ_TYPE, 1, IRQ.FALLING);
  guest.unmask(1);
  guest.get(GPIO.GET_VALUE, 1);
  assertEquals(mapped(), 0);
  guest.get(GPIO.SET_VALUE, 0, 0);
  assertEquals(guest.nextEvent(), { line: 1, status: VALID, length: 1 });
  assertEquals(mapped(), 0);
});

onXen("vhost-device-i2c", () => ["-l", "s:80"], (daemon, options, mapped) => {
  using guest = new I2cGuest(daemon.connect(), { ...options, size: 64, arena: 8192 });
  const value = guest.ram.regions[0].xen!.domain & 0xff;
  assertEquals(guest.write(0x50, 0x10, value, 2, 3), OK);
  assertEquals(guest.writeRead(0x50, [0x10], 3), [value, 2, 3]);
  assertEquals(mapped(), 0);
});

onXen("vhost-device-spi", () => ["-l", "s1"], (daemon, options, mapped) => {
  using guest = new SpiGuest(daemon.connect(), options);
  for (const length of [1, 100, 9000]) {
    const bytes = Array.from({ length }, (_, index) => (index * 7 + length) & 0xff);
    const { result, rx } = guest.exchange(bytes);
    assertEquals(result, RESULT.OK);
    assertEquals(rx, bytes);
    assertEquals(mapped(), 0);
  }
});
