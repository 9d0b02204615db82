import { assert, assertEquals, assertMatch, fail } from "@std/assert";
import * as uapi from "../../../ffi/i2c_uapi.ts";
import { RuntimeError } from "../../../lib/errors.ts";
import {
  abilitiesText,
  chipName,
  findAdapter,
  hostAdapters,
  openAdapter,
} from "../../../lib/i2c/host/find_adapters.ts";
import { TEN_BIT } from "../../../lib/i2c/protocol.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** A root folder with adapters as the kernel shows them, some with a device node. */
function withAdapters(
  adapters: Readonly<Record<number, string>>,
  nodes: readonly number[],
  use: (root: string) => void,
): void {
  using root = new TemporaryFolder();
  const devices = root.file("sys/bus/i2c/devices");
  Deno.mkdirSync(devices, { recursive: true });
  Deno.mkdirSync(root.file("dev"));
  for (const [number, name] of Object.entries(adapters)) {
    Deno.mkdirSync(`${devices}/i2c-${number}`);
    Deno.writeTextFileSync(`${devices}/i2c-${number}/name`, `${name}\n`);
  }
  // A chip, which has a name as well.
  Deno.mkdirSync(`${devices}/0-0050`);
  Deno.writeTextFileSync(`${devices}/0-0050/name`, "24c02\n");
  for (const number of nodes) Deno.writeTextFileSync(root.file(`dev/i2c-${number}`), "");
  use(root.path);
}

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert(error instanceof RuntimeError, String(error));
    return error.message;
  }
  return fail("it was accepted");
}

Deno.test("adapters are listed by number, chips are not", () => {
  withAdapters({ 10: "ten", 0: "zero", 2: "two" }, [], (root) => {
    assertEquals(hostAdapters(root), [
      { number: 0, name: "zero" },
      { number: 2, name: "two" },
      { number: 10, name: "ten" },
    ]);
  });
});

Deno.test("an adapter is found by number and by name", () => {
  withAdapters({ 0: "zero", 2: "two of them" }, [], (root) => {
    assertEquals(findAdapter(2, root), 2);
    assertEquals(findAdapter("two of them", root), 2);
  });
});

Deno.test("an adapter is not found by the name of a chip", () => {
  withAdapters({ 0: "zero" }, [], (root) => {
    const message = refusal(() => findAdapter("24c02", root));
    assertEquals(message, `no I2C adapter is called '24c02'; this host has 0 "zero"`);
  });
});

Deno.test("a name that occurs twice is refused with the numbers", () => {
  withAdapters({ 0: "same", 3: "same", 4: "other" }, [], (root) => {
    assertMatch(refusal(() => findAdapter("same", root)), /2 I2C adapters .* by number: 0, 3$/);
  });
});

Deno.test("a host without adapters says so", () => {
  using root = new TemporaryFolder();
  assertEquals(hostAdapters(root.path), []);
  const message = refusal(() => findAdapter(7, root.path));
  assertEquals(message, "there is no I2C adapter 7; this host has no I2C adapters");
});

Deno.test("a missing node of an adapter that is there means that i2c-dev is not loaded", () => {
  withAdapters({ 0: "zero" }, [], (root) => {
    assertMatch(
      refusal(() => openAdapter(0, root)),
      /i2c-dev is not loaded; run: modprobe i2c-dev/,
    );
  });
});

Deno.test("the kernel's names of chips have the address in four digits", () => {
  assertEquals(chipName(1, 0x50), "1-0050");
  assertEquals(chipName(12, TEN_BIT + 0x250), "12-a250");
});

Deno.test("what an adapter can do is told in words", () => {
  const all = uapi.FUNC_I2C | uapi.FUNC_SMBUS_QUICK | uapi.FUNC_SMBUS_READ_BYTE;
  assertEquals(abilitiesText(all), "I2C messages, quick");
  assertEquals(abilitiesText(all | uapi.FUNC_10BIT_ADDR), "I2C messages, 10-bit addresses, quick");
  const bytes = uapi.FUNC_SMBUS_READ_BYTE | uapi.FUNC_SMBUS_WRITE_BYTE;
  const block = uapi.FUNC_SMBUS_WRITE_BLOCK_DATA;
  assertEquals(abilitiesText(bytes | block), "SMBus only: byte, block data (one way)");
  assertEquals(abilitiesText(0), "SMBus only: nothing");
});
