/**
 * The C library, as far as the daemons use it: one table, of which each thread opens what it calls.
 *
 * Nothing above `ffi/` sees a raw symbol; the modules beside this one wrap them. The types are
 * chosen for Deno's fast call path: lengths, flags and ioctl numbers are `u32`, `ssize_t` results
 * `i32` (no single transfer here reaches 2 GiB), and only cold calls take 64-bit values.
 *
 * @module
 */

import { type FastFunction, openFastWhenUsed, openWhenUsed } from "./library.ts";

const FUNCTIONS = {
  /** `int *__errno_location(void)`: errno(3) */
  __errno_location: { parameters: [], result: "pointer" },
  /** `char *strerror(int errnum)`: strerror(3) */
  strerror: { parameters: ["i32"], result: "pointer" },
  /** `int close(int fd)`: close(2) */
  close: { parameters: ["i32"], result: "i32" },
  /** `int open(const char *pathname, int flags, mode_t mode)`: open(2) */
  open: {
    parameters: [
      "buffer", // const char *pathname, zero-terminated
      "i32", // int flags
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  /** `ssize_t read(int fd, void buf[.count], size_t count)`: read(2) */
  read: {
    parameters: [
      "i32", // int fd
      "pointer", // void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  /** `ssize_t write(int fd, const void buf[.count], size_t count)`: write(2) */
  write: {
    parameters: [
      "i32", // int fd
      "pointer", // const void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  /**
   * `long syscall(long number, ...)` with the arguments of write(2): syscall(2). Unlike `write`, it
   * is no cancellation point of threads, which saves 35 ns of 250.
   */
  syscall_write: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "i32", // int fd
      "pointer", // const void *buf
      "u32", // size_t count
    ],
    result: "i32",
  },
  /** The same for epoll_pwait(2), the form of epoll_wait(2) that every machine has. */
  syscall_epoll_pwait: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "i32", // int epfd
      "pointer", // struct epoll_event *events
      "i32", // int maxevents
      "i32", // int timeout, milliseconds
      "pointer", // const sigset_t *sigmask, may be null
      "u32", // size_t sigsetsize
    ],
    result: "i32",
  },
  /** The same for gettid(2). */
  syscall_gettid: { name: "syscall", parameters: ["i32"], result: "i32" },
  /** The same for tgkill(2). */
  syscall_tgkill: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "i32", // pid_t tgid
      "i32", // pid_t tid
      "i32", // int sig
    ],
    result: "i32",
  },
  /** The same for futex(2), without a timeout. */
  syscall_futex: {
    name: "syscall",
    parameters: [
      "i32", // long number
      "pointer", // uint32_t *uaddr
      "i32", // int futex_op
      "u32", // uint32_t val
    ],
    result: "i32",
  },
  /** `int poll(struct pollfd *fds, nfds_t nfds, int timeout)`: poll(2) */
  poll: { parameters: ["pointer", "u32", "i32"], result: "i32" },
  /** `int dup3(int oldfd, int newfd, int flags)`: dup(2) */
  dup3: {
    parameters: [
      "i32", // int oldfd
      "i32", // int newfd
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `int fcntl(int fd, int op, int arg)`: fcntl(2) */
  fcntl: {
    parameters: [
      "i32", // int fd
      "i32", // int op
      "i32", // int arg
    ],
    result: "i32",
  },
  /** `int fchmod(int fd, mode_t mode)`: chmod(2) */
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  /** `int flock(int fd, int op)`: flock(2) */
  flock: { parameters: ["i32", "i32"], result: "i32" },
  /** `int fstat(int fd, struct stat *statbuf)`: fstat(2) */
  fstat: {
    parameters: [
      "i32", // int fd
      "buffer", // struct stat *statbuf
    ],
    result: "i32",
  },
  /** `int fstatfs(int fd, struct statfs *buf)`: statfs(2) */
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  /** `int stat(const char *pathname, struct stat *statbuf)`: stat(2) */
  stat: { parameters: ["buffer", "buffer"], result: "i32" },
  /** `int lstat(const char *pathname, struct stat *statbuf)`: stat(2) */
  lstat: { parameters: ["buffer", "buffer"], result: "i32" },
  /** `int unlink(const char *pathname)`: unlink(2) */
  unlink: { parameters: ["buffer"], result: "i32" },
  /** `char *realpath(const char *path, char *resolved)`: realpath(3), `PATH_MAX` bytes */
  realpath: { parameters: ["buffer", "buffer"], result: "pointer" },
  /** `DIR *opendir(const char *name)`: opendir(3) */
  opendir: { parameters: ["buffer"], result: "pointer" },
  /** `struct dirent *readdir(DIR *dirp)`: readdir(3) */
  readdir: { parameters: ["pointer"], result: "pointer" },
  /** `int closedir(DIR *dirp)`: closedir(3) */
  closedir: { parameters: ["pointer"], result: "i32" },
  /** `int ftruncate(int fd, off_t length)`: truncate(2) */
  ftruncate: {
    parameters: [
      "i32", // int fd
      "i64", // off_t length
    ],
    result: "i32",
  },
  /** `ssize_t pwrite(int fd, const void buf[.count], size_t count, off_t offset)`: pread(2) */
  pwrite: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "u32", // size_t count
      "i64", // off_t offset
    ],
    result: "i32",
  },
  /** `ssize_t readlink(const char *pathname, char *buf, size_t bufsiz)`: readlink(2) */
  readlink: {
    parameters: [
      "buffer", // const char *pathname, zero-terminated
      "buffer", // char *buf
      "u32", // size_t bufsiz
    ],
    result: "i32",
  },
  /** `int ioctl(int fd, unsigned long op, void *argp)`: ioctl(2) */
  ioctl: {
    parameters: [
      "i32", // int fd
      "u32", // unsigned long op
      "pointer", // void *argp
    ],
    result: "i32",
  },
  /** `int socket(int domain, int type, int protocol)`: socket(2) */
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  /** `int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)`: bind(2) */
  bind: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  /** `int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)`: connect(2) */
  connect: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  /** `int listen(int sockfd, int backlog)`: listen(2) */
  listen: { parameters: ["i32", "i32"], result: "i32" },
  /** `int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags)`: accept(2) */
  accept4: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct sockaddr *addr, may be null
      "pointer", // socklen_t *addrlen, may be null
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `int getsockopt(int fd, int level, int name, void *val, socklen_t *len)`: getsockopt(2) */
  getsockopt: {
    parameters: [
      "i32", // int sockfd
      "i32", // int level
      "i32", // int optname
      "buffer", // void *optval
      "buffer", // socklen_t *optlen
    ],
    result: "i32",
  },
  /** `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)`: recv(2) */
  recvmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // struct msghdr *msg
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)`: send(2) */
  sendmsg: {
    parameters: [
      "i32", // int sockfd
      "pointer", // const struct msghdr *msg
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `ssize_t send(int sockfd, const void buf[.size], size_t size, int flags)`: send(2) */
  send: {
    parameters: [
      "i32", // int sockfd
      "pointer", // const void *buf
      "u32", // size_t size
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `ssize_t recv(int fd, void buf[.size], size_t size, int flags)`: recv(2) */
  recv: {
    parameters: [
      "i32", // int sockfd
      "pointer", // void *buf
      "u32", // size_t len
      "i32", // int flags
    ],
    result: "i32",
  },
  /** `int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)` */
  sigaction: {
    parameters: [
      "i32", // int signum
      "pointer", // const struct sigaction *act, may be null
      "buffer", // struct sigaction *oldact
    ],
    result: "i32",
  },
  /** `int eventfd(unsigned int initval, int flags)`: eventfd(2) */
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  /** `int clock_gettime(clockid_t clockid, struct timespec *tp)`: clock_gettime(2) */
  clock_gettime: { parameters: ["i32", "pointer"], result: "i32" },
  /** `int timerfd_create(int clockid, int flags)`: timerfd_create(2) */
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  /** `int timerfd_settime(int fd, int flags, const struct itimerspec *new, … *old)` */
  timerfd_settime: {
    parameters: [
      "i32", // int fd
      "i32", // int flags
      "pointer", // const struct itimerspec *new_value
      "pointer", // struct itimerspec *old_value, may be null
    ],
    result: "i32",
  },
  /** `int epoll_create1(int flags)`: epoll_create(2) */
  epoll_create1: { parameters: ["i32"], result: "i32" },
  /** `int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)`: epoll_ctl(2) */
  epoll_ctl: {
    parameters: [
      "i32", // int epfd
      "i32", // int op
      "i32", // int fd
      "buffer", // struct epoll_event *event
    ],
    result: "i32",
  },
  /** `void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)`: mmap(2) */
  mmap: {
    parameters: [
      "pointer", // void *addr
      "usize", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "pointer",
  },
  /** `int munmap(void *addr, size_t length)`: mmap(2) */
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  /** `int mprotect(void *addr, size_t len, int prot)`: mprotect(2) */
  mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  /** `int getpagesize(void)`: getpagesize(2) */
  getpagesize: { parameters: [], result: "i32" },
  /** `int inotify_init1(int flags)`: inotify_init(2) */
  inotify_init1: { parameters: ["i32"], result: "i32" },
  /** `int inotify_add_watch(int fd, const char *pathname, uint32_t mask)` */
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  /** `int getrlimit(int resource, struct rlimit *rlim)`: getrlimit(2) */
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  /** `int malloc_trim(size_t pad)`: malloc_trim(3) */
  malloc_trim: { parameters: ["u32"], result: "i32" },
  /** `int setrlimit(int resource, const struct rlimit *rlim)`: getrlimit(2) */
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Each returns 0 or an error number. */
const THREAD_FUNCTIONS = {
  /** `int pthread_attr_init(pthread_attr_t *attr)`: pthread_attr_init(3) */
  pthread_attr_init: { parameters: ["buffer"], result: "i32" },
  /** `int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stacksize)` */
  pthread_attr_setstacksize: { parameters: ["buffer", "usize"], result: "i32" },
  /** `int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)` */
  pthread_create: {
    parameters: [
      "buffer", // pthread_t *thread
      "buffer", // const pthread_attr_t *attr
      "pointer", // void *(*start_routine)(void *)
      "pointer", // void *arg
    ],
    result: "i32",
  },
  /** `int pthread_sigmask(int how, const sigset_t *set, sigset_t *oldset)`: pthread_sigmask(3) */
  pthread_sigmask: {
    parameters: [
      "i32", // int how
      "buffer", // const sigset_t *set, 128 bytes
      "buffer", // sigset_t *oldset
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBRARY = "libc.so.6";

/** The C functions, callable. */
export const libc = openWhenUsed(LIBRARY, FUNCTIONS);

/** Those of threads: since version 2.34 of glibc that library is empty, and leads to the other. */
export const libpthread = openWhenUsed("libpthread.so.0", THREAD_FUNCTIONS);

/** One of them for where it is called often: `const read = fast("read");` and `read.invoke(…)`. */
export function fast<Name extends keyof typeof FUNCTIONS>(
  name: Name,
): FastFunction<(typeof libc)[Name]> {
  return openFastWhenUsed(LIBRARY, FUNCTIONS, name);
}

/**
 * The address of a C function, to be handed to the kernel.
 *
 * @throws {TypeError} if there is none of this name
 */
export function addressOf(name: string): Deno.PointerObject {
  const symbols = {
    /** `void *dlsym(void *handle, const char *symbol)`: dlsym(3) */
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  } as const;
  let dlsym;
  try {
    ({ dlsym } = openWhenUsed(LIBRARY, symbols));
  } catch {
    // Before version 2.34 of glibc.
    ({ dlsym } = openWhenUsed("libdl.so.2", symbols));
  }
  const address = dlsym(null, new TextEncoder().encode(`${name}\0`));
  if (address === null) throw new TypeError(`the C library has no ${name}`);
  return address;
}

/** Numbers of the system calls that are made directly. */
export const { SYS_write, SYS_epoll_pwait, SYS_gettid, SYS_tgkill, SYS_futex } =
  Deno.build.arch === "x86_64"
    ? { SYS_write: 1, SYS_epoll_pwait: 281, SYS_gettid: 186, SYS_tgkill: 234, SYS_futex: 202 }
    : { SYS_write: 64, SYS_epoll_pwait: 22, SYS_gettid: 178, SYS_tgkill: 131, SYS_futex: 98 };
