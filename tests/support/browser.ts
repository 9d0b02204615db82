/**
 * A real browser: Debian's Chromium without a screen.
 *
 * @module
 */

import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

import { exists } from "./exists.ts";
import { PATIENCE } from "./wait.ts";

export type { BrowserContextOptions, Page };

/** Debian's programs, the first of which is much smaller than the other. */
const PROGRAMS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/** What a page has loaded, and what has gone wrong in it. */
export interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** The addresses of all that it has asked for. */
  readonly requests: readonly string[];
  /** Errors that nobody has caught, and those that the browser tells of, such as refused scripts. */
  readonly errors: readonly string[];
}

/** The browser. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<TestBrowser> {
    const executablePath = PROGRAMS.find(exists);
    if (executablePath === undefined) {
      throw new Error("there is no Chromium: install the package chromium-headless-shell");
    }
    // Its own sandbox takes a user other than root, and rights that containers lack.
    const args = ["--no-sandbox", "--force-color-profile=srgb"];
    return new TestBrowser(await chromium.launch({ executablePath, args }));
  }

  /** Opens a page in a profile of its own. */
  async open(address: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await this.#browser.newContext({ locale: "en-GB", ...options });
    const page = await context.newPage();
    const requests: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("websocket", (socket) => requests.push(socket.url()));
    page.on("pageerror", (error) => errors.push(`${error}`));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(address);
    return { page, requests, errors, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** What axe-core finds serious, or worse: each with where it is. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
    );
}

/** Looks at a page again and again until that is so. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
