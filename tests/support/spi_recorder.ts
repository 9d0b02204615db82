/**
 * An SPI daemon that notes what it is asked, request by request: what Linux's drivers send. Its
 * chips hold nothing, but answer what their drivers ask before they work.
 *
 * Run as a program of its own, with the command line of a daemon; `--record` names the file, and
 * `--beside` one that something else writes to, whose size is noted with each request.
 *
 * @module
 */

import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { runDaemon } from "../../lib/daemon/main.ts";
import type { MessageRule } from "../../lib/spi/host/messages/rule.ts";
import { makeRule, parseMessageSetting } from "../../lib/spi/host/messages/settings.ts";
import {
  encodeConfig,
  HEAD_SIZE,
  type Limits,
  RESULT_SIZE,
  TRANS_OK,
  Transfer,
} from "../../lib/spi/protocol.ts";
import { type DescriptorChain, HostBuffer } from "../../lib/virtio/descriptor_chain.ts";
import type { DeviceHost, VirtioDevice } from "../../lib/virtio/device.ts";

/** A request: a line of the file, as JSON. */
export interface RecordedRequest {
  readonly chipSelect: number;
  /** Its head, byte by byte. */
  readonly head: readonly number[];
  readonly tx: readonly number[];
  /** Bytes received. */
  readonly rx: number;
  /** Where in guest memory the bytes sent are, or else those received. */
  readonly address: number;
  /** When it came, in milliseconds. */
  readonly time: number;
  /** The size of the file beside it then, in bytes. */
  readonly beside: number;
}

/** What a chip answers, given what it was sent of the message so far. */
interface Model {
  /** Where its messages end, as far as it takes to answer. */
  readonly rule: string;
  answer(sent: readonly number[], count: number): number[];
}

const fill = (value: number) => (count: number) => Array<number>(count).fill(value);
const zeros = fill(0);

function registers(values: Readonly<Record<number, number>>): Model["answer"] {
  // Analog Devices: the register's number in bits 1 to 7, bit 0 set to read.
  return ([address], count) => zeros(count).map((_, at) => values[(address >> 1) + at] ?? 0);
}

function nand(): Model["answer"] {
  const features = new Map<number, number>();
  return (sent, count) => {
    const [code, register, value] = sent;
    if (code === 0x1f && value !== undefined) features.set(register, value);
    if (code === 0x0f) return fill(features.get(register) ?? 0)(count);
    const id = [0xef, 0xaa, 0x21, ...zeros(count)];
    if (code === 0x9f) return (sent.length > 1 ? id : [0xff, ...id]).slice(0, count);
    return fill(0xff)(count);
  };
}

const models: Readonly<Record<string, () => Model>> = {
  at25: () => ({ rule: "eeprom:2", answer: (_, count) => zeros(count) }),
  nor: () => ({
    rule: "nor",
    answer([code], count) {
      if (code === 0x9f) return [0xef, 0x40, 0x14, ...zeros(count)].slice(0, count);
      return fill([0x05, 0x35, 0x15].includes(code) ? 0 : 0xff)(count);
    },
  }),
  nand: () => ({ rule: "nand", answer: nand() }),
  adxl355: () => ({ rule: "prefix:1", answer: registers({ 0: 0xad, 1: 0x1d, 2: 0xed }) }),
  mcp3208: () => ({ rule: "prefix:1", answer: (_, count) => fill(0x12)(count) }),
  none: () => ({ rule: "prefix:0", answer: (_, count) => zeros(count) }),
};

const limits: Limits = {
  chipSelects: 8,
  txNbits: 0,
  rxNbits: 0,
  bitsPerWordMask: 0,
  modeFunctions: 0x7f,
  maxFrequency: 0,
  maxWordDelay: 1e9,
  maxSetup: 1e9,
  maxHold: 1e9,
  maxInactive: 1e9,
};

class Chip {
  readonly #model: Model;
  readonly #rule: MessageRule;
  #sent: number[] = [];
  #complete = true;

  constructor(name: string) {
    this.#model = models[name]();
    const setting = parseMessageSetting(this.#model.rule)!;
    this.#rule = makeRule(setting, { unsure: 1, incomplete: 1 }, () => {}, () => {});
  }

  transfer(transfer: Transfer, tx: readonly number[]): number[] {
    if (this.#complete) {
      this.#rule.begin();
      this.#sent = [];
    }
    this.#complete = this.#rule.follow(transfer, tx[0] ?? 0) === 0;
    this.#sent.push(...tx);
    return this.#model.answer(this.#sent, transfer.rxLength);
  }
}

class Recorder implements VirtioDevice {
  readonly id = 45;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly requiredFeatures = 0n;
  readonly featureNames = new Map<bigint, string>();
  readonly config = encodeConfig(limits);
  readonly #chips: readonly Chip[];
  readonly #file: Deno.FsFile;
  readonly #beside: string | undefined;
  readonly #buffer = new HostBuffer(65536);
  readonly #transfer = new Transfer();

  constructor({ chips, record, beside }: Settings) {
    this.#beside = beside;
    this.#chips = chips.map((name) => new Chip(name));
    this.#file = Deno.openSync(record, { create: true, append: true });
  }

  attach(_host: DeviceHost): void {}
  setFeatures(_features: bigint): void {}

  process(_queue: number, chain: DescriptorChain): number {
    const time = performance.now();
    const transfer = this.#transfer;
    const buffer = this.#buffer;
    transfer.decode(chain);
    chain.read(0, buffer, 0, HEAD_SIZE + transfer.txLength);
    const bytes = [...buffer.bytes.subarray(0, HEAD_SIZE + transfer.txLength)];
    const tx = bytes.slice(HEAD_SIZE);
    const { chipSelect, rxLength } = transfer;
    const request: RecordedRequest = {
      chipSelect,
      head: bytes.slice(0, HEAD_SIZE),
      tx,
      rx: rxLength,
      address: transfer.txLength > 0 ? transfer.txStart : transfer.rxStart,
      time,
      beside: this.#beside === undefined ? 0 : Deno.statSync(this.#beside).size,
    };
    this.#file.writeSync(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    buffer.bytes.set(this.#chips[chipSelect].transfer(transfer, tx));
    chain.write(0, buffer, 0, rxLength);
    chain.writeU8(rxLength, TRANS_OK);
    return rxLength + RESULT_SIZE;
  }

  queueStopping(_queue: number): void {}
  reset(): void {}

  close(): void {
    this.#file.close();
  }
}

interface Settings {
  readonly chips: readonly string[];
  readonly record: string;
  readonly beside: string | undefined;
}

const recorder: DeviceKind<Settings> = {
  program: "vhost-device-spi-recorder",
  type: "spi",
  summary: "notes what it is asked",
  options: [
    { name: "chips", value: "NAME[,NAME]...", help: "one for each chip select" },
    { name: "record", value: "FILE", help: "where to note requests" },
    { name: "beside", value: "FILE", help: "whose size to note with them" },
  ],
  configKeys: [],
  examples: [],
  plan: ({ options: { chips, record, beside } }) => [{
    settings: {
      chips: String(chips).split(","),
      record: String(record),
      beside: beside === undefined ? undefined : String(beside),
    },
    title: "recorder",
  }],
  create: (settings) => new Recorder(settings),
  list: () => [],
};

await runDaemon(recorder, import.meta.url);
