/** The demo with the panel: it goes on, and so do its devices. */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TestBrowser } from "../support/browser.ts";

const demo = fileURLToPath(new URL("../../scripts/demo.sh", import.meta.url));

Deno.test("panel: make demo PANEL=1 goes on, with a page that shows what the guest has left behind", async () => {
  const child = new Deno.Command(demo, {
    env: { PANEL: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Ctrl-C ends it all")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it has ended:\n${text}`);
    text += value;
  }
  const [shown = "", ...again] = text.match(/^ *http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]+\/$/gm) ?? [];
  assertEquals(again.map((it) => it.trim()), [shown]);
  {
    await using browser = await TestBrowser.start();
    await using opened = await browser.open(shown);
    const { page } = opened;
    await page.getByRole("region", { name: "0x50" }).getByText("hello from the g").waitFor();
    await page.getByRole("region", { name: "cs1" }).getByText("kept in the flas").waitFor();
    await page.getByRole("switch", { name: "lid" }).click();
    await page.getByRole("switch", { name: "lid", checked: false }).waitFor();
  }
  child.kill("SIGINT");
  await reader.cancel();
  assertEquals((await child.status).signal, "SIGINT");
});
