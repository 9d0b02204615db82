import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { createEventfd } from "../../ffi/eventfd.ts";
import { close } from "../../ffi/fd.ts";
import { libc } from "../../ffi/libc.ts";
import { isSocketAlive, listenAt } from "../../ffi/socket.ts";
import { socketPair } from "../support/kernel_objects.ts";
import { Daemon } from "../support/daemon.ts";
import { FrontEnd } from "../support/front_end.ts";
import { GPIO, GpioGuest } from "../support/gpio_driver.ts";
import { activation, makeInheritable } from "../support/passed_sockets.ts";
import { assertRefused, run, testRefusals } from "../support/refusals.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const PROGRAM = "vhost-device-gpio";
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

/** Sockets in a folder, which programs started from here can be given. */
class Sockets implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly #fds: number[] = [];

  keep(fd: number): number {
    makeInheritable(fd);
    this.#fds.push(fd);
    return fd;
  }

  listen(name: string): number {
    return this.keep(listenAt(this.folder.file(name)));
  }

  connect(name: string): FrontEnd {
    return FrontEnd.connect(this.folder.file(name));
  }

  /** A daemon that systemd starts. */
  activate(args: readonly string[], fds: readonly number[], environment?: string): Promise<Daemon> {
    const program = activation(this.folder.file("start"), PROGRAM, fds, environment);
    return Daemon.start(PROGRAM, args, { program, socketOption: false });
  }

  /** A refusal to be started by systemd. */
  refuse(args: readonly string[], fds: readonly number[], environment?: string) {
    const executable = activation(this.folder.file("start"), PROGRAM, fds, environment);
    return run(PROGRAM, args, { executable });
  }

  [Symbol.dispose](): void {
    this.#fds.forEach(close);
    this.folder[Symbol.dispose]();
  }
}

testRefusals("descriptors that are no Unix stream sockets are refused", (folder) => {
  const remedy = "pass a Unix stream socket";
  const fds = {
    idle: libc.socket(AF_UNIX, SOCK_STREAM, 0),
    datagram: libc.socket(AF_UNIX, SOCK_DGRAM, 0),
    internet: libc.socket(AF_INET, SOCK_STREAM, 0),
    eventfd: createEventfd(),
  };
  Object.values(fds).forEach(makeInheritable);
  const fd = (name: string, fd: number, value: string) => ({
    name,
    args: ["--fd", `${fd}`, "-l", "s1"],
    value: `'--fd': descriptor ${fd} is ${value}`,
    remedy,
  });
  const range = "expected a whole number from 0 to 1048576";
  return [
    fd("not open", 999, "not open"),
    fd("standard input", 0, "no Unix stream socket"),
    fd("not connected", fds.idle, "neither listening nor connected"),
    fd("a datagram socket", fds.datagram, "no Unix stream socket"),
    fd("an internet socket", fds.internet, "no Unix stream socket"),
    fd("no socket at all", fds.eventfd, "no Unix stream socket"),
    { name: "negative", args: ["--fd", "-1", "-l", "s1"], value: "'-1'", remedy: range },
    { name: "no number", args: ["--fd", "x", "-l", "s1"], value: "'x'", remedy: range },
    { name: "too large", args: ["--fd=1048577", "-l", "s1"], value: "'1048577'", remedy: range },
    {
      name: "with a path",
      args: ["--fd", "3", "-s", folder.file("x"), "-l", "s1"],
      value: `'--socket-path ${folder.file("x")}'`,
      remedy: "give one of them",
    },
  ];
});

Deno.test("--fd serves a listening socket for ever and does not remove it", async () => {
  using sockets = new Sockets();
  const fd = sockets.listen("socket");
  await using daemon = await Daemon.start(PROGRAM, ["--fd", `${fd}`, "-l", "s3"], {
    socketOption: false,
  });
  for (let round = 0; round < 2; round++) {
    using guest = new GpioGuest(sockets.connect("socket"));
    assertEquals(guest.get(GPIO.GET_VALUE, 2), 0);
  }
  assertMatch(daemon.log, new RegExp(`guest 0: 3 simulated lines at descriptor ${fd}\n`));
  const { code } = await daemon.stop();
  assertEquals(code, 0);
  assert(isSocketAlive(sockets.folder.file("socket")));
});

Deno.test("--fd serves a connected socket until its front-end goes", async () => {
  const [here, there] = socketPair();
  makeInheritable(there);
  await using daemon = await Daemon.start(PROGRAM, ["--fd", `${there}`, "-l", "s1"], {
    socketOption: false,
  });
  close(there);
  {
    using guest = new GpioGuest(new FrontEnd(here));
    assertEquals(guest.get(GPIO.GET_VALUE, 0), 0);
  }
  assertEquals(await daemon.ended(), 0);
  assertMatch(daemon.log, /front-end gone: the front-end closed the connection/);
});

Deno.test("sockets passed by systemd are the guests', in their order", async () => {
  using sockets = new Sockets();
  const names = ["a", "b", "c"];
  const fds = names.map((name) => sockets.listen(name));
  await using daemon = await sockets.activate(["-l", "s1:s2:s3"], fds);
  names.forEach((name, index) => {
    using guest = new GpioGuest(sockets.connect(name));
    assertStrictEquals(guest.frontEnd.getConfig(0, 2)?.[0], index + 1);
  });
  const { code } = await daemon.stop();
  assertEquals(code, 0);
  for (const name of names) assert(isSocketAlive(sockets.folder.file(name)));
});

Deno.test("the names that systemd gives to sockets are of no importance", async () => {
  using sockets = new Sockets();
  const environment = "LISTEN_PID=$$ LISTEN_FDNAMES=one:two:three";
  const fds = [sockets.listen("socket")];
  await using _daemon = await sockets.activate(["-l", "s1", "-c1"], fds, environment);
  using _guest = new GpioGuest(sockets.connect("socket"));
});

Deno.test("sockets that are meant for another process are ignored", async () => {
  using sockets = new Sockets();
  const fds = [sockets.listen("socket")];
  for (const environment of ["LISTEN_PID=1", "LISTEN_PID=", "LISTEN_PID=0x$$", "OTHER=1"]) {
    const outcome = await sockets.refuse(["-l", "s1"], fds, environment);
    assertRefused(outcome, { value: "no socket is named", remedy: "--socket-path" });
  }
});

Deno.test("numbers of sockets that are none are ignored", async () => {
  using sockets = new Sockets();
  for (const count of ["0", "-1", "x", "", "1e1", "99999999999"]) {
    const outcome = await sockets.refuse(["-l", "s1"], [], `LISTEN_PID=$$ LISTEN_FDS=${count}`);
    assertRefused(outcome, { value: "no socket is named", remedy: "--socket-path" });
  }
});

Deno.test("what disagrees with the sockets passed by systemd is refused", async (t) => {
  using sockets = new Sockets();
  const fds = [sockets.listen("a"), sockets.listen("b")];
  const refused = (name: string, args: string[], value: string, remedy: string) =>
    t.step(name, async () => {
      assertRefused(await sockets.refuse(args, fds), { value, remedy });
    });
  await refused("devices", ["-l", "s1"], "1 guest", "systemd has passed 2 sockets");
  await refused("-c", ["-l", "s1:s1", "-c", "3"], "'--socket-count' is 3", "leave the count out");
  await refused("-s", ["-s", "/x", "-l", "s1:s1"], "'--socket-path /x'", "leave the option out");
  await t.step("a closed descriptor", async () => {
    const environment = "LISTEN_PID=$$ LISTEN_FDS=3";
    const outcome = await sockets.refuse(["-l", "s1:s1:s1"], fds, environment);
    assertRefused(outcome, { value: "systemd: descriptor 5 is", remedy: "pass a Unix stream" });
  });
});
