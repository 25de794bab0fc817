/** Somebody with a fresh browser of their own, whose troubles are noted. */
import { deepEqual } from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { type BrowserOptions, openBrowser } from "./browser.ts";

export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Where the browser keeps what it keeps. */
  readonly profile: string;
  /** Requests to anybody but the relay, errors the page did not catch, and errors on the console. */
  readonly problems: readonly string[];
  /** Fails when there were problems, those that match `expected` excepted. */
  expectNoProblems(...expected: RegExp[]): void;
  /** Closes the browser and opens it again with the same profile, at `path` (or where it was). */
  reopen(path?: string): Promise<void>;
  /** Closes the browser; the profile stays. `reopen` brings it back. */
  leave(): Promise<void>;
  /** Closes the browser and removes the profile. */
  close(): Promise<void>;
}

export type PersonOptions = Omit<BrowserOptions, "profile"> & {
  /** Origin of the relay; also the only one that may be asked for anything. */
  readonly url: string;
  /** Where to begin; `/` when not given. */
  readonly path?: string;
};

/** A new person at `url`, in a browser that nobody used before. */
export async function freshPerson(options: PersonOptions): Promise<Person> {
  const { url, path = "/", ...browser } = options;
  const profile = await Deno.makeTempDir({ prefix: "whisper-browser-" });
  const problems: string[] = [];
  let context: BrowserContext | undefined;
  let page: Page;
  const open = async (at: string) => {
    context = await openBrowser({ ...browser, profile });
    watch(context, new URL(url), problems);
    page = context.pages()[0] ?? await context.newPage();
    await page.goto(at);
  };
  const leave = async () => {
    await context?.close();
    context = undefined;
  };
  try {
    await open(new URL(path, url).href);
  } catch (error) {
    await leave();
    await Deno.remove(profile, { recursive: true });
    throw error;
  }
  return {
    get page() {
      return page;
    },
    get context() {
      if (!context) throw new Error("This person's browser is closed");
      return context;
    },
    profile,
    problems,
    expectNoProblems: (...expected) =>
      deepEqual(
        problems.filter((problem) =>
          !expected.some((one) => one.test(problem))
        ),
        [],
      ),
    reopen: async (at) => {
      const former = page.url();
      await leave();
      await open(at ? new URL(at, url).href : former);
    },
    leave,
    close: async () => {
      await leave();
      await Deno.remove(profile, { recursive: true });
    },
  };
}

function watch(context: BrowserContext, relay: URL, problems: string[]): void {
  context.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (host !== relay.host && protocol !== "blob:" && protocol !== "data:") {
      problems.push(`request to ${request.url()}`);
    }
  });
  context.on(
    "weberror",
    (error) => problems.push(`uncaught: ${error.error().stack}`),
  );
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      problems.push(`console ${message.type()}: ${message.text()}`);
    }
  });
}
