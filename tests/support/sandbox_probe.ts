/**
 * A daemon whose device tries, once it could serve, what an attacker inside of it would try. Each
 * attempt is a line of the log, with the name of the error it met. Run as a program of its own.
 *
 * Arguments are such that nothing comes of an attempt that goes through: flags that do not exist,
 * addresses that are not mapped, files that are not there.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { errno, errnoName } from "../../ffi/errno.ts";
import type { DeviceKind } from "../../lib/daemon/device_kind.ts";
import { runDaemon } from "../../lib/daemon/main.ts";
import { EchoDevice } from "./echo_device.ts";

const libc = Deno.dlopen("libc.so.6", {
  system_call: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
  with_path: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
});

/** By name, the number on x86-64 and on arm64, and arguments that do no harm. */
const CALLS: Readonly<Record<string, readonly [number, number, ...number[]]>> = {
  execve: [59, 221],
  execveat: [322, 281, -1],
  // CLONE_SIGHAND without CLONE_VM
  "clone of a process": [56, 220, 0x800],
  clone3: [435, 435],
  socket: [41, 198, 2, 1, 0],
  connect: [42, 203, -1],
  bind: [49, 200, -1],
  listen: [50, 201, -1],
  ptrace: [101, 117, 0x4200, -1],
  process_vm_readv: [310, 270, -1],
  process_vm_writev: [311, 271, -1],
  kill: [62, 129, 0x3fffffff, 0],
  "tgkill of another process": [234, 131, 0x3fffffff, 1, 0],
  pidfd_open: [434, 434, -1],
  mount: [165, 40],
  umount2: [166, 39, 0, -1],
  open_tree: [428, 428, -1, 0, -1],
  move_mount: [429, 429, -1, 0, -1],
  chroot: [161, 51],
  pivot_root: [155, 41],
  unshare: [272, 97, -1],
  setns: [308, 268, -1],
  bpf: [321, 280, -1],
  perf_event_open: [298, 241, 0, -1, -1, -1, -1],
  io_uring_setup: [425, 425, 1],
  keyctl: [250, 219, -1],
  add_key: [248, 217],
  userfaultfd: [323, 282, -1],
  init_module: [175, 105],
  finit_module: [313, 273, -1],
  kexec_load: [246, 104, 0, 1e6, 0, -1],
  reboot: [169, 142],
  sethostname: [170, 161, 0, -1],
  clock_settime: [227, 112, -1],
  setuid: [105, 146, -1],
  setgroups: [116, 159, -1],
  capset: [126, 91],
  personality: [135, 92, -1],
  "prctl for dumps": [157, 167, 4, 7],
  "prctl for secure bits": [157, 167, 28, -1],
  "limits that are set": [302, 261, 0, 99, 1],
  mknodat: [259, 33, -1],
  symlinkat: [266, 36],
  linkat: [265, 37, -1],
  renameat2: [316, 276, -1],
  fchmodat: [268, 53, -1],
  fchownat: [260, 54, -1],
  memfd_secret: [447, 447, -1],
  shmget: [29, 194, 0, 0, 0],
  seccomp: [317, 277, 99],
  acct: [163, 89, 1],
  swapon: [167, 224],
};

const AT_FDCWD = -100;
const O_RDWR_CREAT = 0o102;
const O_RDONLY = 0;
const [openat, unlinkat] = Deno.build.arch === "x86_64" ? [257, 263] : [56, 35];

function outcome(result: bigint): string {
  return result < 0n ? errnoName(errno()) : "done";
}

class Prober extends EchoDevice {
  constructor(readonly log: Logger, readonly folder: string) {
    super();
  }

  /** The front-end has come: whatever is given up has been given up. */
  override setFeatures(features: bigint): void {
    super.setFeatures(features);
    const tell = (what: string, how: string) => this.log.info(`probe ${what}: ${how}`);
    const { system_call, with_path } = libc.symbols;
    for (const [name, [x86, arm64, ...rest]] of Object.entries(CALLS)) {
      const number = BigInt(Deno.build.arch === "x86_64" ? x86 : arm64);
      const [a, b, c, d, e, f] = Array.from({ length: 6 }, (_, index) => BigInt(rest[index] ?? 0));
      tell(name, outcome(system_call(number, a, b, c, d, e, f)));
    }
    const path = (text: string) => new TextEncoder().encode(`${text}\0`);
    const open = (text: string, flags: number) =>
      outcome(
        with_path(BigInt(openat), BigInt(AT_FDCWD), path(text), BigInt(flags), 0o600n, 0n, 0n),
      );
    tell("file /etc/passwd", open("/etc/passwd", O_RDONLY));
    tell("file /dev/null", open("/dev/null", O_RDONLY));
    tell("file that is new", open(`${this.folder}/new`, O_RDWR_CREAT));
    tell("file beside the socket", open(`${this.folder}/victim`, O_RDONLY));
    const victim = path(`${this.folder}/victim`);
    tell(
      "file that is removed",
      outcome(with_path(BigInt(unlinkat), BigInt(AT_FDCWD), victim, 0n, 0n, 0n, 0n)),
    );
  }
}

const kind: DeviceKind<string> = {
  program: "vhost-device-probe",
  type: "probe",
  summary: "tries what it must not",
  options: [{ name: "folder", short: "l", value: "PATH", help: "where files are tried" }],
  configKeys: [],
  examples: [],
  plan: ({ options, guestCount }) =>
    Array(guestCount ?? 1).fill({ settings: String(options.folder), title: "a probe" }),
  create: (folder, log) => new Prober(log, folder),
  list: () => [],
};

/**
 * The runtime has a thread of its own do what returns a promise. Where the main thread serves the
 * guest, that settles only when it is over.
 */
async function probeRuntime(): Promise<void> {
  let how = "done";
  try {
    await Deno.readTextFile("/etc/passwd");
  } catch (error) {
    how = (error as Error & { code: string }).code;
  }
  console.error(`probe file by a thread of the runtime: ${how}`);
}

if (!("DedicatedWorkerGlobalScope" in globalThis)) setInterval(probeRuntime, 50);
await runDaemon(kind, import.meta.url);
