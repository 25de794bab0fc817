/** A conversation of ten thousand messages: opening it, scrolling it, writing in it. */
import type { Page } from "playwright-core";
import type { Person } from "../tests/harness/mod.ts";
import { callIn } from "./page_bundle.ts";
import { withTwo } from "./page_people.ts";
import { printTable, quantile, type Row } from "./page_table.ts";

const LONG = 10_000;
const SHORT = 50;
const OPENINGS = 7;
const SCROLL_SECONDS = 8;
const PIXELS_PER_FRAME = 50;

export async function measureLong(): Promise<void> {
  await withTwo(async ({ relay, ada, bjorn }) => {
    await lengthen(ada, relay.url, LONG);
    await lengthen(bjorn, relay.url, SHORT);
    const long = await openings(ada.page, relay.url);
    const short = await openings(bjorn.page, relay.url);
    const idle = await frames(ada.page, 0);
    const cold = await frames(ada.page, PIXELS_PER_FRAME);
    const loaded = await loadAll(ada.page);
    await ada.page.evaluate(() => {
      const log = document.querySelector("[role=log]");
      if (log) log.scrollTop = -log.scrollHeight / 2;
    });
    const middle = await frames(ada.page, PIXELS_PER_FRAME);
    const rows: Row[] = [
      {
        what: `open (click to shown), median of ${OPENINGS}`,
        value: quantile(long, 0.5),
        unit: "ms",
        beside: quantile(short, 0.5),
        atLeast: 200,
        aim: 100,
      },
    ];
    for (
      const [name, taken] of [
        [
          `scrolling ${SCROLL_SECONDS} s while older ones come from the disk`,
          cold,
        ],
        [`scrolling ${SCROLL_SECONDS} s with all loaded`, middle],
      ] as const
    ) {
      rows.push(...smoothness(name, taken, idle));
    }
    printTable(
      `A conversation of ${
        LONG.toLocaleString("en")
      } messages, filled through the log on the browser's vault; ${
        PIXELS_PER_FRAME * 60
      } px/s from the page itself`,
      rows,
      `opening: one of ${SHORT} messages; scrolling: the same page at rest`,
    );
    console.log(
      `All loaded by going to the top again and again: ${loaded.shown} messages in ${
        (loaded.took / 1000).toFixed(1)
      } s, longest frame ${loaded.longest.toFixed(0)} ms`,
    );
    const own = await ownMessages(ada.page);
    const ownShort = await ownMessages(bjorn.page);
    printTable("Writing in it, all loaded", [{
      what: "Enter to inserted in the own page, p50 of 15",
      value: quantile(own, 0.5),
      unit: "ms",
      beside: quantile(ownShort, 0.5),
    }], `a conversation of ${SHORT}`);
  });
}

function smoothness(
  name: string,
  taken: readonly number[],
  idle: readonly number[],
): Row[] {
  const late = (frames: readonly number[], ms: number) =>
    100 * frames.filter((delta) => delta > ms).length / frames.length;
  return [
    {
      what: `${name}: frame, p50`,
      value: quantile(taken, 0.5),
      unit: "ms",
      beside: quantile(idle, 0.5),
      atLeast: 17.5,
      aim: 17.5,
    },
    {
      what: "  frame, p99",
      value: quantile(taken, 0.99),
      unit: "ms",
      beside: quantile(idle, 0.99),
    },
    {
      what: "  frames over 16.7 ms (a whole one missed: over 25)",
      value: late(taken, 25),
      unit: "%",
      beside: late(idle, 25),
    },
    {
      what: "  frames over 33 ms",
      value: late(taken, 33.4),
      unit: "%",
      beside: late(idle, 33.4),
    },
  ];
}

function lengthen(person: Person, url: string, count: number): Promise<void> {
  return callIn(person, url, {
    entry: "page_fill.ts",
    name: "filling",
    call: `filling.fill(${count})`,
  });
}

/** From the click on the entry of the list to the frame with messages, ms; each in a page just loaded. */
async function openings(page: Page, url: string): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < OPENINGS; i++) {
    // The same address again would be a reload, which keeps the conversation open.
    await page.goto("about:blank");
    await page.goto(`${url}/chat`);
    await page.locator(".entry").waitFor();
    await page.waitForTimeout(500);
    if (await page.getByRole("log").isVisible()) {
      throw new Error("a conversation is open before anybody opened it");
    }
    took.push(
      await page.evaluate(async () => {
        const start = performance.now();
        document.querySelector<HTMLElement>(".entry")?.click();
        const nextFrame = () =>
          new Promise((resolve) => requestAnimationFrame(resolve));
        while (!document.querySelector("[role=log] .bubble")) {
          await nextFrame();
        }
        await new Promise<void>((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve();
          port2.postMessage(undefined);
        });
        return performance.now() - start;
      }),
    );
  }
  return took;
}

/** Times between frames, ms, while the page moves its log up by `pixels` in each. */
function frames(page: Page, pixels: number): Promise<number[]> {
  return page.evaluate(async ([pixels, seconds]) => {
    const log = document.querySelector("[role=log]");
    if (!log) throw new Error("no conversation is open");
    const deltas: number[] = [];
    const nextFrame = () =>
      new Promise<number>((resolve) => requestAnimationFrame(resolve));
    let before = await nextFrame();
    const end = before + seconds * 1000;
    while (before < end) {
      if (pixels) log.scrollTop -= pixels;
      const now = await nextFrame();
      deltas.push(now - before);
      before = now;
    }
    return deltas;
  }, [pixels, SCROLL_SECONDS] as const);
}

function loadAll(page: Page) {
  return page.evaluate(async () => {
    const log = document.querySelector("[role=log]");
    if (!log) throw new Error("no conversation is open");
    const start = performance.now();
    let longest = 0;
    let before = start;
    while (document.querySelector(".log-older")) {
      log.scrollTop = -log.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      longest = Math.max(longest, performance.now() - before);
      before = performance.now();
    }
    return {
      shown: document.querySelectorAll(".bubble").length,
      took: performance.now() - start,
      longest,
    };
  });
}

/** Nothing here may look through the whole log: that takes longer than what is measured. */
async function ownMessages(page: Page): Promise<number[]> {
  const field = page.locator("textarea");
  const took: number[] = [];
  for (let i = 0; i < 15; i++) {
    const text = `one more, number ${i}`;
    await field.fill(text);
    await page.waitForTimeout(200);
    // In place before the key is pressed, so that none is missed.
    await page.evaluate((text) => {
      const log = document.querySelector(".log-content");
      let pressed = 0;
      addEventListener("keydown", ({ timeStamp }) => {
        pressed = timeStamp;
      }, { capture: true, once: true });
      const inserted = new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          const words = log?.lastElementChild?.querySelectorAll(
            ".bubble-words",
          );
          const last = words && [...words].at(-1);
          if (last?.textContent !== text) return;
          observer.disconnect();
          resolve(performance.now() - pressed);
        });
        observer.observe(document, { childList: true, subtree: true });
      });
      Object.assign(globalThis, { inserted: () => inserted });
    }, text);
    await page.keyboard.press("Enter");
    took.push(
      await page.evaluate(() =>
        (globalThis as unknown as { inserted(): Promise<number> }).inserted()
      ),
    );
  }
  return took;
}
