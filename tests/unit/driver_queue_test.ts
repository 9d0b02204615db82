/** What the tests' own driver sees, or else no test would. */

import { assertThrows } from "@std/assert";
import { DriverQueue } from "../support/driver_queue.ts";
import { FrontEnd } from "../support/front_end.ts";
import { GuestRam } from "../support/guest_ram.ts";
import { socketPair } from "../support/kernel_objects.ts";
import { close } from "../../ffi/fd.ts";

Deno.test("a driver that waits for a used buffer is not content without the call for it", async () => {
  using ram = new GuestRam();
  using queue = new DriverQueue(0, ram);
  const [near, far] = socketPair();
  using frontEnd = new FrontEnd(near);
  // The used index becomes 1 while the driver waits.
  const at = queue.usedAt + 2 - ram.regions[0].guestAddress;
  const file = `/proc/${Deno.pid}/fd/${ram.regions[0].fd}`;
  const child = new Deno.Command("sh", {
    args: ["-c", `sleep 0.2; printf '\\001' | dd bs=1 seek=${at} conv=notrunc of=${file}`],
    stderr: "null",
  }).spawn();
  assertThrows(() => queue.waitUsed(frontEnd, 2000), Error, "a buffer was used, but there was no");
  await child.status;
  close(far);
});
