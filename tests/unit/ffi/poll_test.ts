import { assertStrictEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

Deno.test("what is waited with on another thread is kept until the wait is over", async () => {
  const script = fileURLToPath(new URL("./collected_waits.ts", import.meta.url));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--v8-flags=--expose-gc", script],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assertStrictEquals(
    text.decode(stdout),
    "collected: 10000 while others wait, 8 more afterwards\n",
    text.decode(stderr),
  );
});
