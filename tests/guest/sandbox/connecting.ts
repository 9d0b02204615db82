/** With a kernel whose Landlock knows of sockets: who may connect where. */

import { assertEquals } from "@std/assert";
import { EACCES, SystemError } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import { landlockVersion } from "../../../ffi/sandbox.ts";
import { connectNow, listenAt } from "../../../ffi/socket.ts";
import { observingPaths } from "../../../lib/daemon/sandbox/paths.ts";
import { confineThread } from "../../../lib/daemon/sandbox/sandbox.ts";
import { startControlled } from "../../support/control_daemon.ts";
import { Daemon } from "../../support/daemon.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

/** A thread that confines itself, and tells what becomes of it when it connects to each path. */
function confined(gpioControl: string | undefined, paths: readonly string[]): Promise<number[]> {
  const { promise, resolve } = Promise.withResolvers<number[]>();
  const worker = new Worker(import.meta.url, { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage({ gpioControl, paths });
  return promise.finally(() => worker.terminate());
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  const scope = self as unknown as Worker;
  scope.onmessage = ({ data: { gpioControl, paths } }) => {
    confineThread(observingPaths(gpioControl));
    scope.postMessage(paths.map((path: string) => {
      try {
        close(connectNow(path));
        return 0;
      } catch (error) {
        return (error as SystemError).errno;
      }
    }));
  };
} else {
  Deno.test("this kernel's Landlock knows of sockets", () => {
    assertEquals(landlockVersion() >= 9, true);
  });

  Deno.test("a thread connects to the GPIO daemon it is wired to, and to nobody else", async () => {
    using mine = new TemporaryFolder();
    using other = new TemporaryFolder();
    const paths = [mine.file("gpio"), other.file("gpio")];
    const sockets = paths.map((path) => listenAt(path));
    assertEquals(await confined(paths[0], paths), [0, EACCES]);
    assertEquals(await confined(undefined, paths), [EACCES, EACCES]);
    for (const fd of sockets) close(fd);
  });

  Deno.test("a daemon in its sandbox reaches the GPIO daemon that comes later", async () => {
    using folder = new TemporaryFolder();
    const control = folder.file("gpio");
    await using it = await startControlled(
      "i2c",
      `gpio-control: ${control}
adapters: [{ simulated: { parts: [{ part: pca9535, address: 0x20, interrupt: dummy1 }] } }]`,
    );
    it.daemon.untilLogged(/is away: there is none/);
    await using _gpio = await Daemon.start("vhost-device-gpio", ["-l", "s2", "--control", control]);
    it.daemon.untilLogged(/interrupts drive lines of the GPIO daemon/);
  });
}
