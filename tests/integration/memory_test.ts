import { assertLess, assertStrictEquals } from "@std/assert";
import { close } from "../../ffi/fd.ts";
import { ADDRESS_SPACE } from "../../ffi/memory.ts";
import { Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { createMemfd } from "../support/kernel_objects.ts";
import { encodeHead, SpiGuest } from "../support/spi_driver.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { until } from "../support/wait.ts";
import { listOf } from "../support/ways.ts";
import { concatenate, region, REQUEST, u64 } from "../support/wire.ts";

/** Adds memory to the end of a guest's and takes it away again; tells whether it was accepted. */
function offer(guest: GpioGuest, size: number): boolean {
  const fd = createMemfd("large", size);
  const description = { guestAddress: 2 ** 44, size, userAddress: 2 ** 45, fileOffset: 0 };
  const payload = concatenate(u64(0), region(description));
  const outcome = guest.frontEnd.outcome(REQUEST.ADD_MEM_REG, payload, [fd]);
  const accepted = outcome === 0n;
  if (accepted) guest.frontEnd.removeRegion(description);
  close(fd);
  return accepted;
}

Deno.test("V9 the address space is shared out: no guest can take what others need", async () => {
  const size = ADDRESS_SPACE / 4 * 0.75;
  for (const [count, accepted] of [[1, true], [2, false]] as const) {
    const devices = listOf("s2", count);
    await using daemon = await Daemon.start("vhost-device-gpio", ["-l", devices], { count });
    using guest = new GpioGuest(daemon.connect());
    assertStrictEquals(offer(guest, size), accepted);
    if (!accepted) daemon.untilLogged(/ADD_MEM_REG refused: region .* GiB for each of its guests/);
    guest.get(GPIO.GET_VALUE, 0);
  }
});

Deno.test("long requests in line behind a slow one take little memory", async () => {
  const size = 32768;
  await using daemon = await Daemon.start("vhost-device-spi", ["-l", "s1"]);
  using ram = new GuestRam([{ guestAddress: 0, size: 0x1000_0000 }]);
  {
    using guest = new SpiGuest(daemon.connect(), { size, ram });
    guest.exchange([1, 2, 3]);
    const [queue] = guest.queues;
    const [request, response] = [ram.allocate(64), ram.allocate(33)];
    ram.write(request, encodeHead({ frequency: 250 }));
    const slow = queue.place([
      { address: request, length: 64 },
      { address: response, length: 33, writable: true },
    ]);
    const long = queue.place(Array.from({ length: size - 16 }, (_, index) => ({
      address: index < 32 ? request + index : response,
      length: 1,
      writable: index >= 32,
    })));
    const before = daemon.residentMemory();
    queue.offer(slow, ...new Array(5000).fill(long));
    queue.kick();
    until("the requests were looked at", () => queue.hasUsed());
    assertLess(daemon.residentMemory() - before, 64 * 2 ** 20);
  }
  using next = new SpiGuest(daemon.connect());
  assertStrictEquals(next.exchange([4, 5]).rx.length, 2);
});
