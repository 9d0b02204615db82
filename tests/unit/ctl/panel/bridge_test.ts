import { assert, assertEquals } from "@std/assert";
import { Bridge } from "../../../../lib/ctl/panel/bridge.ts";
import type { Readiness, Ready } from "../../../../lib/ctl/panel/readiness.ts";
import { TemporaryFolder } from "../../../support/temporary_folder.ts";

Deno.test("a page that goes while its daemon waits for it to read leaves no descriptor to be waited for", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("control");
  using daemon = Deno.listen({ transport: "unix", path });
  const page = {
    readyState: WebSocket.OPEN as number,
    bufferedAmount: Infinity,
    send: () => {},
    close: () => {},
  } as unknown as WebSocket;
  const watched: number[] = [];
  let ready: Ready = () => {};
  const readiness = {
    watch(fd: number, _events: number, then: Ready) {
      watched.push(fd);
      ready = then;
    },
    unwatch() {},
  } as unknown as Readiness;
  new Bridge(page, path, readiness);
  page.onopen!(new Event("open"));
  using connection = await daemon.accept();
  await connection.write(new TextEncoder().encode("a line\n"));
  const EPOLLIN = 1;
  ready(EPOLLIN);
  const { clearTimeout } = globalThis;
  // As Deno 2.5 has it, of a timer that is due.
  globalThis.clearTimeout = () => {};
  try {
    page.onclose!(new CloseEvent("close"));
    Object.assign(page, { bufferedAmount: 0 });
    await new Promise((resolve) => setTimeout(resolve, 60));
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
  assert(watched.length > 1, "the page was never too slow");
  assertEquals(watched.filter((fd) => fd < 0), []);
});
