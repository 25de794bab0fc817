/** How soon a page can be read and used, and what is loaded for it. Nothing is in a cache. */
import { gzipSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import { createAccount } from "../tests/browser/conversation_steps.ts";
import { freshPerson, startRelay } from "../tests/harness/mod.ts";
import { ADA } from "./page_people.ts";
import { printTable, quantile, type Row } from "./page_table.ts";

const VISITS = 7;
const SLOWER = 4;

/** ms since the navigation began. */
interface Ready {
  /** The prerendered page is on the screen. */
  readonly painted: number;
  /** The island has taken it over. */
  readonly hydrated: number;
  /** The landing's messenger is loaded; of an account: its conversations can be clicked. */
  readonly open: number;
}

export async function measureReady(): Promise<void> {
  const relay = await startRelay();
  const person = await freshPerson({
    url: relay.url,
    reducedMotion: "no-preference",
  });
  try {
    const { page } = person;
    const session = await page.context().newCDPSession(page);
    await page.addInitScript(noteProgress);
    const landing = await visits(page, session, relay.url, "/");
    await page.goto(relay.url);
    await createAccount(person, ADA);
    const chat = await visits(page, session, relay.url, "/chat");
    printTable(
      `Page ready: cold cache, CPU ${SLOWER} times slower, median of ${VISITS} visits, from the beginning of the navigation`,
      [
        ...rows("/", landing, "account can be made"),
        ...rows("/chat", chat, "account is open, messenger shown"),
      ],
      "the same with the CPU as it is",
    );
  } finally {
    await person.close();
    await relay.stop();
  }
}

function rows(
  path: string,
  { slow, fast }: { slow: Ready[]; fast: Ready[] },
  open: string,
): Row[] {
  const parts = {
    painted: "prerendered page painted",
    hydrated: "interactive",
    open,
  } as const;
  return (["painted", "hydrated", "open"] as const).map((part) => ({
    what: `${path} ${parts[part]}`,
    value: quantile(slow.map((ready) => ready[part]), 0.5),
    unit: "ms",
    beside: quantile(fast.map((ready) => ready[part]), 0.5),
    ...part === "painted" ? {} : { atLeast: 2_000, aim: 1_000 },
  }));
}

async function visits(
  page: Page,
  session: CDPSession,
  url: string,
  path: string,
): Promise<{ slow: Ready[]; fast: Ready[] }> {
  const slow: Ready[] = [];
  const fast: Ready[] = [];
  for (let i = 0; i < VISITS; i++) {
    for (const [rate, list] of [[SLOWER, slow], [1, fast]] as const) {
      await forget(page, session, url);
      await session.send("Emulation.setCPUThrottlingRate", { rate });
      await page.goto(url + path);
      list.push(
        await page.evaluate(() =>
          (globalThis as unknown as { ready: Promise<Ready> }).ready
        ),
      );
      await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    }
  }
  return { slow, fast };
}

/** Everything but what the person has stored: the HTTP cache and the service worker with its own. */
async function forget(page: Page, session: CDPSession, url: string) {
  await page.goto("about:blank");
  await session.send("Storage.clearDataForOrigin", {
    origin: url,
    storageTypes: "service_workers,cache_storage",
  });
  await session.send("Network.clearBrowserCache");
}

/** Runs in the page, before anything of it. */
function noteProgress(): void {
  if (location.protocol !== "http:") return;
  const painted = new Promise<number>((resolve) =>
    new PerformanceObserver((list) => {
      for (const { name, startTime } of list.getEntries()) {
        if (name === "first-contentful-paint") resolve(startTime);
      }
    }).observe({ type: "paint", buffered: true })
  );
  const when = (reached: () => boolean) =>
    new Promise<number>((resolve) => {
      const look = () => {
        if (!reached()) return;
        observer.disconnect();
        resolve(performance.now());
      };
      const observer = new MutationObserver(look);
      observer.observe(document, {
        attributes: true,
        childList: true,
        subtree: true,
      });
    });
  const loaded = () =>
    performance.getEntriesByType("resource").some(({ name }) =>
      name.includes("/assets/browser-")
    );
  // An account shows in what is on the screen; the landing looks the same before and after: there
  // it is the messenger's code that was fetched and has run, after which its database exists.
  const open = location.pathname === "/chat"
    ? when(() =>
      document.querySelector(".conversation-list, .sidebar") !== null
    )
    : new Promise<number>((resolve) => {
      const look = async () => {
        const names = loaded() ? await indexedDB.databases() : [];
        if (names.length > 0) resolve(performance.now());
        else setTimeout(look, 5);
      };
      void look();
    });
  const hydrated = when(() => {
    const islands = [...document.querySelectorAll<HTMLElement>("is-land")];
    return islands.length > 0 &&
      islands.every(({ dataset }) => dataset.ready !== undefined);
  });
  Object.assign(globalThis, {
    ready: Promise.all([painted, hydrated, open]).then((
      [painted, hydrated, open],
    ) => ({ painted, hydrated, open })),
  });
}

/** JS and CSS that a first visit asks for, gzip. */
export async function measureBytes(): Promise<void> {
  const relay = await startRelay();
  try {
    const rows: Row[] = [];
    for (const path of ["/", "/chat"]) {
      const person = await freshPerson({
        url: relay.url,
        path,
        reducedMotion: "no-preference",
      });
      try {
        await person.page.waitForLoadState("networkidle");
        const names = await person.page.evaluate(() =>
          performance.getEntriesByType("resource").map(({ name }) =>
            new URL(name).pathname
          )
        );
        const files = [...new Set(names)].filter((name) =>
          /\.(js|css)$/.test(name) && name !== "/sw.js"
        );
        const sizes = await Promise.all(files.map(async (name) => {
          const response = await fetch(relay.url + name);
          return gzipSync(await response.bytes()).length / 1024;
        }));
        rows.push({
          what: `first load of ${path}, ${files.length} files`,
          value: sizes.reduce((sum, size) => sum + size),
          unit: "KB",
          atLeast: 120,
          aim: 90,
        });
        if (path === "/chat") {
          for (const [i, name] of files.entries()) {
            rows.push({ what: `  ${name}`, value: sizes[i], unit: "KB" });
          }
        }
      } finally {
        await person.close();
      }
    }
    printTable("First load: JS and CSS, gzip", rows);
  } finally {
    await relay.stop();
  }
}
