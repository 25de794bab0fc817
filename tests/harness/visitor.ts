/** Somebody with a fresh window in a browser, whose troubles are noted. */
import { deepEqual } from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { openWindow, type WindowOptions } from "./browser.ts";

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests to anybody but the relay, errors the page did not catch, and errors on the console. */
  readonly problems: readonly string[];
  /** Fails when there were problems, those that match `expected` excepted. */
  expectNoProblems(...expected: RegExp[]): void;
  /** Ends the visit: nothing of it stays. */
  close(): Promise<void>;
}

export interface VisitorOptions extends WindowOptions {
  /** Origin of the relay; also the only one that may be asked for anything. */
  readonly url: string;
  /** Where to begin; `/` when not given. */
  readonly path?: string;
}

/** Opens `url` for somebody who was never there. */
export async function freshVisitor(
  { url, path = "/", ...options }: VisitorOptions,
): Promise<Visitor> {
  const { context, close } = await openWindow(options);
  try {
    const { problems, expectNoProblems, watch } = notes(url);
    watch(context);
    const page = await context.newPage();
    await page.goto(new URL(path, url).href);
    return { page, context, problems, expectNoProblems, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A list of problems, empty yet, and what fills it with those of a browser that visits `url`. */
export function notes(url: string) {
  const problems: string[] = [];
  const relay = new URL(url);
  return {
    problems,
    expectNoProblems: (...expected: RegExp[]) =>
      deepEqual(
        problems.filter((problem) =>
          !expected.some((one) => one.test(problem))
        ),
        [],
      ),
    watch: (context: BrowserContext) => {
      context.on("request", (request) => {
        const { protocol, host } = new URL(request.url());
        const own = host === relay.host || protocol === "blob:" ||
          protocol === "data:";
        if (!own) problems.push(`request to ${request.url()}`);
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
    },
  };
}
