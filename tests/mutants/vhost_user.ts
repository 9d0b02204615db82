/**
 * Changes of `lib/vhost_user`.
 *
 * @module
 */

import type { MutatedFile } from "./mutation.ts";

const TURNS = "tests/unit/vhost_user/turns_test.ts";
const TURN_TIME = "tests/unit/vhost_user/turn_time_test.ts";
const RINGS = "tests/unit/vhost_user/session_rings_test.ts";
const START = "tests/unit/vhost_user/driver_start_test.ts";
const STATES = "tests/unit/vhost_user/ring_states_test.ts";
const HELD = "tests/unit/vhost_user/held_chains_test.ts";
const MESSAGE = "tests/unit/vhost_user/message_test.ts";
const MESSAGES = "tests/unit/vhost_user/session_messages_test.ts";
const XEN = "tests/unit/vhost_user/xen_test.ts";
const RECONNECTION = "tests/unit/gpio/reconnection_test.ts";
const CONNECTION = "tests/unit/vhost_user/connection_test.ts";
const DESCRIPTORS = "tests/unit/vhost_user/session_descriptors_test.ts";

export const vhostUserFiles: readonly MutatedFile[] = [
  {
    path: "lib/vhost_user/vring.ts",
    tests: [STATES, RINGS],
    mutations: [
      { find: "const BURST = 256;", replace: "const BURST = Infinity;", tests: [TURNS] },
      { find: "if (this.#serving) return;", replace: "" },
      {
        find: "this.#closeQueue();\n    this.#drop();",
        replace: "this.#closeQueue();",
      },
      { find: "this.#chains.forget();", replace: "" },
      {
        find: "if (this.#undecided && this.#left === undefined) this.#goesOn",
        replace: "this.#goesOn",
        tests: [RECONNECTION],
      },
      { find: "this.#descriptors.forgetCall();", replace: "" },
      {
        find: "if (this.#enabled && this.#queue?.needsCall())",
        replace: "if (this.#queue?.needsCall())",
        survives: "while a ring is disabled nothing is returned that could ask for a call",
      },
      {
        find: "if (this.#enabled) this.#report(this.#descriptors.callOwed());",
        replace: "this.#report(this.#descriptors.callOwed());",
      },
      {
        find: "if (this.#enabled) this.#device.queueStopping(this.index);",
        replace: "this.#device.queueStopping(this.index);",
      },
      { find: "if (this.#enabled) this.#device.queueStopping(this.index);", replace: "" },
      {
        find: "this.#base = this.#queue.lastAvailable;",
        replace: "",
        tests: ["tests/unit/spi/device_test.ts"],
      },
      { find: "this.#requests--;", replace: "", tests: ["tests/unit/spi/device_test.ts"] },
      { find: "queue.push(chain.head, 0);", replace: "" },
      {
        find: "queue.publish();\n          if (queue",
        replace: "if (queue",
        tests: ["tests/unit/vhost_user/turn_time_test.ts"],
      },
      { find: "if (this.#badChains++ > 0) return;", replace: "" },
      { find: "this.#startedAgain = this.#stopped;", replace: "this.#startedAgain = false;" },
      { find: "this.#kicksOff = true;\n    if (this.#chains", replace: "if (this.#chains" },
      { find: "this.#enabled = false;", replace: "" },
      {
        find: "if (this.#size === 0) {",
        replace: "if (false) {",
        tests: [RINGS, STATES, DESCRIPTORS, MESSAGES],
      },
      {
        find: "if (!queue.enableKicks()) {",
        replace: "if (queue.enableKicks() || true) {",
        tests: [RINGS, STATES, TURNS],
      },
      { find: "if (this.#undecided && beginsAnew(this, queue.position))", replace: "if (false)" },
      { find: "if (!beginsAnew(this)) return;", replace: "return;" },
      { find: "return missing ? undefined : problem;", replace: "return problem;" },
      { find: "chain.dropLate();", replace: "" },
      {
        find: "if (queue === undefined) return chain.unmap();",
        replace: "if (queue === undefined) return;",
        tests: [XEN],
      },
      { find: "queue.release(chain);\n    queue.push", replace: "queue.push", tests: [XEN] },
      { find: "queue.release(chain);\n          held", replace: "held", tests: [XEN] },
      { find: "chain.unmap();\n    this.#requests--;", replace: "this.#requests--;", tests: [XEN] },
      {
        find: "if (written === HELD) chain.unmap();\n      else ",
        replace: "if (written !== HELD) ",
        tests: [XEN],
      },
      {
        find: "this.#memory.xen === undefined ? SplitQueue : XenQueue",
        replace: "SplitQueue",
        tests: [XEN],
      },
      { find: "if (this.#waiting) return false;", replace: "", tests: [HELD] },
      {
        find: "if (!this.#waiting || this.#chains.isFull) return;",
        replace: "return;",
        tests: [HELD],
      },
      {
        find: "if (this.#chains.hasLost) this.#loseAnswers();\n    else if",
        replace: "if",
        tests: [HELD],
      },
      {
        find: "this.#requests = 0;\n    this.#badChains",
        replace: "this.#badChains",
        tests: [RINGS, STATES, MESSAGES],
      },
    ],
  },
  {
    path: "lib/vhost_user/turn.ts",
    tests: [TURN_TIME],
    mutations: [
      { find: "if (rest <= 0) return true;", replace: "" },
      { find: "const isFast = now - this.#last < rest / 8;", replace: "const isFast = true;" },
      { find: "const isFast = now - this.#last < rest / 8;", replace: "const isFast = false;" },
      {
        find: "this.#last = now;",
        replace: "",
        survives: "the clock is only looked at more often",
      },
    ],
  },
  {
    path: "lib/vhost_user/vring_descriptors.ts",
    tests: [STATES, RINGS, DESCRIPTORS],
    mutations: [
      {
        find: "return this.#callOwed && this.#call.isSet ? this.call() : DELIVERED;",
        replace: "return DELIVERED;",
      },
      {
        find: "this.#callOwed = !this.#call.isSet;",
        replace: "this.#callOwed ||= !this.#call.isSet;",
      },
      { find: "this.dropKick();\n    if (fd < 0)", replace: "if (fd < 0)" },
      { find: "this.dropKick();\n    this.#call.set(-1);", replace: "this.dropKick();" },
      {
        find: "this.#scheduler.attach(this.#ring, false);",
        replace: "this.#scheduler.attach(this.#ring, true);",
      },
      { find: "if (this.#error.isSet) this.#error.signal();", replace: "" },
      { find: "this.#scheduler.unwatch(this.#kick);", replace: "" },
      {
        find: "!takeBytes(this.#kick, this.#kickIsSocket)) this.dropKick();",
        replace: "!takeBytes(this.#kick, this.#kickIsSocket)) {}",
        tests: [RINGS, STATES, "tests/integration/rings_test.ts"],
      },
    ],
  },
  {
    path: "lib/vhost_user/driver_start.ts",
    tests: [STATES, RINGS],
    mutations: [
      {
        find: "if (found === undefined) return started;",
        replace: "if (found === undefined) return false;",
      },
      { find: "left !== undefined &&", replace: "left === undefined ||" },
      { find: "left.available !== found.available || ", replace: "" },
      { find: "left.used !== found.used ||", replace: "" },
      { find: "left.lastHead !== found.lastHead || ", replace: "" },
      { find: " || left.lastWritten !== found.lastWritten", replace: "" },
      { find: "available !== 0 || used !== 0", replace: "available !== 0", tests: [START] },
      { find: "available !== 0 || used !== 0", replace: "used !== 0", tests: [START] },
    ],
  },
  {
    path: "lib/vhost_user/back_end.ts",
    tests: [STATES],
    mutations: [
      { find: "if (this.#refused) {", replace: "if (false) {" },
      {
        find: "this.#features = this.#protocolFeatures = this.#status = 0n;",
        replace: "this.#protocolFeatures = this.#status = 0n;",
      },
      {
        find: "this.#features = this.#protocolFeatures = this.#status = 0n;",
        replace: "this.#features = this.#status = 0n;",
      },
      {
        find: "this.#features = this.#protocolFeatures = this.#status = 0n;",
        replace: "this.#features = this.#protocolFeatures = 0n;",
      },
      { find: "this.#refused = this.#announced = false;", replace: "this.#announced = false;" },
      {
        find: "this.#refused = this.#announced = false;",
        replace: "this.#refused = false;",
        tests: [STATES, RINGS, MESSAGES],
      },
      { find: "vring.setEnabled(!(this.#features & F_PROTOCOL_FEATURES));", replace: "" },
      { find: "vring.discard();", replace: "" },
      { find: "this.#status = 0n;\n    this.#announced", replace: "this.#announced" },
      {
        find: "if (this.#refused) this.#status &= ~STATUS_FEATURES_OK;",
        replace: "",
        tests: [MESSAGES],
      },
      {
        find: "offset + size > config.length",
        replace: "offset + size >= config.length",
        tests: [MESSAGES],
      },
      {
        find: "offset + size > config.length",
        replace: "offset > config.length",
        tests: [MESSAGES],
      },
      { find: "size === 0 || offset", replace: "offset", tests: [MESSAGES] },
      { find: "features & ~this.offeredFeatures", replace: "0n", tests: [MESSAGES] },
      { find: "features & ~this.offeredProtocolFeatures", replace: "0n", tests: [MESSAGES] },
      { find: "if (enable > 1)", replace: "if (false)", tests: [MESSAGES, STATES, RINGS] },
      { find: "if (base > 0xffff)", replace: "if (false)", tests: [MESSAGES, STATES, RINGS] },
      { find: "if (!isQueueSize(size))", replace: "if (false)", tests: [MESSAGES, STATES, RINGS] },
      { find: "regions.length !== fds.length", replace: "false", tests: [MESSAGES, DESCRIPTORS] },
      {
        find: "this.#memory.setTable(regions, fds);\n    this.#remap();",
        replace: "this.#memory.setTable(regions, fds);",
        tests: [RINGS],
      },
      {
        find: "this.#memory.addRegion(region, fd);",
        replace: "this.#memory.addRegion(region, fd);\n    return;",
        tests: [MESSAGES],
      },
      {
        find: "close(this.#backendRequests);\n    this.#backendRequests = fd;",
        replace: "this.#backendRequests = fd;",
        tests: [DESCRIPTORS],
      },
      {
        find: "close(this.#backendRequests);\n      this.#backendRequests = -1;",
        replace: "",
        tests: [DESCRIPTORS],
      },
      {
        find: "close(fd);\n    throw new Refusal(`queue",
        replace: "throw new Refusal(`queue",
        tests: [DESCRIPTORS],
      },
      {
        find: "this.#device.setFeatures(this.#features);",
        replace: "",
        tests: [STATES, RINGS, MESSAGES],
      },
      { find: "if (other !== ring && !other.startedAgain) other.discard();", replace: "" },
      { find: "going.forEach((other, index) => other.giveAgain(recalled[index]));", replace: "" },
      {
        find: "for (const vring of this.#vrings) vring.setEnabled(true);",
        replace: "",
        tests: [RINGS],
      },
      { find: "for (const vring of this.#vrings) vring.setEnabled(false);", replace: "" },
      { find: "this.#memory.xen = undefined;", replace: "", tests: [XEN] },
      { find: "const xen = this.#xen.areThere ?", replace: "const xen = true ?", tests: [XEN] },
      { find: "this.#memory.regionCount > 0 ||", replace: "", tests: [XEN] },
      { find: "|| this.#vrings.some(({ started }) => started)", replace: "", tests: [XEN] },
      { find: "this.#memory.clear();", replace: "", tests: [DESCRIPTORS, MESSAGES, RINGS, STATES] },
      {
        find: "this.#vrings[index]?.stop() ?? 0",
        replace: "this.#vrings[index]?.stop() ?? 1",
        tests: [RINGS],
      },
    ],
  },
  {
    path: "lib/vhost_user/requests.ts",
    tests: [MESSAGE],
    mutations: [
      {
        find: "if (noFd && message.fds.length > 0)",
        replace: "if (false)",
        tests: [MESSAGES, DESCRIPTORS, RINGS],
      },
      {
        find: "if (!noFd && message.fds.length === 0)",
        replace: "if (false)",
        tests: [MESSAGES, DESCRIPTORS, RINGS],
      },
      { find: "if (flags & FLAG_REPLY) return", replace: "if (false) return" },
      { find: " || size > maximum", replace: "" },
      { find: "size > maximum", replace: "size >= maximum" },
      { find: "size < minimum || ", replace: "" },
      { find: "(flags & FLAG_VERSION_MASK) !== VERSION", replace: "false" },
      { find: "return 12 + range.size;", replace: "return range.size;", tests: [MESSAGES] },
      { find: "reply.setUint32(0, range.offset, true);", replace: "", tests: [MESSAGES] },
      { find: "(flags & FLAG_NEED_REPLY) !== 0", replace: "false" },
      { find: "optional: true,", replace: "", tests: [MESSAGES] },
      {
        find: 'throw new Refusal("this device\'s configuration space is read-only");',
        replace: "",
        tests: [MESSAGES],
      },
    ],
  },
  {
    path: "lib/vhost_user/message.ts",
    tests: [MESSAGE],
    mutations: [
      {
        find: "8 + count * size > payload.byteLength",
        replace: "count * size > payload.byteLength",
      },
      { find: "value & 0xff", replace: "value & 0x1ff" },
      {
        find: "available: decodeAddress(payload, 24)",
        replace: "available: decodeAddress(payload, 16)",
      },
      { find: "view.getUint32(offset + 4, true) * 2 ** 32", replace: "0" },
      { find: "VERSION | FLAG_REPLY", replace: "VERSION" },
      { find: "? decodeRegion(payload, 8, xen)", replace: "? decodeRegion(payload, 0, xen)" },
      {
        find: "payload.byteLength === size ?",
        replace: "true ?",
        tests: [MESSAGE, XEN],
      },
      { find: "payload.getUint32(offset + 36, true)", replace: "7", tests: [XEN] },
    ],
  },
  {
    path: "lib/vhost_user/connection.ts",
    tests: [CONNECTION],
    mutations: [
      {
        find: "this.fds.length > expected || this.#receiver.truncated",
        replace: "this.fds.length > expected",
      },
      {
        find: "this.fds.length > expected || this.#receiver.truncated",
        replace: "this.#receiver.truncated",
      },
      {
        find: "Math.min(this.#expectedFds ?? 0, this.#share)",
        replace: "(this.#expectedFds ?? 0)",
      },
      {
        find: "Math.min(this.#expectedFds ?? 0, this.#share) - this.fds.length",
        replace: "Math.min(this.#expectedFds ?? 0, this.#share)",
      },
      { find: "if (expected === undefined) this.#closeFds();\n      else if", replace: "if" },
      { find: "if (this.#complete) this.#forget();", replace: "" },
      { find: "for (const fd of this.fds) close(fd);", replace: "" },
      { find: "if (number === EAGAIN) return NOTHING_YET;", replace: "" },
      { find: "if (count === HEADER_SIZE + size) return true;", replace: "return true;" },
    ],
  },
  {
    path: "lib/vhost_user/session.ts",
    tests: [MESSAGES],
    mutations: [
      { find: "const BURST = 64;", replace: "const BURST = Infinity;", tests: [TURNS] },
      { find: "if (count > 0 && monotonicTime() >= end) return;", replace: "", tests: [TURN_TIME] },
      { find: "return command.optional === true;", replace: "return true;" },
      { find: "return command.optional === true;", replace: "return false;" },
      {
        find: "connection.header.needReply && this.#backEnd.acknowledges",
        replace: "connection.header.needReply",
      },
      {
        find: "connection.header.needReply && this.#backEnd.acknowledges",
        replace: "this.#backEnd.acknowledges",
      },
      { find: "if (!isRefusal(error)) throw error;", replace: "", tests: [STATES] },
      { find: "if (this.#unknown.size < MANY_UNKNOWN)", replace: "" },
      { find: "this.#unknown.clear();", replace: "" },
      { find: "connection.close();", replace: "", tests: [DESCRIPTORS] },
      { find: "this.#backEnd.reset();", replace: "", tests: [STATES] },
      {
        find: "this.#acknowledges(connection) ? connection.replyU64(0n)",
        replace: "this.#acknowledges(connection) ? connection.replyU64(1n)",
      },
    ],
  },
];
