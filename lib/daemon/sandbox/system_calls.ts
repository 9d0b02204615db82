/**
 * The system calls that a daemon makes once it serves, each with its reason.
 *
 * Source: what strace(1) shows of the daemons' tests, and the sources of the C library, V8 and Deno
 * for what happens rarely; numbers of `asm/unistd_64.h` and `asm-generic/unistd.h`.
 *
 * @module
 */

/** A condition on one argument, counted from 0: `argument & mask` is `value`. */
export interface ArgumentCheck {
  readonly argument: number;
  readonly mask: number;
  readonly value: number;
}

/** A call that is let through. */
export interface SystemCall {
  readonly name: string;
  /** Its number; -1 where the machine does not have it. */
  readonly x86: number;
  readonly arm64: number;
  /** Any of these has to hold, where there are some. */
  readonly checks?: readonly ArgumentCheck[];
  readonly reason: string;
}

const CLONE_THREAD = 0x10000;
const PR_SET_NAME = 15;
const PR_SET_VMA = 0x53564d41;
const AF_UNIX = 1;

function call(
  name: string,
  x86: number,
  arm64: number,
  reason: string,
  ...checks: ArgumentCheck[]
): SystemCall {
  return { name, x86, arm64, reason, ...(checks.length > 0 ? { checks } : {}) };
}

function equals(argument: number, value: number): ArgumentCheck {
  return { argument, mask: 0xffffffff, value };
}

/** What is let through; the most frequent come first, for a kernel that looks one by one. */
const allowedCalls: readonly SystemCall[] = [
  call("epoll_pwait", 281, 22, "event loop"),
  call("write", 1, 64, "kicks and calls; the log"),
  call("read", 0, 63, "kicks; edge events; files"),
  call("ioctl", 16, 29, "lines, adapters and nodes of the host"),
  call("futex", 202, 98, "locks between threads"),
  call("recvmsg", 47, 212, "messages of front-ends, with descriptors"),
  call("sendmsg", 46, 211, "replies"),
  call("epoll_ctl", 233, 21, "event loop"),
  call("epoll_wait", 232, -1, "Deno's own event loop"),
  call("epoll_pwait2", 441, 441, "Deno's own event loop"),
  call("epoll_create1", 291, 20, "event loops of threads that start"),
  call("timerfd_settime", 286, 86, "timers of devices"),
  call("timerfd_create", 283, 85, "timers of devices"),
  call("timerfd_gettime", 287, 87, "timers of devices"),
  call("eventfd2", 290, 19, "what wakes a thread"),
  call("pwrite64", 18, 68, "backing files"),
  call("pread64", 17, 67, "backing files"),
  call("writev", 20, 66, "the log"),
  call("readv", 19, 65, "files"),

  call("mmap", 9, 222, "guest memory; the heap of V8, and code that it compiles"),
  call("munmap", 11, 215, "likewise"),
  call("mremap", 25, 216, "the C library's heap"),
  call("mprotect", 10, 226, "code that V8 compiles"),
  call("madvise", 28, 233, "memory that V8 and the C library give back"),
  call("brk", 12, 214, "the C library's heap"),
  call("mincore", 27, 232, "V8 looks where memory is free"),
  call("membarrier", 324, 283, "V8 on arm64, after compiling"),
  call("pkey_alloc", 330, 289, "V8 protects its code"),
  call("pkey_free", 331, 290, "likewise"),
  call("pkey_mprotect", 329, 288, "likewise"),
  call("memfd_create", 319, 279, "V8 on some machines, for code that it maps twice"),

  call("accept4", 288, 242, "front-ends that connect"),
  call("recvfrom", 45, 207, "sockets of Deno's own"),
  call("sendto", 44, 206, "the log, where it goes to a socket"),
  call("shutdown", 48, 210, "connections that end"),
  call("getsockopt", 55, 209, "what a descriptor is that was passed"),
  call("setsockopt", 54, 208, "connections that must not linger"),
  call("getsockname", 51, 204, "what a descriptor is that was passed"),
  call("getpeername", 52, 205, "likewise"),
  call("socketpair", 53, 199, "Deno's signals", equals(0, AF_UNIX)),

  call("close", 3, 57, "descriptors"),
  call("close_range", 436, 436, "descriptors"),
  call("dup", 32, 23, "descriptors"),
  call("dup3", 292, 24, "descriptors"),
  call("dup2", 33, -1, "descriptors"),
  call("fcntl", 72, 25, "flags, seals and locks of descriptors"),
  call("flock", 73, 32, "backing files belong to one daemon"),
  call("lseek", 8, 62, "files"),
  call("fstat", 5, 80, "what a descriptor is"),
  call("newfstatat", 262, 79, "files"),
  call("stat", 4, -1, "files"),
  call("lstat", 6, -1, "files"),
  call("statx", 332, 291, "files"),
  call("statfs", 137, 43, "files"),
  call("fstatfs", 138, 44, "files"),
  call("access", 21, -1, "files"),
  call("faccessat", 269, 48, "files"),
  call("faccessat2", 439, 439, "files"),
  call("readlink", 89, -1, "what a descriptor is; drivers of the host's devices"),
  call("readlinkat", 267, 78, "likewise"),
  call("open", 2, -1, "nodes that come back; backing files"),
  call("openat", 257, 56, "likewise"),
  call("getdents64", 217, 61, "which nodes there are"),
  call("getcwd", 79, 17, "paths in messages"),
  call("ftruncate", 77, 46, "backing files"),
  call("fsync", 74, 82, "backing files"),
  call("fdatasync", 75, 83, "backing files"),
  call("unlink", 87, -1, "sockets are removed at the end"),
  call("unlinkat", 263, 35, "likewise"),
  call("inotify_init1", 294, 26, "adapters that go away"),
  call("inotify_add_watch", 254, 27, "likewise"),
  call("inotify_rm_watch", 255, 28, "likewise"),
  call("poll", 7, -1, "descriptors of Deno's own; whether a call would wait"),
  call("ppoll", 271, 73, "likewise"),
  call("pipe2", 293, 59, "Deno's own event loop"),

  call("clone", 56, 220, "threads", { argument: 0, mask: CLONE_THREAD, value: CLONE_THREAD }),
  call("set_robust_list", 273, 99, "threads"),
  call("set_tid_address", 218, 96, "threads"),
  call("rseq", 334, 293, "threads"),
  call("gettid", 186, 178, "threads"),
  call("sched_yield", 24, 124, "threads"),
  call("sched_getaffinity", 204, 123, "how many processors there are"),
  call("sched_getparam", 143, 121, "threads"),
  call("sched_getscheduler", 145, 120, "threads"),
  call("sched_setscheduler", 144, 119, "threads"),
  call("getpriority", 140, 141, "threads"),
  call("setpriority", 141, 140, "threads of V8 with low priority"),
  call("sigaltstack", 131, 132, "threads"),
  call("rt_sigaction", 13, 134, "signals"),
  call("rt_sigprocmask", 14, 135, "signals"),
  call("rt_sigreturn", 15, 139, "signals"),
  call("rt_sigpending", 127, 136, "signals"),
  call("restart_syscall", 219, 128, "what a signal has interrupted"),
  call("setitimer", 38, 103, "an end that may take too long", equals(0, 0)),
  call("exit", 60, 93, "threads that end"),
  call("exit_group", 231, 94, "the end"),

  call("prctl", 157, 167, "names of threads", equals(0, PR_SET_NAME)),
  call("prctl", 157, 167, "names of V8's memory", equals(0, PR_SET_VMA)),
  call("prlimit64", 302, 261, "limits are read, not set", equals(2, 0)),
  call("getrlimit", 97, 163, "limits"),
  call("getrusage", 98, 165, "V8's view of memory"),
  call("sysinfo", 99, 179, "V8's view of memory"),
  call("uname", 63, 160, "Deno's view of the machine"),
  call("getpid", 39, 172, "the log"),
  call("getppid", 110, 173, "Deno"),
  call("getuid", 102, 174, "the user in messages"),
  call("geteuid", 107, 175, "likewise"),
  call("getgid", 104, 176, "likewise"),
  call("getegid", 108, 177, "likewise"),
  call("getrandom", 318, 278, "hash tables of V8"),
  call("clock_gettime", 228, 113, "time, where the kernel's page does not tell"),
  call("clock_getres", 229, 114, "time"),
  call("clock_nanosleep", 230, 115, "time"),
  call("nanosleep", 35, 101, "time"),
  call("gettimeofday", 96, 169, "time"),
];

/** Those that are let through as well where interrupts are wired to a GPIO daemon. */
const connectingCalls: readonly SystemCall[] = [
  call("socket", 41, 198, "the GPIO daemon's control socket", equals(0, AF_UNIX)),
  call("connect", 42, 203, "likewise; with Landlock 9, to none but that"),
];

/**
 * All that a process makes.
 *
 * @param process its number
 * @param connects true if interrupts are wired to a GPIO daemon
 */
export function callsOf(process: number, connects: boolean): readonly SystemCall[] {
  return [
    ...allowedCalls,
    call("tgkill", 234, 131, "abort(3); threads that are kept in a call", equals(0, process)),
    ...(connects ? connectingCalls : []),
  ];
}

/**
 * Calls that are said not to exist: the C library then makes another one, whose arguments can be
 * looked at.
 */
export const missingCalls: readonly SystemCall[] = [
  call("clone3", 435, 435, "clone does it, and shows whether a thread or a process is meant"),
];
