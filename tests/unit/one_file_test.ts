import { assertEquals } from "@std/assert";
import { choose } from "../../lib/one_file.ts";
import { permissionFlags, union } from "../../lib/permissions.ts";

const NAMES = ["vhost-device-ctl", "vhost-device-gpio"];

Deno.test("the name by which it was called decides, and leaves all arguments", () => {
  for (const path of ["vhost-device-gpio", "./vhost-device-gpio", "/usr/bin/vhost-device-gpio"]) {
    assertEquals(choose(NAMES, path, ["ctl", "-V"]), {
      name: "vhost-device-gpio",
      args: ["ctl", "-V"],
    });
  }
});

Deno.test("by any other name the first argument decides, in full or in short", () => {
  for (const path of ["vhost-device", "/opt/anything", "", "vhost-device-gpio/", "gpio"]) {
    for (const first of ["gpio", "vhost-device-gpio"]) {
      assertEquals(choose(NAMES, path, [first, "gpio", "-V"]), {
        name: "vhost-device-gpio",
        args: ["gpio", "-V"],
      });
    }
  }
});

Deno.test("otherwise nothing is chosen", () => {
  for (const args of [[], ["spi"], ["-V"], [""], ["device-gpio"], ["toString"]]) {
    assertEquals(choose(NAMES, "vhost-device", args), undefined);
  }
});

Deno.test("one file for all is allowed what any of the programs needs", () => {
  const all = union([{ ffi: true, env: ["B", "A"] }, { net: true, env: ["A"], sys: ["uid"] }]);
  assertEquals(permissionFlags(all), [
    "--allow-ffi",
    "--allow-net",
    "--allow-sys=uid",
    "--allow-env=A,B",
  ]);
  assertEquals(permissionFlags(union([{}])), []);
});
