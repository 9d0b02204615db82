/**
 * The page in a real browser, in front of a real guest.
 *
 * It leaves a picture of the page in `dist/panel.png`, from which "make picture" makes the one in the
 * README.
 */

import { assert, assertEquals } from "@std/assert";
import { type Opened, TestBrowser, until } from "../support/browser.ts";
import { startControlled } from "../support/control_daemon.ts";
import { startPanel } from "../support/panel.ts";
import { guestOutput } from "../support/uml.ts";

const LINES = `
guests:
  - simulated:
      lines:
        - { name: button, direction: input }
        - { name: lid, direction: input, value: 1 }
        - { name: heater }
        - { name: fan }
        - { name: fan sense }
      wires: [{ from: fan, to: fan sense }]
`;

const PARTS = `
adapters:
  - simulated:
      parts:
        - { part: tmp75, address: 0x48, name: sensor, temperature: 36.5 }
        - { part: ssd1306, address: 0x3c, name: display }
        - { part: 24c02, address: 0x50, name: eeprom }
`;

/** How often the button is pressed, in the page and by another client. */
const PRESSES = 9;
const OTHER_PRESSES = 5;
/** How often the heater is switched. */
const TURNS = 12;
/** Within this a switch reaches the guest, and a change in the guest the page, in milliseconds. */
const LIMIT = 50;

/** A page of the display's memory, of which each byte is eight pixels of a column. */
function displayPage(page: number): string {
  const lit = (x: number, y: number) =>
    y === 0 || y === 63 || x === 0 || x === 127 ||
    Math.abs(y - 32 - 22 * Math.sin(x / 10) * Math.exp(-x / 90)) < 1.5 || (y === 32 && x % 4 === 0);
  const bytes = Array.from({ length: 128 }, (_, x) => {
    const bits = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => Number(lit(x, 8 * page + bit)) << bit);
    return `0x${bits.reduce((sum, bit) => sum + bit).toString(16)}`;
  });
  return `i2ctransfer -y 0 w129@0x3c 0x40 ${bytes.join(" ")}`;
}

const SCRIPT = `
  echo tmp75 0x48 >/sys/bus/i2c/devices/i2c-0/new_device
  echo 24c02 0x50 >/sys/bus/i2c/devices/i2c-0/new_device
  gpiomon -e rising --event-clock realtime --format '%e %S' -n ${
  PRESSES + OTHER_PRESSES
} -c 0 button
  printf 'hello from the guest' >/sys/bus/i2c/devices/0-0050/eeprom
  i2ctransfer -y 0 w7@0x3c 0x00 0xaf 0xa1 0xc8 0x20 0x00 0xe3
  ${Array.from({ length: 8 }, (_, page) => displayPage(page)).join("\n")}
  cat /sys/class/hwmon/hwmon0/temp1_input
  gpioset -t 400ms,300ms,1500ms,0 -c 0 fan=1 &
  gpioset -t ${"110ms,".repeat(TURNS - 1)}0 -c 0 heater=1
  wait
  gpiomon --format '%e' -n 1 -c 0 lid
`;

/** In the page: when its button was clicked, and its lamp changed, in milliseconds since 1970. */
const WATCH = `
  globalThis.clicks = [];
  addEventListener("click", () => clicks.push(Date.now()), true);
  globalThis.turns = [];
  const [row] = [...document.querySelectorAll(".row")].filter((it) =>
    it.querySelector("strong")?.textContent === "heater"
  );
  new MutationObserver(() => turns.push(Date.now()))
    .observe(row.querySelector(".lamp"), { attributeFilter: ["data-on"] });
  undefined`;

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1];
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("panel: a click reaches the guest and what the guest does the page, soon, and in two pages", async () => {
  await using gpio = await startControlled("gpio", LINES);
  await using i2c = await startControlled("i2c", PARTS);
  await using panel = await startPanel([gpio.path, i2c.path]);
  await using browser = await TestBrowser.start();
  const viewport = { width: 1280, height: 900 };
  await using one = await browser.open(panel.address, { viewport });
  await using other = await browser.open(panel.address, { viewport, colorScheme: "dark" });
  const { page } = one;
  await page.getByRole("switch", { name: "button" }).waitFor();
  await page.evaluate(WATCH);
  using client = await gpio.connect();

  const output = guestOutput(SCRIPT, {
    devices: [[gpio.daemon.socket(), "gpio"], [i2c.daemon.socket(), "i2c"]],
    limit: 120,
  });
  // The guest comes, and waits for edges of the button.
  await page.getByText("gpio: guest 0 ready").waitFor();
  const rows = ({ page }: Opened, name: string) =>
    page.locator(".row", { has: page.getByText(name, { exact: true }) });
  await rows(one, "button").getByText("rising").waitFor({ timeout: 60_000 });

  // When it is pressed by a client; the guest has a clock of its own.
  const begins: number[] = [];
  for (let press = 0; press < OTHER_PRESSES; press++) {
    begins.push(Date.now());
    await client.call("pulse", { name: "button", milliseconds: 20 });
    await pause(30);
  }
  await client.call("subscribe", { things: ["heater"] });
  await page.getByLabel("press for").selectOption("20 ms");
  await page.evaluate("clicks.length = 0");
  for (let press = 0; press < PRESSES; press++) {
    await page.getByRole("button", { name: "Pulse button" }).click();
    await page.locator("[data-pressed]").waitFor({ state: "detached" });
    await pause(30);
  }
  const clicks = await page.evaluate("clicks") as number[];

  // What the guest has written stands in both pages, marked.
  for (const opened of [one, other]) {
    const card = opened.page.getByRole("region", { name: "eeprom" });
    await card.getByText("hello from the g").waitFor();
    const text = [..."hello from the guest"].map((it) => it.charCodeAt(0).toString(16));
    const marked = card.locator("td.fresh, td.changed").filter({ hasNotText: /\W/ });
    assertEquals(await marked.allTextContents(), text);
    await rows(opened, "fan").getByText("guest").waitFor();
    // Who drives a line is the guest, and where it is wired to, the wire: nothing is to be switched.
    for (const name of ["fan", "fan sense"]) {
      assertEquals(await rows(opened, name).getByRole("switch").count(), 0);
    }
  }

  const changes: number[] = [];
  while (changes.length < TURNS) {
    const { name, time } = await client.event();
    if (name === "heater") changes.push(time * 1000);
  }
  const turnsSeen = async () => await page.evaluate("turns") as number[];
  await until(async () => (await turnsSeen()).length >= TURNS);
  const turns = await turnsSeen();
  await page.evaluate("scrollTo(0, 0)");
  Deno.mkdirSync("dist", { recursive: true });
  await page.screenshot({ path: "dist/panel.png", fullPage: true, animations: "disabled" });

  await rows(other, "lid").getByText("both").waitFor();
  await other.page.getByRole("switch", { name: "lid" }).click();
  const printed = (await output).trim().split("\n");
  // One is falling: the lid is open.
  assertEquals(printed.at(-1), "2");
  assertEquals(printed.at(-2), "36500");
  const edges = printed.slice(0, -2).map((line) => line.split(" ").map(Number));
  assertEquals(edges.map(([edge]) => edge), edges.map(() => 1));
  const rises = edges.map(([, time]) => time * 1000);
  assertEquals(rises.length, OTHER_PRESSES + clicks.length);
  // What the guest's clock is ahead by, at most: a client's press takes some time, too.
  const ahead = Math.min(...begins.map((begin, press) => rises[press] - begin));
  const there = median(clicks.map((click, press) => rises[OTHER_PRESSES + press] - ahead - click));
  const back = median(changes.map((change, turn) => turns[turn] - change));
  console.log(`to the guest ${there.toFixed(1)} ms, to the page ${back.toFixed(1)} ms`);
  assert(there < LIMIT, `a click reaches the guest after ${there} ms`);
  assert(back < LIMIT, `the page shows a change after ${back} ms`);
  await page.getByText("gpio: guest 0 waiting").waitFor();
  for (const { errors } of [one, other]) assertEquals(errors, []);
});
