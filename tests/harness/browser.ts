/** Chromium, as a person uses it: with a profile on disk, or a window in one that many tests share. */
import {
  type Browser,
  type BrowserContext,
  type BrowserServer,
  chromium,
} from "playwright-core";

/** Debian's Chromium, or what CHROMIUM names. */
export function chromiumPath(): string {
  return Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
}

const WITHOUT = [
  // The page of the address bar's suggestions: each window begins with two, which take longer to start than ours.
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxFullPopup",
  // What the driver switches off: of two such lists the browser takes the last.
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${WITHOUT.join(",")}`,
];

export interface WindowOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  /** A phone: a finger instead of a pointer. */
  readonly hasTouch?: boolean;
  readonly isMobile?: boolean;
  /** "reduce" when not given: what moves can't be pressed before it stands still, and keeps a core busy. */
  readonly reducedMotion?: "reduce" | "no-preference";
  /** What every connection of this window goes through; to this machine, too. */
  readonly proxy?: { readonly server: string };
}

export interface BrowserOptions extends WindowOptions {
  /** The profile's directory; opened again later it is the same browser. */
  readonly profile: string;
  /** More command-line flags. */
  readonly flags?: readonly string[];
}

/**
 * How long a test waits for what should happen, ms. Longer than anything takes, also on a machine that is
 * busy with other things: only a test that fails waits so long.
 */
export const PATIENCE = 60_000;

const USUAL = {
  viewport: { width: 1280, height: 800 },
  reducedMotion: "reduce",
} as const;

/** A browser of its own. */
export async function openBrowser(
  { profile, flags = [], ...options }: BrowserOptions,
): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: [...FLAGS, ...flags],
    ...USUAL,
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** Where the Chromium listens that the tests of a run share. */
const SHARED = "TEST_CHROMIUM";

/** Starts a Chromium to share, and gives what tells tests of it: their environment. */
export async function startSharedBrowser(): Promise<
  { readonly env: Record<string, string>; readonly server: BrowserServer }
> {
  const server = await chromium.launchServer({
    executablePath: chromiumPath(),
    args: FLAGS,
  });
  return { env: { [SHARED]: server.wsEndpoint() }, server };
}

/**
 * A window without a past, in the Chromium of this run, or in one just for it. It shares nothing with
 * another window and keeps nothing on disk. `close` ends all that was opened for it.
 */
export async function openWindow(options: WindowOptions): Promise<
  { readonly context: BrowserContext; close(): Promise<void> }
> {
  const browser = await sharedOrOwnBrowser();
  try {
    const context = await browser.newContext({ ...USUAL, ...options });
    context.setDefaultTimeout(PATIENCE);
    return { context, close: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function sharedOrOwnBrowser(): Promise<Browser> {
  const shared = Deno.env.get(SHARED);
  return shared
    ? chromium.connect(shared)
    : chromium.launch({ executablePath: chromiumPath(), args: FLAGS });
}
