import { assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { EINVAL, ENOENT, EPERM, SystemError } from "../../../ffi/errno.ts";
import { close, O_RDONLY, open } from "../../../ffi/fd.ts";
import { MissingFrames, XenNodes } from "../../../ffi/xen.ts";
import { createMemfd } from "../../support/kernel_objects.ts";
import { XenStandIn } from "../../support/xen_stand_in.ts";

const PAGE = 4096;

Deno.test("xen: where there are no nodes, nothing is offered, and no descriptor is one", () => {
  using xen = new XenStandIn();
  assertEquals(xen.nodes.areThere, true);
  xen.missing = ["/dev/xen/privcmd"];
  assertEquals(xen.nodes.areThere, true);
  assertEquals(xen.nodes.isNode("foreign", xen.privcmd), false);
  xen.missing = ["/dev/xen/privcmd", "/dev/xen/gntdev"];
  assertEquals(xen.nodes.areThere, false);
  assertEquals(xen.nodes.isNode("granted", xen.gntdev), false);
  // Nothing is no device, and neither is a file that is none.
  const file = createMemfd("file", 0);
  assertEquals(xen.nodes.isNode("foreign", file), false);
  close(file);
});

Deno.test("xen: a kernel whose pages are larger than a frame offers nothing", () => {
  const unused = () => fail("nothing is to be mapped");
  const node = () => 1n;
  const calls = { mmap: unused, munmap: unused, ioctl: unused, deviceOf: node, deviceAt: node };
  assertEquals([4096, 16384].map((size) => new XenNodes(calls, size).areThere), [true, false]);
});

Deno.test("xen: on this machine, no other device is taken for a node", () => {
  const nodes = new XenNodes();
  for (const path of ["/dev/null", "/proc/self/status"]) {
    const fd = open(path, O_RDONLY);
    assertEquals([nodes.isNode("foreign", fd), nodes.isNode("granted", fd)], [false, false]);
    close(fd);
  }
});

Deno.test("xen: frames are mapped one after the other, and show the domain's memory", () => {
  using xen = new XenStandIn();
  const pages = { domain: xen.id, first: 0x102, count: 3, writable: true };
  const mapping = xen.nodes.map("foreign", xen.privcmd, pages);
  assertStrictEquals(mapping.length, 3 * PAGE);
  const bytes = new Uint8Array(mapping.buffer(0, mapping.length));
  xen.bytes[2 * PAGE] = 42;
  bytes[2 * PAGE + 1] = 43;
  assertEquals([bytes[0], xen.bytes[4 * PAGE + 1]], [42, 43]);
  mapping.close();
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: a call that succeeds though frames are not there is not believed", () => {
  using xen = new XenStandIn();
  xen.badFrames.set(0x104, EPERM);
  const map = (first: number, count: number, domain = xen.id) =>
    assertThrows(
      () => xen.nodes.map("foreign", xen.privcmd, { domain, first, count, writable: true }),
      MissingFrames,
    );
  const error = map(0x102, 4);
  assertStrictEquals(
    error.message,
    "frame 0x104 of domain 7 cannot be mapped: Operation not permitted",
  );
  assertEquals(error.inPart, true);
  assertEquals(map(0x104, 1).inPart, false);
  assertEquals(map(0x100 + xen.pages, 2).inPart, false);
  assertStrictEquals(
    map(0x100, 2, 9).message,
    "frame 0x100 of domain 9 cannot be mapped: No such process",
  );
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: a frame that is paged out is named, though the call fails as a whole", () => {
  using xen = new XenStandIn();
  xen.badFrames.set(0x101, ENOENT);
  const pages = { domain: xen.id, first: 0x100, count: 2, writable: true };
  const error = assertThrows(
    () => xen.nodes.map("foreign", xen.privcmd, pages),
    MissingFrames,
    "frame 0x101 of domain 7",
  );
  assertEquals(error.inPart, true);
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: more frames than one call takes are mapped in one piece", () => {
  using xen = new XenStandIn(2 ** 18 + 2);
  const pages = { domain: xen.id, first: 0x100, count: 2 ** 18 + 2, writable: true };
  const mapping = xen.nodes.map("foreign", xen.privcmd, pages);
  assertEquals(xen.calls, ["frames 262144", "frames 2"]);
  xen.bytes[2 ** 30 + PAGE] = 7;
  assertEquals(new Uint8Array(mapping.buffer(2 ** 30 + PAGE, 1))[0], 7);
  mapping.close();
  // What was mapped before the one that is not there does not stay.
  for (const frame of [0, 1]) xen.badFrames.set(0x100 + 2 ** 18 + frame, EINVAL);
  assertEquals(
    assertThrows(() => xen.nodes.map("foreign", xen.privcmd, pages), MissingFrames).inPart,
    true,
  );
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: grants are mapped, and nothing of them is left in the node", () => {
  using xen = new XenStandIn();
  xen.grant(8, 5);
  xen.grant(9, 2);
  const pages = { domain: xen.id, first: 8, count: 2, writable: true };
  const mapping = xen.nodes.map("granted", xen.gntdev, pages);
  assertEquals(xen.calls, ["grants 2", "forget 2"]);
  assertEquals(xen.indexes, 0);
  const bytes = new Uint8Array(mapping.buffer(0, mapping.length));
  [bytes[0], bytes[PAGE]] = [1, 2];
  assertEquals([xen.bytes[5 * PAGE], xen.bytes[2 * PAGE]], [1, 2]);
  mapping.close();
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: references that are not granted are told when they are mapped", () => {
  using xen = new XenStandIn();
  xen.grant(8, 0);
  xen.grant(10, 1, true);
  const map = (first: number, count: number, writable = true) =>
    xen.nodes.map("granted", xen.gntdev, { domain: xen.id, first, count, writable });
  for (const [first, count] of [[9, 1], [8, 2], [10, 1]]) {
    const error = assertThrows(() => map(first, count), SystemError);
    assertEquals([error.call, error.errno], ["mmap", EINVAL]);
  }
  assertEquals(xen.indexes, 0);
  // Read-only is a matter of how it is mapped.
  map(10, 1, false).close();
  assertEquals(xen.mappings, 0);
});

Deno.test("xen: more grants than one call takes are mapped in one piece", () => {
  using xen = new XenStandIn(2 ** 14 + 1);
  for (let page = 0; page < xen.pages; page++) xen.grant(page, page);
  const pages = { domain: xen.id, first: 0, count: 2 ** 14 + 1, writable: true };
  const mapping = xen.nodes.map("granted", xen.gntdev, pages);
  assertEquals(xen.calls, ["grants 16384", "forget 16384", "grants 1", "forget 1"]);
  mapping.close();
  assertEquals(xen.mappings, 0);
});

for (const call of ["mmap", "ioctl"]) {
  for (const kind of ["foreign", "granted"] as const) {
    Deno.test(`xen: ${kind} memory of which ${call} fails leaves nothing behind`, () => {
      using xen = new XenStandIn();
      xen.grant(0x100, 0);
      // The first mmap(2) sets the addresses aside, the second is that of the node.
      for (let after = 0; after <= (call === "mmap" ? 1 : 0); after++) {
        xen.failing = { call, after, number: ENOENT };
        const pages = { domain: xen.id, first: 0x100, count: 1, writable: true };
        const fd = kind === "foreign" ? xen.privcmd : xen.gntdev;
        const error = assertThrows(() => xen.nodes.map(kind, fd, pages), SystemError);
        assertEquals([error.call, error.errno], [call, ENOENT]);
        assertEquals(xen.failing, undefined);
        assertEquals([xen.mappings, xen.indexes], [0, 0]);
      }
    });
  }
}
