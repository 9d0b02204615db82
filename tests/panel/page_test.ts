/** The page in a real browser, in front of daemons without a guest. */

import { assert, assertEquals } from "@std/assert";
import {
  type BrowserContextOptions,
  type Opened,
  type Page,
  seriousFaults,
  TestBrowser,
  until,
} from "../support/browser.ts";
import { type ControlDaemon, startControlled } from "../support/control_daemon.ts";
import { Daemon } from "../support/daemon.ts";
import { ERR, I2cGuest, read, write } from "../support/i2c_driver.ts";
import { startPanel } from "../support/panel.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: lid, direction: input, value: 1 }
        - { name: button, direction: input }
        - { name: relay }
        - { name: relay sense }
      wires: [{ from: relay, to: relay sense }]
`;

const OTHER_LINES = LINES.replace("{ name: relay }", "{ name: relay, value: 1 }")
  .replaceAll("relay", "heater");

const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: 24c02, address: 0x50, name: eeprom }
        - { part: tmp75, address: 0x48, name: sensor, temperature: 36.5 }
        - { part: ssd1306, address: 0x3c, name: display }
`;

/** An element: these tests do not know the types of a browser. */
// deno-lint-ignore no-explicit-any
type Any = any;

/** What tests of this file have to do with; the browser is started once. */
interface World {
  readonly gpio: ControlDaemon;
  readonly i2c: ControlDaemon;
  readonly address: string;
  open(options?: Parameters<TestBrowser["open"]>[1]): Promise<Opened>;
}

/** A way to a port of this machine that can be cut. */
class Tunnel implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  #isCut = false;

  constructor(port: number) {
    this.#serve(port);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  cut(): void {
    this.#isCut = true;
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // It has ended by itself.
      }
    }
    this.#open.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#listener.close();
  }

  async #serve(port: number): Promise<void> {
    for await (const near of this.#listener) {
      if (this.#isCut) {
        near.close();
        continue;
      }
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      for (const connection of [near, far]) this.#open.add(connection);
      for (const [from, to] of [[near, far], [far, near]]) {
        from.readable.pipeTo(to.writable).catch(() => {});
      }
    }
  }
}

/** In the page: the times between its frames from now on, in milliseconds. */
const FRAMES = `
  globalThis.frames = [];
  let before = performance.now();
  requestAnimationFrame(function next(now) {
    frames.push(now - before);
    before = now;
    requestAnimationFrame(next);
  });
  undefined`;

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1];
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  await using gpio = await startControlled("gpio", LINES);
  await using i2c = await startControlled("i2c", PARTS);
  await using panel = await startPanel([gpio.path, i2c.path]);
  await using browser = await TestBrowser.start();
  const { address } = panel;
  await use({
    gpio,
    i2c,
    address,
    async open(options) {
      const opened = await browser.open(address, options);
      await connected(opened.page);
      return opened;
    },
  });
}

/** All daemons are connected. */
async function connected(page: Page): Promise<void> {
  await page.locator("#daemons > [data-state=open]").nth(1).waitFor();
}

function lampOf(page: Page, line: string) {
  return page.locator(".row", { has: page.getByText(line, { exact: true }) }).locator(".lamp");
}

async function isLit(page: Page, line: string, lit: boolean): Promise<void> {
  await lampOf(page, line).and(page.locator(`[data-on="${Number(lit)}"]`)).waitFor();
}

Deno.test("panel: what is clicked in a page is seen by others, and by clients", async () => {
  await withWorld(async ({ gpio, i2c, open, address }) => {
    await using one = await open();
    await using other = await open({ colorScheme: "dark" });
    using client = await gpio.connect();
    await client.call("subscribe", { things: ["button"] });
    await one.page.getByRole("switch", { name: "lid" }).click();
    await isLit(other.page, "lid", false);
    assertEquals(await client.call("get", { names: ["lid"] }), { lid: 0 });
    await other.page.getByRole("button", { name: "Pulse button" }).click();
    assertEquals([(await client.event()).value, (await client.event()).value], [1, 0]);

    // A slider sets, and follows what others set.
    using parts = await i2c.connect();
    await one.page.getByRole("slider", { name: "sensor.temperature" }).fill("85");
    const field = ({ page }: Opened) =>
      page.getByRole("spinbutton", { name: "sensor.temperature in °C" });
    await until(async () => await field(other).inputValue() === "85");
    assertEquals(await parts.call("get", { names: ["sensor.temperature"] }), {
      "sensor.temperature": 85,
    });
    await parts.call("set", { values: { "sensor.temperature": -10.25 } });
    await until(async () => await field(one).inputValue() === "-10.25");

    // What cannot be is said.
    await field(one).fill("1000");
    await one.page.keyboard.press("Enter");
    await one.page.getByRole("status").getByText("expected a temperature from -55 to 125 °C")
      .waitFor();

    for (const { errors, requests } of [one, other]) {
      assertEquals(errors, []);
      const base = new URL(address).host;
      assert(requests.length > 15, `${requests.length} requests`);
      assertEquals(requests.filter((it) => new URL(it).host !== base), []);
    }
  });
});

Deno.test("panel: a page whose connections are cut says so, comes back, and knows how things are then", async () => {
  await using gpio = await startControlled("gpio", LINES);
  await using panel = await startPanel([gpio.path]);
  using tunnel = new Tunnel(Number(new URL(panel.address).port));
  await using browser = await TestBrowser.start();
  const address = panel.address.replace(/:\d+/, `:${tunnel.port}`);
  await using opened = await browser.open(address);
  const { page } = opened;
  await isLit(page, "lid", true);
  tunnel.cut();
  const lost = page.locator("#lost");
  await lost.getByText("the connection to the panel is lost; trying again").waitFor();
  await page.getByRole("status").getByText("lost").waitFor();
  // What cannot be used is not offered.
  const lid = page.getByRole("switch", { name: "lid" });
  assert(await lid.evaluate((it: Any) => it.closest("[inert]") !== null));
  using client = await gpio.connect();
  await client.call("set", { values: { lid: 0 } });
  tunnel.mend();
  await isLit(page, "lid", false);
  await lost.waitFor({ state: "hidden" });
  await page.getByRole("switch", { name: "lid" }).click();
  await isLit(page, "lid", true);
});

Deno.test("panel: a daemon that goes is waited for, and shown as it is when it comes again", async () => {
  using folder = new TemporaryFolder();
  const control = folder.file("control");
  const start = (config: string) => {
    Deno.writeTextFileSync(folder.file("gpio.yaml"), config);
    const args = ["--config", folder.file("gpio.yaml"), "--control", control];
    return Daemon.start("vhost-device-gpio", args);
  };
  const first = await start(LINES);
  await using panel = await startPanel([control]);
  await using browser = await TestBrowser.start();
  await using opened = await browser.open(panel.address);
  const { page } = opened;
  await isLit(page, "button", false);
  await first.stop();
  await first[Symbol.asyncDispose]();
  await page.locator("#lost").getByText("gpio: the daemon is away; waiting for it").waitFor();
  await using _second = await start(OTHER_LINES);
  await isLit(page, "heater", true);
  await page.locator("#lost").waitFor({ state: "hidden" });
  assertEquals(await page.getByText("relay", { exact: true }).count(), 0);
});

Deno.test("panel: 1,000 changes a second leave the page responsive", async () => {
  await withWorld(async ({ gpio, open }) => {
    await using opened = await open();
    const { page } = opened;
    using client = await gpio.connect();
    using other = await gpio.connect();
    await other.call("subscribe", { things: ["lid"] });
    let isDone = false;
    let count = 0;
    const flood = (async () => {
      const begin = performance.now();
      while (!isDone) {
        // So many as are due.
        for (const due = performance.now() - begin; count < due; count++) {
          await client.call("set", { values: { button: count % 2 } });
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return count / (performance.now() - begin) * 1000;
    })();
    await page.evaluate(FRAMES);
    const answers: number[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const before = performance.now();
      await page.getByRole("switch", { name: "lid" }).click();
      await other.event();
      answers.push(performance.now() - before);
      await isLit(page, "lid", turn % 2 === 1);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    const gaps = await page.evaluate("frames") as number[];
    isDone = true;
    const rate = await flood;
    assert(rate > 900, `${Math.round(rate)} changes a second`);
    // The end of it is what is shown.
    await isLit(page, "button", (count - 1) % 2 === 1);
    const [answer, gap] = [median(answers), median(gaps)];
    assert(answer < 150, `a click takes ${Math.round(answer)} ms`);
    assert(gap < 50, `a frame takes ${Math.round(gap)} ms, of ${gaps.length}`);
    assertEquals(await page.getByText("came too fast").count(), 0);
  });
});

const SIZES: Readonly<Record<string, BrowserContextOptions>> = {
  "a desk": { viewport: { width: 1280, height: 900 } },
  "a desk at night": { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  "a phone": { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  "a phone at night": { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
};

Deno.test("panel: axe-core finds nothing serious, and nothing is wider than the page", async (test) => {
  await withWorld(async ({ open }) => {
    for (const [where, options] of Object.entries(SIZES)) {
      await test.step(where, async () => {
        await using opened = await open(options);
        const { page } = opened;
        for (const details of await page.locator("summary").all()) await details.click();
        await page.getByRole("button", { name: "Pulse button" }).click();
        await until(async () => await page.locator("[data-pressed]").count() === 0);
        assertEquals(await seriousFaults(page), []);
        const [content, width] = await page.evaluate(
          "[document.documentElement.scrollWidth, innerWidth]",
        ) as number[];
        assert(content <= width, `${content} of ${width} pixels`);
        assertEquals(opened.errors, []);
      });
    }
  });
});

Deno.test("panel: all of it can be done with the keyboard", async () => {
  await withWorld(async ({ gpio, i2c, open }) => {
    await using opened = await open();
    const { page } = opened;
    /** Goes on with Tab until that has the focus. */
    const reach = async (role: "switch" | "button" | "slider" | "textbox", name: string) => {
      const wanted = page.getByRole(role, { name, exact: true });
      for (let count = 0; count < 200; count++) {
        await page.keyboard.press("Tab");
        if (await wanted.evaluate((it: Any) => it.matches(":focus"))) return wanted;
      }
      throw new Error(`${role} ${name} is not reached`);
    };
    using lines = await gpio.connect();
    using parts = await i2c.connect();
    await lines.call("subscribe", { things: ["button"] });
    await reach("switch", "lid");
    await page.keyboard.press("Space");
    await isLit(page, "lid", false);
    await reach("button", "Pulse button");
    await page.keyboard.press("Enter");
    assertEquals([(await lines.event()).value, (await lines.event()).value], [1, 0]);
    await reach("slider", "sensor.temperature");
    await page.keyboard.press("ArrowRight");
    const temperature = async () =>
      (await parts.call("get", { names: ["sensor.temperature"] }))["sensor.temperature"];
    await until(async () => await temperature() === 36.5625);
  });
});

Deno.test("panel: bytes are shown, written, and marked where they have changed", async () => {
  await withWorld(async ({ i2c, open }) => {
    await using opened = await open();
    const { page } = opened;
    using client = await i2c.connect();
    const card = page.getByRole("region", { name: "eeprom" });
    const row = card.getByRole("row", { name: "20" });
    await row.getByText("................".replaceAll(".", "·")).waitFor();
    await client.call("write", { name: "eeprom", at: 0x22, data: "ff68656c6c6f" });
    await card.locator("td.fresh").nth(4).waitFor();
    // The first of them is what it was.
    assertEquals(await card.locator("td.fresh").allTextContents(), ["68", "65", "6c", "6c", "6f"]);
    await card.getByText("Write bytes").click();
    await card.getByLabel("from", { exact: true }).fill("0x30");
    await card.getByLabel("bytes", { exact: true }).fill("01 02 03");
    await card.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByRole("status").getByText("3 bytes of eeprom.contents are written").waitFor();
    assertEquals(await client.call("read", { name: "eeprom", at: 0x30, length: 4 }), {
      at: 0x30,
      data: "010203ff",
    });
    await card.getByRole("button", { name: "Clear marks" }).click();
    await until(async () => await card.locator(".fresh, .changed").count() === 0);
  });
});

Deno.test("panel: transactions are listed, found and paused; faults strike; pictures are seen", async () => {
  await withWorld(async ({ i2c, open }) => {
    await using opened = await open();
    const { page } = opened;
    using guest = new I2cGuest(i2c.daemon.connect());
    const log = page.getByRole("region", { name: "Bus transactions" }).getByRole("row");
    const text = (what: string) => log.filter({ hasText: what });
    await page.getByText("i2c: guest 0 ready").waitFor();
    guest.transfer(write(0x50, 0x10, 0xab, 0xcd));
    guest.transfer(write(0x48, 0), read(0x48, 2));
    await text("i2c: guest 0, address 0x50write 10 ab cd").waitFor();
    await text("i2c: guest 0, address 0x48write 00, read 24 80").waitFor();

    await page.getByLabel("Filter").fill("0x50");
    await until(async () => await log.count() === 2);
    await page.getByLabel("Filter").fill("abcd");
    await until(async () => await log.count() === 2);
    await page.getByLabel("Filter").fill("");

    const card = page.getByRole("region", { name: "sensor" });
    await card.getByText("Inject a fault").click();
    await card.getByRole("button", { name: "Inject into sensor" }).click();
    await page.getByRole("status").getByText("nak strikes sensor the next time").waitFor();
    assertEquals(guest.transfer(read(0x48, 2))[0].status, ERR);
    await text("failed").waitFor();

    await page.getByRole("button", { name: "Pause" }).click();
    for (let turn = 0; turn < 3; turn++) guest.transfer(write(0x48, 0));
    await page.getByText("paused, 3 have come since").waitFor();
    const paused = await log.count();
    await page.getByRole("button", { name: "Pause" }).click();
    await until(async () => await log.count() === paused + 3);

    // On, with both directions remapped; a bar eight pixels high at the upper left corner.
    guest.transfer(write(0x3c, 0x00, 0xaf, 0xa1, 0xc8, 0x20, 0x00));
    guest.transfer(write(0x3c, 0x40, ...new Array(16).fill(0xff)));
    const lit = (canvas: Any) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, 128, 64);
      return data.filter((byte: number, at: number) => at % 4 === 1 && byte > 0).length;
    };
    await until(async () => await page.locator("canvas.picture").evaluate(lit) === 16 * 8);
  });
});
