import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { startControlled } from "../support/control_daemon.ts";
import { GuestShell } from "../support/guest_shell.ts";

const devicetree = fileURLToPath(new URL("i2c_parts.dts", import.meta.url));

const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: pca9535, address: 0x20, name: expander, p00: 1 }
        - { part: pcf8574, address: 0x21, name: panel, p3: 0 }
        - { part: ssd1306, address: 0x3c, name: screen }
        - { part: ina219, address: 0x40, name: battery, shunt: 0.1, voltage: 12, current: 1.5 }
        - { part: ina226, address: 0x41, name: rail, voltage: 3.3, current: -0.5 }
        - { part: sht3x, address: 0x44, name: air, temperature: 21.5, humidity: 40 }
        - { part: tmp102, address: 0x48, name: sensor, temperature: -12.5 }
        - { part: ads1015, address: 0x49, name: adc, ain0: 1, ain3: 0.25 }
        - { part: pcf8563, address: 0x51, name: doubtful, voltage-low: true }
        - { part: pmbus, address: 0x58, name: supply }
        - { part: ds1307, address: 0x68, name: clock }
        - part: tca9548
          address: 0x70
          channels:
            0: [{ part: lm75, address: 0x4c, name: inside, temperature: 30 }]
            3:
              - { part: lm75, address: 0x4c, name: outside, temperature: -10 }
              - { part: 24c02, address: 0x50, name: board }
`;

/** In a script: where the driver of the part at an address has its files. */
const at = (address: string, pattern: string) => `cd /sys/bus/i2c/devices/${address}/${pattern}`;
const hwmon = (address: string) => at(address, "hwmon/hwmon*");

Deno.test("Linux's own drivers use the parts of an I2C bus", async (context) => {
  await using world = await startControlled("i2c", PARTS);
  using control = await world.connect();
  await using guest = new GuestShell({ devicetree, sockets: world.daemon.folder.path });

  const lines = async (script: string) => (await guest.run(script)).trim().split("\n");
  const numbers = async (script: string) => (await lines(script)).map(Number);
  const set = (values: Record<string, unknown>) => control.call("set", { values });
  const get = async (...names: string[]) => Object.values(await control.call("get", { names }));

  await context.step("gpio-pca953x reads and drives the lines of a PCA9535", async () => {
    const chip = "chip=$(basename /sys/bus/i2c/devices/0-0020/gpiochip*)";
    const read = `${chip}; gpioget --numeric -c $chip 0 1 8 15`;
    assertEquals(await lines(read), ["1 0 0 0"]);
    await set({ "expander.p00": 0, "expander.p10": 1 });
    assertEquals(await lines(read), ["0 0 1 0"]);
    await guest.run(`${chip}; gpioset -t 0 -c $chip 2=1 9=1 10=0`);
    assertEquals(await get("expander.p02", "expander.p11", "expander.p12", "expander.outputs"), [
      ...[1, 1, 0, 0x0604],
    ]);
    assertEquals(await lines(`${chip}; gpioget -l --numeric -c $chip 0 8`), ["1 0"]);
  });

  await context.step("gpio-pcf857x reads and drives the lines of a PCF8574", async () => {
    const chip = "chip=$(basename /sys/bus/i2c/devices/0-0021/gpiochip*)";
    const read = `${chip}; gpioget --numeric -c $chip 0 3 7`;
    assertEquals(await lines(read), ["1 0 1"]);
    await set({ "panel.p7": 0, "panel.p3": 1 });
    assertEquals(await lines(read), ["1 1 0"]);
    await guest.run(`${chip}; gpioset -t 0 -c $chip 1=0 2=1`);
    assertEquals(await get("panel.p1", "panel.p2", "panel.latch"), [0, 1, 0xfd]);
  });

  await context.step("hwclock reads a DS1307, which has the host's time, and sets it", async () => {
    const clock = "rtc=/dev/$(basename /sys/bus/i2c/devices/0-0068/rtc/rtc*)";
    const read = "cat /sys/class/rtc/$(basename $rtc)/since_epoch";
    const [now] = await numbers(`${clock}; ${read}`);
    assertAlmostEquals(now, Date.now() / 1000, 60);
    await set({ "clock.time": "2031-07-08T09:10:11Z" });
    const [shown, seconds] = await lines(`${clock}; hwclock -r -u -f $rtc; ${read}`);
    assertMatch(shown, /^Tue Jul +8 09:1\d:\d\d 2031/);
    assertAlmostEquals(Number(seconds), Date.UTC(2031, 6, 8, 9, 10, 11) / 1000, 60);
    await guest.run(`${clock}; date -u -s "2042-02-28 23:59:50"; hwclock -w -u -f $rtc`);
    const [time] = await get("clock.time");
    assertAlmostEquals(Date.parse(time as string), Date.UTC(2042, 1, 28, 23, 59, 50), 60_000);
  });

  await context.step("the DS1307's RAM is the kernel's nvmem", async () => {
    await guest.run("printf hello >/sys/bus/nvmem/devices/ds1307_nvram0/nvmem");
    const { data } = await control.call("read", { name: "clock", at: 0, length: 6 });
    assertEquals(data, "68656c6c6f00");
    await control.call("write", { name: "clock", at: 5, data: "21" });
    assertEquals(await guest.run("head -c 6 /sys/bus/nvmem/devices/ds1307_nvram0/nvmem"), "hello!");
  });

  await context.step("hwclock trusts a PCF8563 once it has set it", async () => {
    const clock = "rtc=/dev/$(basename /sys/bus/i2c/devices/0-0051/rtc/rtc*)";
    const doubt = await guest.run(`${clock}; hwclock -r -u -f $rtc 2>&1 || echo refused`);
    assertMatch(doubt, /refused/);
    await guest.run(`${clock}; date -u -s "2029-12-31 12:13:14"; hwclock -w -u -f $rtc`);
    assertMatch(
      await guest.run(`${clock}; hwclock -r -u -f $rtc`),
      /^Mon Dec 31 12:1\d:\d\d 2029/,
    );
    assertEquals(await get("doubtful.voltage-low"), [false]);
  });

  await context.step("ina2xx reads current, voltage and power of an INA219", async () => {
    const read = `${hwmon("0-0040")}; cat in0_input in1_input curr1_input power1_input`;
    assertEquals(await numbers(read), [150, 12000, 1500, 18_000_000]);
    await set({ "battery.voltage": 11.2, "battery.current": -0.25 });
    assertEquals(await numbers(read), [-25, 11200, -250, 2_800_000]);
    await set({ "battery.power": 5.6 });
    assertEquals(await numbers(read), [50, 11200, 500, 5_600_000]);
  });

  await context.step("ina2xx reads an INA226, and its alarm", async () => {
    const read = `${hwmon("0-0041")}; cat in0_input in1_input curr1_input power1_input`;
    assertEquals(await numbers(read), [-5, 3300, -500, 1_650_000]);
    const alarm = `${hwmon("0-0041")}; cat in1_lcrit_alarm`;
    await guest.run(`${hwmon("0-0041")}; echo 3000 >in1_lcrit`);
    assertEquals([await numbers(alarm), await get("rail.interrupt")], [[0], [false]]);
    await set({ "rail.voltage": 2.9 });
    assertEquals([await numbers(alarm), await get("rail.interrupt")], [[1], [true]]);
    await set({ "rail.voltage": 3.1 });
    // The driver lets the chip latch it, until it is read.
    assertEquals([await get("rail.interrupt"), await numbers(alarm)], [[true], [1]]);
    assertEquals([await numbers(alarm), await get("rail.interrupt")], [[0], [false]]);
  });

  await context.step("tmp102 reads a temperature, and sets the limits", async () => {
    const read = `${hwmon("0-0048")}; cat temp1_input`;
    assertEquals(await numbers(read), [-12500]);
    await set({ "sensor.temperature": 130.25 });
    assertEquals(await numbers(read), [130250]);
    await guest.run(`${hwmon("0-0048")}; echo 90000 >temp1_max; echo 85000 >temp1_max_hyst`);
    assertEquals(await get("sensor.limit", "sensor.hysteresis"), [90, 85]);
  });

  await context.step(
    "sht3x reads temperature and humidity, whose checksums hold, and an alarm",
    async () => {
      const read = `${hwmon("0-0044")}; cat temp1_input humidity1_input`;
      const [temperature, humidity] = await numbers(read);
      assertAlmostEquals(temperature, 21_500, 3);
      assertAlmostEquals(humidity, 40_000, 3);
      await set({ "air.temperature": -20, "air.humidity": 99 });
      const [cold, wet] = await numbers(read);
      assertAlmostEquals(cold, -20_000, 3);
      assertAlmostEquals(wet, 99_000, 3);
      assertEquals(await numbers(`${hwmon("0-0044")}; cat temp1_alarm humidity1_alarm`), [1, 1]);
      await guest.run(`${hwmon("0-0044")}; echo -25000 >temp1_min; echo 1 >heater_enable`);
      assertEquals(await numbers(`${read} >/dev/null; cat temp1_alarm`), [1]);
      assertEquals(await get("air.heater"), [true]);
    },
  );

  await context.step("ti-ads1015 reads inputs and differences through iio", async () => {
    const read = `${at("0-0049", "iio:device*")}
      cat in_voltage0_raw in_voltage3_raw in_voltage0-voltage3_raw in_voltage3_scale`;
    assertEquals(await numbers(read), [1000, 250, 750, 1]);
    await set({ "adc.ain0": 0.5, "adc.ain3": 3.3 });
    assertEquals(await numbers(read), [500, 2047, -2048, 1]);
    const wide = `${at("0-0049", "iio:device*")}; echo 3 >in_voltage3_scale; cat in_voltage3_raw`;
    assertEquals(await numbers(wide), [1100]);
  });

  await context.step("pmbus reads a supply with packet error codes, and its alarms", async () => {
    assertEquals(await numbers("cat /sys/bus/i2c/devices/0-0058/pec"), [1]);
    const read = `${hwmon("0-0058")}
      cat in1_input in2_input curr1_input temp1_input power1_input`;
    assertEquals(await numbers(read), [48_000, 12_000, 1000, 35_000, 12_000_000]);
    await set({ "supply.output-current": 22, "supply.temperature": 95.5 });
    const [, , current, temperature] = await numbers(read);
    assertEquals([current, temperature], [22_000, 95_500]);
    const alarms = `${hwmon("0-0058")}; cat curr1_max_alarm curr1_crit_alarm temp1_max_alarm`;
    assertEquals(await numbers(alarms), [1, 0, 1]);
    await guest.run(`${hwmon("0-0058")}; echo 100000 >temp1_max`);
    await set({ "supply.output-current": 2 });
    // The driver clears what it has shown.
    await guest.run(`${read}\n${alarms}`);
    assertEquals(await numbers(alarms), [0, 0, 0]);
    // A reading that came over the bus damaged is not believed.
    await control.call("inject", { thing: "supply", fault: "wrong", count: 1 });
    assertMatch(
      await guest.run(`${hwmon("0-0058")}; dd if=in1_input bs=16 count=1 2>&1 || :`),
      /Bad message/,
    );
    assertEquals(await numbers(`${hwmon("0-0058")}; cat in1_input`), [48_000]);
  });

  await context.step("behind a TCA9548, parts at one address are two", async () => {
    const read = ["1-004c", "4-004c"].map((part) => `(${hwmon(part)}; cat temp1_input)`).join("\n");
    assertEquals(await numbers(read), [30_000, -10_000]);
    await set({ "0x70-0-0x4c.temperature": 31, "outside.temperature": -11 });
    assertEquals(await numbers(read), [31_000, -11_000]);
    await guest.run("printf board >/sys/bus/i2c/devices/4-0050/eeprom");
    const { data } = await control.call("read", { name: "board", at: 0, length: 5 });
    assertEquals(data, "626f617264");
    assertEquals(await lines("i2cdetect -y 2 | grep -c 4c || :"), ["0"]);
  });

  await context.step(
    "what is written to ssd1307fb's frame buffer is the display's picture",
    async () => {
      const [screen] = (await control.call("describe")).things
        .filter(({ name }: { name: string }) => name === "screen");
      const { picture } = screen.properties
        .find(({ name }: { name: string }) => name === "picture");
      assertEquals(picture, { width: 128, height: 64, bits: 1 });
      assertEquals(await get("screen.on"), [true]);
      await control.call("subscribe", { things: ["screen"] });
      // A diagonal line; in the frame buffer, the leftmost of eight pixels is the lowest bit.
      await guest.run(`
      for y in $(seq 0 63); do
        for byte in $(seq 0 15); do
          [ $byte = $((y / 8)) ] && printf "\\\\x$(printf %02x $((1 << y % 8)))" || printf '\\0'
        done
      done >/dev/fb0`);
      const diagonal = Array.from(
        { length: 64 },
        (_, y) => Array.from({ length: 16 }, (_, byte) => byte === y >> 3 ? 0x80 >> y % 8 : 0),
      ).flat();
      const expected = diagonal.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const seen = async () =>
        (await control.call("read", { name: "screen", at: 0, length: 1024 })).data;
      while (await seen() !== expected) {
        const { kind, name } = await control.event();
        assertEquals([kind, name], ["property", "screen.picture"]);
      }
      await control.call("unsubscribe");
      await guest.run("echo 4 >/sys/class/graphics/fb0/blank");
      assertEquals([await get("screen.on"), await seen()], [[false], "00".repeat(1024)]);
      await guest.run("echo 0 >/sys/class/graphics/fb0/blank");
      assert(await seen() === expected);
    },
  );
});
