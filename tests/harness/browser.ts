/** Chromium as a person uses it: a profile on disk that survives closing the browser. */
import { type BrowserContext, chromium } from "playwright-core";

/** Debian's Chromium, or what CHROMIUM names. */
export function chromiumPath(): string {
  return Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  /** The profile's directory; opened again later it is the same browser. */
  readonly profile: string;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
  /** More command-line flags. */
  readonly flags?: readonly string[];
  readonly ignoreHTTPSErrors?: boolean;
}

export function openBrowser(options: BrowserOptions): Promise<BrowserContext> {
  const {
    profile,
    flags = [],
    viewport = { width: 1280, height: 800 },
    ...rest
  } = options;
  return chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: [...FLAGS, ...flags],
    viewport,
    ...rest,
  });
}
