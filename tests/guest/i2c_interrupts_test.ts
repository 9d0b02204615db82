import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { startControlled } from "../support/control_daemon.ts";
import { GuestShell } from "../support/guest_shell.ts";
import { PATIENCE } from "../support/wait.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const devicetree = fileURLToPath(new URL("i2c_interrupts.dts", import.meta.url));

const LINES = `
guests:
  - simulated:
      lines: [{ name: panel-int }, { name: adc-int }, { name: clock-int }]
`;

const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: pcf8574, address: 0x21, name: panel, interrupt: panel-int }
        - { part: ads1015, address: 0x49, name: adc, interrupt: adc-int }
        - { part: pcf8563, address: 0x51, name: clock, interrupt: clock-int }
`;

/** In a script: how many interrupts a driver has had. */
const count = (driver: string) => `awk '/ ${driver}$/ { print $2 }' /proc/interrupts`;

Deno.test("Linux's drivers of parts on an I2C bus get the parts' interrupts", async (context) => {
  await using gpio = await startControlled("gpio", LINES);
  await using i2c = await startControlled("i2c", `gpio-control: ${gpio.path}\n${PARTS}`);
  using folder = new TemporaryFolder();
  Deno.symlinkSync(gpio.daemon.socket(), folder.file("gpio"));
  Deno.symlinkSync(i2c.daemon.socket(), folder.file("i2c"));
  using control = await i2c.connect();
  await using guest = new GuestShell({ devicetree, sockets: folder.path });
  const set = (values: Record<string, unknown>) => control.call("set", { values });
  using lines = await gpio.connect();
  /** Waits until the guest has seen to an interrupt, and the line is high again. */
  const isOver = async (line: string) => {
    for (;;) {
      const { [line]: level } = await lines.call("get", { names: [line] });
      if (level === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const wasCalled = async (line: string) => {
    // Without an end of the connection, an event that does not come would be waited for for good.
    const timer = setTimeout(() => lines[Symbol.dispose](), 3 * PATIENCE);
    for (;;) {
      const { name, value } = await lines.event();
      if (name === line && value === 0) break;
    }
    clearTimeout(timer);
  };
  await lines.call("subscribe", { things: ["panel-int"] });

  await context.step("a key at a PCF8574 is pressed and released", async () => {
    // It opens what it reads before what it writes.
    await guest.run(`
      dd if=/dev/input/event0 bs=24 count=4 of=/tmp/keys 2>/dev/null &
      until [ -e /tmp/keys ]; do sleep 0.01; done`);
    for (const level of [0, 1]) {
      await set({ "panel.p3": level });
      await wasCalled("panel-int");
      await isOver("panel-int");
    }
    await lines.call("unsubscribe");
    const events = await guest.run(`
      until [ "$(stat -c %s /tmp/keys)" = 96 ]; do sleep 0.01; done
      od -An -v -tu2 -w24 /tmp/keys | awk '{ print $9, $10, $11 }'`);
    // EV_KEY with KEY_ENTER and its value, and EV_SYN.
    assertEquals(events, "1 28 1\n0 0 0\n1 28 0\n0 0 0\n");
  });

  await context.step("an ADS1015 tells of a voltage over the threshold, once", async () => {
    await guest.run(`
      cd /sys/bus/i2c/devices/0-0049/iio:device*/events
      echo 1200 >in_voltage0_thresh_rising_value
      echo 1 >in_voltage0_thresh_rising_en`);
    await set({ "adc.ain0": 1.1 });
    await set({ "adc.ain0": 1.3 });
    const waits = `until [ "$(${count("ads1015")})" -ge 1 ]; do sleep 0.01; done`;
    assertEquals(await guest.run(`${waits}; sleep 0.1; ${count("ads1015")}`), "1\n");
  });

  await context.step(
    "a PCF8563's alarm comes at its time, and is over when it is seen to",
    async () => {
      await set({ "clock.time": "2030-01-01T00:00:57Z" });
      const alarm = Date.UTC(2030, 0, 1, 0, 1) / 1000;
      const seen = await guest.run(`
      echo ${alarm} >/sys/class/rtc/rtc0/wakealarm
      before=$(${count("rtc-pcf8563")})
      until [ "$(${count("rtc-pcf8563")})" -ge 1 ]; do sleep 0.05; done
      echo $before $(($(cat /sys/class/rtc/rtc0/since_epoch) - ${alarm} < 30))`);
      assertEquals(seen, "0 1\n");
      // The line follows the chip's pin a little later, so that a low level may be seen twice.
      await isOver("clock-int");
      const [after, later] = (await guest.run(`
      sleep 0.05; ${count("rtc-pcf8563")}; sleep 0.1; ${count("rtc-pcf8563")}`)).split("\n");
      assertEquals(later, after);
      assertEquals(await control.call("get", { names: ["clock.interrupt"] }), {
        "clock.interrupt": false,
      });
    },
  );
});
