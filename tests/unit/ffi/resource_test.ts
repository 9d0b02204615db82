import { assertEquals } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { close } from "../../../ffi/fd.ts";
import { descriptorLimit, openDescriptors, raiseDescriptorLimit } from "../../../ffi/resource.ts";
import { withDescriptorLimit } from "../../support/descriptor_limit.ts";

Deno.test("the limit on descriptors is told, and raised as far as it may be", () => {
  raiseDescriptorLimit();
  const most = descriptorLimit();
  withDescriptorLimit(most - 1, () => {
    assertEquals(descriptorLimit(), most - 1);
    raiseDescriptorLimit();
    assertEquals(descriptorLimit(), most);
  });
});

Deno.test("open descriptors are counted", () => {
  const before = openDescriptors();
  const eventfd = createEventfd();
  assertEquals(openDescriptors(), before + 1);
  close(eventfd);
  assertEquals(openDescriptors(), before);
});
