/** Somebody with a Firefox of their own, driven over WebDriver BiDi: Tor Browser is a Firefox. */
import puppeteer, { type ElementHandle, type Page } from "puppeteer-core";
import { PATIENCE } from "./browser.ts";

/** Debian's Firefox ESR, or what FIREFOX names. */
export function firefoxPath(): string {
  return Deno.env.get("FIREFOX") ?? "/usr/bin/firefox-esr";
}

export interface FirefoxVisitor {
  readonly page: Page;
  /** Errors that the page did not catch, and errors and warnings on its console. */
  readonly problems: readonly string[];
  /** Waits for what assistive technology knows by this role and name. */
  find(role: string, name: string): Promise<ElementHandle<Element>>;
  /** Presses it, once it is there and can be pressed. */
  press(role: string, name: string): Promise<void>;
  /** Writes into it, in place of what stands there. */
  fill(role: string, name: string, text: string): Promise<void>;
  /** Ends the browser; its profile goes with it. */
  close(): Promise<void>;
}

/** Opens `url` in a Firefox that nobody used before. */
export async function openFirefox(url: string): Promise<FirefoxVisitor> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: firefoxPath(),
    headless: true,
    // As in the other browsers: what moves can't be pressed before it stands still.
    extraPrefsFirefox: { "ui.prefersReducedMotion": 1 },
    // To start takes long where others start one, too.
    timeout: PATIENCE,
    defaultViewport: { width: 1280, height: 800 },
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const problems: string[] = [];
    page.on("console", (message) => {
      const type = message.type();
      if (type === "error" || type === "warn") {
        problems.push(`console ${type}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
    await page.goto(url);
    const known = (role: string, name: string) =>
      page.locator(`::-p-aria([name="${name}"][role="${role}"])`);
    return {
      page,
      problems,
      find: (role, name) => known(role, name).waitHandle(),
      press: (role, name) => known(role, name).click(),
      fill: (role, name, text) => known(role, name).fill(text),
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
