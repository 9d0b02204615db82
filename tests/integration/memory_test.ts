import { assertStrictEquals } from "@std/assert";
import { close } from "../../ffi/fd.ts";
import { ADDRESS_SPACE } from "../../ffi/memory.ts";
import { Daemon } from "../support/daemon.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { createMemfd } from "../support/kernel_objects.ts";
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
    const devices = Array(count).fill("s2").join(":");
    await using daemon = await Daemon.start("vhost-device-gpio", ["-l", devices], { count });
    using guest = new GpioGuest(daemon.connect());
    assertStrictEquals(offer(guest, size), accepted);
    if (!accepted) daemon.untilLogged(/ADD_MEM_REG refused: region .* GiB for each of its guests/);
    guest.get(GPIO.GET_VALUE, 0);
  }
});
