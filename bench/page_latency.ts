/** From Enter in one page to the text on the screen in the other, both online, through the built server. */
import type { Page } from "playwright-core";
import { withTwo } from "./page_people.ts";
import { printTable, quantile } from "./page_table.ts";

const MESSAGES = 200;
const ECHOES = 300;

/** Times in ms since the epoch by the page's own clock, which is finer than Date. */
interface Seen {
  /** The text is in the document. */
  readonly inserted: number;
  /** The frame with it was handed over to be shown. */
  readonly painted: number;
}

export async function measureLatency(): Promise<void> {
  await withTwo(async ({ ada, bjorn }) => {
    const pages = { ada: ada.page, bjorn: bjorn.page };
    const echo = await Echo.start(pages);
    try {
      const before = await echo.measure();
      const commits = await measureCommits(ada.page);
      const samples = await talk(pages, before.offset);
      const after = await echo.measure();
      const oneWay = [...before.oneWay, ...after.oneWay];
      const drift = Math.abs(after.offset - before.offset);
      printTable(
        `Page to page: ${MESSAGES} texts one at a time, both online, loopback; clocks of the pages compared to ${
          (echo.uncertainty + drift).toFixed(2)
        } ms`,
        [
          ...rows("Enter to shown in the other page", samples.painted, oneWay, {
            p50: [30, 10],
            p99: [100, 40],
          }),
          ...rows(
            "Enter to inserted in the other page",
            samples.inserted,
            oneWay,
          ),
          ...rows("Enter to inserted in the own page", samples.own, oneWay),
          ...rows(
            "for comparison: one strict IndexedDB commit in the page",
            commits,
            oneWay,
          ),
        ],
        "bare WebSocket, 512 bytes, between the same two pages through one process",
      );
    } finally {
      await echo.stop();
    }
  });
}

function rows(
  what: string,
  samples: readonly number[],
  beside: readonly number[],
  wanted: { p50?: [number, number]; p99?: [number, number] } = {},
) {
  return ([["p50", 0.5], ["p99", 0.99]] as const).map(([name, share]) => ({
    what: `${what}, ${name}`,
    value: quantile(samples, share),
    unit: "ms",
    beside: quantile(beside, share),
    atLeast: wanted[name]?.[0],
    aim: wanted[name]?.[1],
  }));
}

type Pages = { readonly ada: Page; readonly bjorn: Page };

/** `offset`: what Björn's clock is ahead of Ada's, ms. */
async function talk({ ada, bjorn }: Pages, offset: number) {
  await Promise.all([watch(ada), watch(bjorn)]);
  await ada.evaluate(() => {
    document.addEventListener("keydown", ({ key, timeStamp }) => {
      if (key === "Enter") {
        Object.assign(globalThis, {
          pressedAt: performance.timeOrigin + timeStamp,
        });
      }
    }, true);
  });
  const field = ada.getByRole("textbox", { name: "Message" });
  const painted: number[] = [];
  const inserted: number[] = [];
  const own: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const text = `Message ${i} of some, about as long as people write them`;
    await field.fill(text);
    // Not in step with frames, nor with what the message before left behind.
    await ada.waitForTimeout(50 + Math.random() * 100);
    await field.press("Enter");
    const [here, there] = await Promise.all([
      seen(ada, text),
      seen(bjorn, text),
    ]);
    const pressed = await ada.evaluate(() =>
      (globalThis as unknown as { pressedAt: number }).pressedAt
    );
    painted.push(there.painted - offset - pressed);
    inserted.push(there.inserted - offset - pressed);
    own.push(here.inserted - pressed);
  }
  return { painted, inserted, own };
}

/** What `watch` leaves in a page. */
type Watching = { seen(text: string): Promise<Seen> };

/** Notes when texts appear in the log of messages. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const found = new Map<string, Promise<Seen>>();
    const asked = new Map<string, (seen: Promise<Seen>) => void>();
    const now = () => performance.timeOrigin + performance.now();
    const appeared = (text: string) => {
      const inserted = now();
      const seen = new Promise<Seen>((resolve) =>
        requestAnimationFrame(() => {
          // A task queued from a frame's callback runs when that frame is done.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve({ inserted, painted: now() });
          port2.postMessage(undefined);
        })
      );
      found.set(text, seen);
      asked.get(text)?.(seen);
    };
    const log = document.querySelector("[role=log]");
    if (!log) throw new Error("no conversation is open");
    new MutationObserver(() => {
      // All of the log would take a while.
      const last = log.querySelector(".log-content")?.lastElementChild;
      const words = last?.querySelectorAll(".bubble-words") ?? [];
      for (const { textContent } of [...words].slice(-3)) {
        if (textContent && !found.has(textContent)) appeared(textContent);
      }
    }).observe(log, { childList: true, subtree: true });
    Object.assign(globalThis, {
      seen: (text: string) =>
        found.get(text) ?? new Promise((resolve) => asked.set(text, resolve)),
    });
  });
}

function seen(page: Page, text: string): Promise<Seen> {
  return page.evaluate(
    (text) => (globalThis as unknown as Watching).seen(text),
    text,
  );
}

/** What the disk takes: two of these lie between Enter and the other screen. */
function measureCommits(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const opening = indexedDB.open("bench");
    opening.onupgradeneeded = () => opening.result.createObjectStore("records");
    const database = await done(opening);
    const took: number[] = [];
    for (let i = 0; i < 100; i++) {
      const start = performance.now();
      const transaction = database.transaction("records", "readwrite", {
        durability: "strict",
      });
      transaction.objectStore("records").put(new Uint8Array(512), i);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      took.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    database.close();
    indexedDB.deleteDatabase("bench");
    return took;
  });
}

/** What `Echo` leaves in a page. */
type Echoing = { trip(): Promise<readonly [number, number, number]> };

/** The reference, and the difference between the clocks of the pages, from the same round trips. */
class Echo {
  readonly #process: Deno.ChildProcess;
  readonly #pages: Pages;
  /** ms; half of the fastest round trip. */
  uncertainty = Infinity;

  private constructor(process: Deno.ChildProcess, pages: Pages) {
    this.#process = process;
    this.#pages = pages;
  }

  static async start(pages: Pages): Promise<Echo> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--allow-net",
        new URL("page_echo.ts", import.meta.url).pathname,
      ],
      stdout: "piped",
    }).spawn();
    const echo = new Echo(process, pages);
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    const port = Number(new TextDecoder().decode(value));
    reader.releaseLock();
    for (const [name, page] of Object.entries(pages)) {
      // The page's own policy allows it no other process to talk to.
      const session = await page.context().newCDPSession(page);
      await session.send("Page.setBypassCSP", { enabled: true });
      await page.reload();
      await page.getByRole("log", { name: "Messages" }).waitFor();
      await page.evaluate(connectEcho, [port, name === "bjorn"] as const);
    }
    return echo;
  }

  async measure(): Promise<{ oneWay: number[]; offset: number }> {
    const trips = [];
    for (let i = 0; i < ECHOES; i++) {
      trips.push(
        await this.#pages.ada.evaluate(() =>
          (globalThis as unknown as Echoing).trip()
        ),
      );
    }
    const [[start, turn, end]] = trips.toSorted((a, b) =>
      (a[2] - a[0]) - (b[2] - b[0])
    );
    this.uncertainty = Math.min(this.uncertainty, (end - start) / 2);
    return {
      oneWay: trips.map(([start, , end]) => (end - start) / 2),
      offset: turn - (start + end) / 2,
    };
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.stdout.cancel();
    await this.#process.status;
  }
}

/** Runs in the page. The one that answers puts its time into what it sends back. */
async function connectEcho(
  [port, answers]: readonly [number, boolean],
): Promise<void> {
  const now = () => performance.timeOrigin + performance.now();
  const socket = new WebSocket(`ws://localhost:${port}`);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  if (answers) {
    socket.onmessage = ({ data }) => {
      new Float64Array(data)[0] = now();
      socket.send(data);
    };
  }
  Object.assign(globalThis, {
    trip: () =>
      new Promise((resolve) => {
        let start = 0;
        socket.onmessage = ({ data }) => {
          const end = now();
          resolve([start, new Float64Array(data)[0], end]);
        };
        start = now();
        socket.send(new Uint8Array(512));
      }),
  });
}
