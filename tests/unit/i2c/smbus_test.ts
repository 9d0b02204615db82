import { assertEquals, assertStrictEquals } from "@std/assert";
import * as uapi from "../../../ffi/i2c_uapi.ts";
import { Messages, SLOT_SIZE } from "../../../lib/i2c/messages.ts";
import { NOT_SMBUS, packSmbus, recoverSmbus, unpackSmbus } from "../../../lib/i2c/smbus.ts";

const EVERYTHING = 0x0fff8000;

/** Bytes that are written, or the number of those to be read. */
type Shape = number[] | number;

function messagesOf(...shapes: Shape[]): Messages {
  const messages = new Messages();
  shapes.forEach((shape, index) => {
    const reads = typeof shape === "number";
    messages.addresses[index] = 0x50;
    messages.reads[index] = reads ? 1 : 0;
    messages.lengths[index] = reads ? shape : shape.length;
    if (!reads) messages.data.bytes.set(shape, index * SLOT_SIZE);
  });
  return messages;
}

function recover(can: number, ...shapes: Shape[]): number {
  return recoverSmbus(messagesOf(...shapes), 0, shapes.length, can);
}

const zeros = (length: number) => new Array<number>(length).fill(0);

const forms: readonly [string, number, readonly Shape[]][] = [
  ["quick write", uapi.SMBUS_QUICK, [[]]],
  ["quick read", uapi.SMBUS_QUICK, [0]],
  ["send byte", uapi.SMBUS_BYTE, [[1]]],
  ["receive byte", uapi.SMBUS_BYTE, [1]],
  ["write byte data", uapi.SMBUS_BYTE_DATA, [[1, 2]]],
  ["read byte data", uapi.SMBUS_BYTE_DATA, [[1], 1]],
  ["write word data", uapi.SMBUS_WORD_DATA, [[1, 2, 3]]],
  ["read word data", uapi.SMBUS_WORD_DATA, [[1], 2]],
  ["process call", uapi.SMBUS_PROC_CALL, [[1, 2, 3], 2]],
  ["block write", uapi.SMBUS_BLOCK_DATA, [[1, 2, 3, 4]]],
  ["block write of 32", uapi.SMBUS_BLOCK_DATA, [[1, 32, ...zeros(32)]]],
  ["block read", uapi.SMBUS_BLOCK_DATA, [[1], 33]],
  ["block process call", uapi.SMBUS_BLOCK_PROC_CALL, [[1, 1, 5], 33]],
  ["I2C block write", uapi.SMBUS_I2C_BLOCK_DATA, [[1, 9, 9, 9]]],
  ["I2C block write of 32", uapi.SMBUS_I2C_BLOCK_DATA, [[1, 9, ...zeros(31)]]],
  ["I2C block read of 3", uapi.SMBUS_I2C_BLOCK_DATA, [[1], 3]],
  ["I2C block read of 32", uapi.SMBUS_I2C_BLOCK_DATA, [[1], 32]],
];

for (const [name, kind, shapes] of forms) {
  Deno.test(`I7 ${name} is recovered`, () => {
    assertStrictEquals(recover(EVERYTHING, ...shapes), kind);
  });
  Deno.test(`I7 ${name} is refused where the adapter can do nothing`, () => {
    assertStrictEquals(recover(0, ...shapes), NOT_SMBUS);
  });
}

Deno.test("I7 what the adapter cannot do goes as an I2C block, which is the same on the wire", () => {
  const can = uapi.FUNC_SMBUS_READ_I2C_BLOCK | uapi.FUNC_SMBUS_WRITE_I2C_BLOCK;
  for (const shapes of [[[1, 2]], [[1, 2, 3]], [[1, 2, 3, 4]], [[1], 1], [[1], 2]]) {
    assertStrictEquals(recover(can, ...shapes), uapi.SMBUS_I2C_BLOCK_DATA);
  }
});

Deno.test("I7 reading and writing are abilities of their own", () => {
  assertStrictEquals(recover(uapi.FUNC_SMBUS_READ_BYTE_DATA, [1, 2]), NOT_SMBUS);
  assertStrictEquals(recover(uapi.FUNC_SMBUS_WRITE_BYTE_DATA, [1], 1), NOT_SMBUS);
  assertStrictEquals(recover(uapi.FUNC_SMBUS_WRITE_BYTE, 1), NOT_SMBUS);
  assertStrictEquals(recover(uapi.FUNC_SMBUS_READ_BLOCK_DATA, [1], 33), uapi.SMBUS_BLOCK_DATA);
});

Deno.test("I7 messages that no SMBus transaction consists of are refused", () => {
  const shapes: Shape[][] = [
    [2],
    [[1, ...zeros(33)]],
    [[1, 33, ...zeros(33)]],
    [[1], 0],
    [[1], 34],
    [[1], [2]],
    [1, 1],
    [[], 1],
    [[1, 2], 1],
    [[1, 9, 9, 9], 4],
    [[1, 2, 3], 3],
    [[1], 1, 1],
  ];
  for (const shape of shapes) assertStrictEquals(recover(EVERYTHING, ...shape), NOT_SMBUS);
});

Deno.test("I7 messages of two addresses are no SMBus transaction", () => {
  const messages = messagesOf([1], 1);
  messages.addresses[1] = 0x51;
  assertStrictEquals(recoverSmbus(messages, 0, 2, EVERYTHING), NOT_SMBUS);
});

Deno.test("I7 a transaction later among the messages is recovered from there", () => {
  const messages = messagesOf([1], [2], 2);
  assertStrictEquals(recoverSmbus(messages, 1, 2, EVERYTHING), uapi.SMBUS_WORD_DATA);
});

function packed(kind: number, ...shapes: Shape[]): number[] {
  const data = new Uint8Array(34);
  packSmbus(messagesOf(...shapes), 0, shapes.length - 1, kind, data);
  return [...data.subarray(0, 6)];
}

Deno.test("I7 what is sent is where the kernel expects it", () => {
  assertEquals(packed(uapi.SMBUS_BYTE_DATA, [1, 2]), [2, 0, 0, 0, 0, 0]);
  assertEquals(packed(uapi.SMBUS_WORD_DATA, [1, 2, 3]), [2, 3, 0, 0, 0, 0]);
  assertEquals(packed(uapi.SMBUS_PROC_CALL, [1, 2, 3], 2), [2, 3, 0, 0, 0, 0]);
  assertEquals(packed(uapi.SMBUS_BLOCK_DATA, [1, 2, 3, 4]), [2, 3, 4, 0, 0, 0]);
  assertEquals(packed(uapi.SMBUS_I2C_BLOCK_DATA, [1, 9, 8, 7]), [3, 9, 8, 7, 0, 0]);
  assertEquals(packed(uapi.SMBUS_I2C_BLOCK_DATA, [1], 17), [17, 0, 0, 0, 0, 0]);
});

function unpacked(kind: number, data: number[], ...shapes: Shape[]): number[] | undefined {
  const messages = messagesOf(...shapes);
  const last = shapes.length - 1;
  const block = new Uint8Array(34);
  block.set(data);
  if (!unpackSmbus(messages, last, kind, block)) return undefined;
  const at = last * SLOT_SIZE;
  return [...messages.data.bytes.subarray(at, at + messages.lengths[last])];
}

Deno.test("I7 what is received comes from where the kernel puts it", () => {
  assertEquals(unpacked(uapi.SMBUS_BYTE, [7], 1), [7]);
  assertEquals(unpacked(uapi.SMBUS_WORD_DATA, [7, 8], [1], 2), [7, 8]);
  assertEquals(unpacked(uapi.SMBUS_PROC_CALL, [7, 8], [1, 2, 3], 2), [7, 8]);
  assertEquals(unpacked(uapi.SMBUS_I2C_BLOCK_DATA, [3, 7, 8, 9], [1], 3), [7, 8, 9]);
  assertEquals(unpacked(uapi.SMBUS_BLOCK_PROC_CALL, [2, 7, 8], [1, 1, 1], 4), [2, 7, 8, 0xff]);
});

Deno.test("I7 a block read of 33 is padded, a shorter one must be filled by the block", () => {
  const got = unpacked(uapi.SMBUS_BLOCK_DATA, [2, 7, 8], [1], 33);
  assertEquals(got, [2, 7, 8, ...new Array(30).fill(0xff)]);
  assertEquals(unpacked(uapi.SMBUS_BLOCK_DATA, [2, 7, 8], [1], 3), [2, 7, 8]);
  assertEquals(unpacked(uapi.SMBUS_BLOCK_DATA, [2, 7, 8], [1], 4), undefined);
});

Deno.test("I7 an I2C block that comes back short is a failure", () => {
  assertEquals(unpacked(uapi.SMBUS_I2C_BLOCK_DATA, [2, 7, 8], [1], 3), undefined);
});
