import { assertEquals } from "@std/assert";
import { memoryLimit } from "../../../ffi/memory_limit.ts";

function limit(files: Readonly<Record<string, string>>): number {
  return memoryLimit((path) => files[path]);
}

Deno.test("the least limit of a control group and those above it counts", () => {
  const files = {
    "/proc/self/cgroup": "0::/system.slice/gpio.service\n",
    "/sys/fs/cgroup/system.slice/gpio.service/memory.max": "max\n",
    "/sys/fs/cgroup/system.slice/memory.max": "100663296\n",
    "/sys/fs/cgroup/memory.max": "200000000\n",
  };
  assertEquals(limit(files), 96 * 2 ** 20);
});

Deno.test("in a container its own group is the root", () => {
  assertEquals(
    limit({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "5000\n" }),
    5000,
  );
});

Deno.test("version 1 has a hierarchy for memory, and a large number for no limit", () => {
  const files = {
    "/proc/self/cgroup": "7:cpu,cpuacct:/x\n6:memory:/docker/abc\n0::/\n",
    "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n",
    "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "7000\n",
  };
  assertEquals(limit(files), 7000);
});

Deno.test("where nothing is limited, or nothing can be read, there is no limit", () => {
  assertEquals(limit({}), Infinity);
  assertEquals(limit({ "/proc/self/cgroup": "0::/a\n" }), Infinity);
  assertEquals(limit({ "/proc/self/cgroup": "nonsense" }), Infinity);
});
