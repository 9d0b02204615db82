/**
 * Changes of `lib/virtio`.
 *
 * @module
 */

import type { MutatedFile } from "./mutation.ts";

const QUEUE = "tests/unit/virtio/split_queue_test.ts";
const THREADS = "tests/unit/virtio/split_queue_threads_test.ts";
const CHAIN = "tests/unit/virtio/descriptor_chain_test.ts";
const MEMORY = "tests/unit/virtio/guest_memory_test.ts";
const RINGS = "tests/unit/vhost_user/session_rings_test.ts";
const STATES = "tests/unit/vhost_user/ring_states_test.ts";
const HELD = "tests/unit/vhost_user/held_chains_test.ts";
const XEN = ["tests/unit/virtio/xen_memory_test.ts", "tests/unit/vhost_user/xen_test.ts"];

export const virtioFiles: readonly MutatedFile[] = [
  {
    path: "lib/virtio/split_queue.ts",
    tests: [QUEUE],
    mutations: [
      { find: "size <= MAX_QUEUE_SIZE", replace: "size < MAX_QUEUE_SIZE" },
      { find: "size >= 1 &&", replace: "size >= 0 &&" },
      { find: "&& (size & (size - 1)) === 0", replace: "" },
      { find: "pending > this.size", replace: "pending > this.size + 1" },
      { find: "head >= this.size", replace: "head > this.size" },
      { find: "let count = 1; count <= this.size", replace: "let count = 1; count < this.size" },
      { find: "for (; count <= this.size", replace: "for (; count < this.size" },
      { find: "if (!this.#indirect || flags & F_NEXT)", replace: "if (flags & F_NEXT)" },
      { find: "if (!this.#indirect || flags & F_NEXT)", replace: "if (!this.#indirect)" },
      { find: "index >= this.size", replace: "index > this.size" },
      { find: "length === 0 || length % DESCRIPTOR_SIZE !== 0", replace: "length === 0" },
      { find: "if (flags & F_INDIRECT) return BAD_CHAIN;", replace: "" },
      { find: "index >= entries", replace: "index > entries" },
      {
        find: "address + DESCRIPTOR_SIZE <= memory.ends[chunk]",
        replace: "address + 8 <= memory.ends[chunk]",
        tests: [RINGS],
      },
      { find: "lastAvailable = (this.lastAvailable + 1) & 0xffff", replace: "lastAvailable++" },
      {
        find: "this.lastAvailable = chain.position;",
        replace: "",
        tests: ["tests/unit/spi/device_test.ts"],
      },
      {
        find: "this.#usedIndex = (this.#usedIndex + 1) & 0xffff",
        replace: "this.#usedIndex++",
        tests: [QUEUE, STATES],
      },
      {
        find: "Atomics.store(this.#usedWords, 1, this.#usedIndex);",
        replace: "this.#usedWords[1] = this.#usedIndex;",
        tests: [THREADS],
      },
      {
        find: "Atomics.store(this.#usedWords, this.#availableEvent, this.lastAvailable);",
        replace: "this.#usedWords[this.#availableEvent] = this.lastAvailable;",
        tests: [THREADS],
      },
      {
        find: "Atomics.store(this.#usedWords, 0, 0);",
        replace: "this.#usedWords[0] = 0;",
        tests: [THREADS],
      },
      {
        find: "Atomics.store(this.#usedWords, 0, USED_NO_NOTIFY);",
        replace: "{}",
        tests: [QUEUE, RINGS, STATES],
      },
      { find: "return this.hasAvailable();", replace: "return false;", tests: [QUEUE, THREADS] },
      { find: "if (before === now) return false;", replace: "" },
      { find: "if (this.#notifyOnEmpty && !this.hasAvailable()) return true;", replace: "" },
      { find: "this.#notifyOnEmpty && !this.hasAvailable()", replace: "this.#notifyOnEmpty" },
      { find: "if (!known) return true;", replace: "" },
      { find: "& 0xffff) < ((now - before)", replace: "& 0xffff) <= ((now - before)" },
      { find: "now - event - 1", replace: "now - event" },
      {
        find: "if (found === BAD_CHAIN && this.#memory.isExhausted) return LATER;",
        replace: "",
        tests: ["tests/unit/vhost_user/turn_time_test.ts"],
      },
      { find: "2 * size + memory.regionCount + CHAIN_CHUNKS", replace: "Infinity" },
      {
        find: "this.#usedIndex = Atomics.load(this.#usedWords, 1);",
        replace: "this.#usedIndex = 0;",
      },
      {
        find: "address % alignment === 0 ? memory.userBuffer",
        replace: "true ? memory.userBuffer",
      },
      { find: "this.#used[at + 1] = written;", replace: "" },
      { find: "if (this.lastAvailable === this.#seen) this.publish();", replace: "" },
      {
        find: "if (this.lastAvailable !== this.#seen) return true;",
        replace: "",
        tests: ["tests/unit/vhost_user/turn_time_test.ts"],
      },
      { find: "needsCall(): boolean {\n    this.publish();", replace: "needsCall(): boolean {" },
      { find: "DESCRIPTOR_SIZE * size, 16]", replace: "DESCRIPTOR_SIZE * (size - 1), 16]" },
      { find: "6 + 8 * size, 4]", replace: "4 + 8 * size, 4]" },
    ],
  },
  {
    path: "lib/virtio/descriptor_chain.ts",
    tests: [CHAIN],
    mutations: [
      {
        find: "if (!writable && this.#count > this.#readable) return false;",
        replace: "",
        tests: [CHAIN, QUEUE],
      },
      {
        find: "length > MAX_LENGTH) return false",
        replace: "length > 2 * MAX_LENGTH) return false",
      },
      { find: "this.readableLength > LONG ||", replace: "" },
      { find: "|| this.writableLength > LONG ||", replace: "||" },
      { find: "if (count > this.#readable) return false;", replace: "" },
      { find: "chunk < 0 || address + length > memory.ends[chunk] ||", replace: "chunk < 0 ||" },
      { find: "\n      count >= this.#limit", replace: "\n      count > this.#limit" },
      { find: "this.#count >= this.#limit", replace: "this.#count > this.#limit" },
      {
        find: "position + 2 <= this.#lengths[first]",
        replace: "position + 1 <= this.#lengths[first]",
      },
      { find: "&& !this.#suspended &&", replace: "&&" },
      {
        find: "const part = Math.min(rest, memory.ends[chunk] - address);",
        replace: "const part = rest;",
      },
      {
        find: "if (chunk < 0 || address + length > memory.ends[chunk])",
        replace: "if (chunk < 0)",
        tests: [STATES],
      },
      {
        find: "if (chunk < 0) chunk = this.findMapped(address, length, segment >=",
        replace: "if (false) chunk = this.findMapped(address, length, segment >=",
        tests: XEN,
      },
      { find: "segment >= this.#readable)", replace: "true)", tests: XEN },
      { find: "if (isWritable || !writable) return chunk;", replace: "return chunk;", tests: XEN },
      { find: "|| end > memory.ends[chunk]) continue;", replace: ") continue;", tests: XEN },
      { find: "this.#generation = NaN;", replace: "", tests: XEN },
      { find: "if (!this.#current()) return;", replace: "" },
      {
        find: "if (this.#suspended) return this.#keepByte(position, value);",
        replace: "",
        tests: [STATES],
      },
      {
        find: "if (this.#suspended) return this.#keep(position, source, sourceOffset, length);",
        replace: "",
        tests: [STATES, HELD],
      },
      {
        find: "if (this.#suspended || !this.#current()) return false;",
        replace: "if (!this.#current()) return false;",
        tests: ["tests/unit/virtio/trailing_status_test.ts"],
      },
      { find: "kept.bytes + room > kept.limit", replace: "false", tests: [HELD] },
      { find: "kept.exceeded = true;", replace: "", tests: [HELD] },
      {
        find: "this.#keptBack.bytes -= bytes.bytes.length",
        replace: "this.#keptBack.bytes -= 0",
        tests: [HELD],
      },
      { find: "position + 2 <= this.#lengths[0]", replace: "position + 1 <= this.#lengths[0]" },
      {
        find: "position + 4 <= this.#lengths[0]",
        replace: "position + 3 <= this.#lengths[0]",
        tests: [CHAIN, "tests/unit/spi/device_test.ts"],
      },
      { find: "at -= length;", replace: "" },
      { find: "value += byte * 2 ** (8 * index);", replace: "value = byte;" },
      { find: "this.#readable = this.#count;", replace: "" },
      {
        find: "if (this.capacity > FEW_SEGMENTS) this.#resize(FEW_SEGMENTS);",
        replace: "",
        tests: [CHAIN, HELD, "tests/unit/virtio/chain_pool_test.ts"],
      },
    ],
  },
  {
    path: "lib/virtio/chain_pool.ts",
    tests: ["tests/unit/virtio/chain_pool_test.ts"],
    mutations: [
      { find: "return this.#heldSegments >= MAX_HELD_SEGMENTS;", replace: "return false;" },
      { find: "this.#heldSegments -= this.#held.get(chain) ?? 0;", replace: "" },
      { find: "chain.trim();", replace: "" },
      { find: "|| this.#held.has(chain)", replace: "" },
      { find: "this.#keptBack.exceeded = false;", replace: "", tests: [HELD] },
    ],
  },
  {
    path: "lib/virtio/trailing_status.ts",
    tests: ["tests/unit/virtio/trailing_status_test.ts"],
    mutations: [
      { find: "last <= LIMIT && ", replace: "" },
      { find: "return isZero ? last + 1 : 0;", replace: "return last + 1;" },
      { find: "chain.zero(last)", replace: "true" },
      {
        find: "if (last < 0) return 0;",
        replace: "",
        survives: "where there is no room nothing can be written, and -1 and the status are none",
      },
    ],
  },
  {
    path: "lib/virtio/guest_memory.ts",
    tests: [MEMORY],
    mutations: [
      { find: "address >= ends[middle]", replace: "address > ends[middle]" },
      {
        find: "return address >= region.guestAddress ? region : undefined;",
        replace: "return region;",
      },
      {
        find: "address < this.ends[last]) return last;",
        replace: "address <= this.ends[last]) return last;",
      },
      {
        find: "address >= userAddress && address + length <= userAddress + size",
        replace: "address >= userAddress && address < userAddress + size",
      },
      { find: "sum > this.#limit", replace: "sum >= this.#limit" },
      { find: "if (sum > this.#limit)", replace: "if (description.size > this.#limit)" },
      { find: "this.generation++;", replace: "", tests: [CHAIN] },
      { find: "this.starts[chunk] = this.ends[chunk] = NaN;", replace: "" },
      { find: "this.#unused.push(chunk);", replace: "" },
      { find: "if (this.#openings === 0) return -1;", replace: "" },
      { find: "this.#close([...this.#stuck.splice(0), ...gone]);", replace: "this.#close(gone);" },
      { find: "this.#openings = FIRST_CHUNKS;\n    this.#windows", replace: "this.#windows" },
      ...[
        { find: "if (!hasUserAddress(region)) continue;", replace: "" },
        { find: "if (this.#chunkCount === 0) this.#unused.push(this.#newChunk());", replace: "" },
        { find: "Math.min(length, region.size - offset)", replace: "length" },
        {
          find: "if (!this.#windows.forget(window)) return;",
          replace: "this.#windows.forget(window);",
        },
        { find: "this.starts[window.chunk] = this.ends[window.chunk] = NaN;", replace: "" },
        {
          find: "this.#unusedWindows.push(window.chunk);",
          replace: "this.#unused.push(window.chunk);",
        },
        { find: "this.#windows.remarkAgain();", replace: "" },
        {
          find: "if (!(chunk >= 0)) {\n      if (region.mapping === undefined) return -1;",
          replace: "if (!(chunk >= 0)) {",
        },
        { find: "others.filter(({ mapping }) => mapping !== undefined)", replace: "others" },
        {
          find: "for (const window of this.#windows.of(region)) this.closeWindow(window);",
          replace: "",
        },
      ].map((mutation) => ({ ...mutation, tests: XEN })),
    ],
  },
  {
    path: "lib/virtio/memory_region.ts",
    tests: [MEMORY],
    mutations: [
      { find: "a < b + bSize && b < a + aSize", replace: "a <= b + bSize && b <= a + aSize" },
      { find: 'if (size === 0) throw refuse("is empty");', replace: "" },
      { find: "|| userAddress % ALIGNMENT ||", replace: "||" },
      { find: "|| fileOffset % ALIGNMENT", replace: "" },
      { find: "if (file.size < end)", replace: "if (file.size < size)" },
      { find: "file.size < end", replace: "file.size <= end" },
      { find: "sealAgainstShrinking(fd);", replace: "" },
      { find: "if (!Number.isSafeInteger(value))", replace: "if (false)" },
      {
        find: "overlap(userAddress, size, other.userAddress, other.size)",
        replace: "false",
      },
      { find: "hasUserAddress(description) && hasUserAddress(other) &&", replace: "", tests: XEN },
      { find: "|| (xen.flags & NOT_IN_ADVANCE) === 0", replace: "", tests: XEN },
      { find: "this.source?.close();", replace: "", tests: XEN },
      { find: "size % hugePage || fileOffset % hugePage", replace: "fileOffset % hugePage" },
      {
        find: "this.#file.device === file.device && this.#file.inode === file.inode",
        replace: "true",
      },
      { find: "file.type === S_IFREG && this.#file?.type === S_IFREG &&", replace: "" },
      {
        find: "this.matches(description) && this.fileOffset === description.fileOffset",
        replace: "this.matches(description)",
      },
    ],
  },
  {
    path: "lib/virtio/windows.ts",
    tests: XEN,
    mutations: [
      {
        find: "if (!this.#open.delete(window)) return false;",
        replace: "this.#open.delete(window);",
      },
      { find: "this.#pages -= window.pages;", replace: "" },
      { find: "this.#open.size >= MAX_WINDOWS", replace: "false" },
      { find: "this.#pages + pages.count > MAX_WINDOW_PAGES", replace: "false" },
      { find: "if (this.#hasRemarked) return;", replace: "" },
      { find: "(window) => window.region === region", replace: "() => true" },
    ],
  },
  {
    path: "lib/virtio/xen_queue.ts",
    tests: XEN,
    mutations: [
      { find: "if (found !== CHAIN) chain.unmap();", replace: "" },
      { find: "chain.unmap();\n  }\n}", replace: "}\n}" },
      { find: "joinXenAddress(high, low);", replace: "super.joinAddress(high, low);" },
    ],
  },
  {
    path: "lib/virtio/xen_region.ts",
    tests: XEN,
    mutations: [
      { find: "kinds !== FOREIGN && kinds !== GRANTED ||", replace: "" },
      { find: "|| flags & ~(FOREIGN | GRANTED | NOT_IN_ADVANCE)", replace: "" },
      { find: "if (domain >= FIRST_RESERVED)", replace: "if (domain > FIRST_RESERVED)" },
      { find: "if (fileOffset !== 0)", replace: "if (false)" },
      { find: 'if (grants && kind === "foreign")', replace: "if (false)" },
      { find: "first + count > MAX_GRANTS", replace: "false" },
      { find: "if (!nodes.isNode(kind, fd))", replace: "if (false)" },
      { find: "kept?.isInUse ? kept : new KeptNode(fd)", replace: "kept ?? new KeptNode(fd)" },
      { find: "kept?.isInUse ? kept : new KeptNode(fd)", replace: "new KeptNode(fd)" },
      {
        find: "if (!(error instanceof MissingFrames && error.inPart))",
        replace: "if (!(error instanceof MissingFrames))",
      },
      { find: "if (!(error instanceof MissingFrames && error.inPart))", replace: "if (true)" },
      { find: "reserve();", replace: "" },
      { find: "if (--this.#users === 0) close(this.fd);", replace: "" },
      { find: "if (this.#isClosed) return;", replace: "", survives: "regions are closed once" },
      { find: "first: first + pages.first,", replace: "first," },
    ],
  },
];
