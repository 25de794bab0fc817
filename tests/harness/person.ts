/** Somebody with a fresh browser of their own, which they can close and open again. */
import type { BrowserContext, Page } from "playwright-core";
import { type BrowserOptions, openBrowser } from "./browser.ts";
import { notes, type Visitor, type VisitorOptions } from "./visitor.ts";

export interface Person extends Visitor {
  /** Where the browser keeps what it keeps. */
  readonly profile: string;
  /** Closes the browser and opens it again with the same profile, at `path` (or where it was). */
  reopen(path?: string): Promise<void>;
  /** Closes the browser; the profile stays. `reopen` brings it back. */
  leave(): Promise<void>;
  /** Closes the browser and removes the profile. */
  close(): Promise<void>;
}

export type PersonOptions = VisitorOptions & Omit<BrowserOptions, "profile">;

/** The driver does not always hear that a browser has ended, ms. */
const CLOSING_MS = 30_000;

/** A new person at `url`, in a browser that nobody used before. */
export async function freshPerson(options: PersonOptions): Promise<Person> {
  const { url, path = "/", ...browser } = options;
  const profile = await Deno.makeTempDir({ prefix: "whisper-browser-" });
  const { problems, expectNoProblems, watch } = notes(url);
  let context: BrowserContext | undefined;
  let page: Page;
  const open = async (at: string) => {
    context = await openBrowser({ ...browser, profile });
    watch(context);
    page = context.pages()[0] ?? await context.newPage();
    await page.goto(at);
  };
  const leave = async () => {
    const closing = context?.close();
    context = undefined;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, CLOSING_MS);
    await Promise.race([closing, enough]);
    clearTimeout(patience);
  };
  const close = async () => {
    await leave();
    await Deno.remove(profile, { recursive: true });
  };
  try {
    await open(new URL(path, url).href);
  } catch (error) {
    await close();
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
    expectNoProblems,
    reopen: async (at) => {
      const former = page.url();
      await leave();
      await open(at ? new URL(at, url).href : former);
    },
    leave,
    close,
  };
}
