/** A thousand messages wait for a page: how long it takes them in, and whether it can be used meanwhile. */
import type { CDPSession, Page } from "playwright-core";
import { callIn } from "./page_bundle.ts";
import { type Two, withTwo } from "./page_people.ts";
import { printTable, type Row } from "./page_table.ts";

const WAITING = 1_000;

export async function measureCatchUp(): Promise<void> {
  await withTwo(async (two) => {
    const session = await two.bjorn.context.newCDPSession(two.bjorn.page);
    const rows: Row[] = [];
    for (
      const [how, place] of [
        ["the list of conversations is shown", "list"],
        ["the conversation is shown", "conversation"],
      ] as const
    ) {
      const none = await open(two, session, place, 0);
      await away(two);
      const texts = await sayMany(two, place);
      const many = await open(two, session, place, WAITING, texts.at(-1));
      rows.push({
        what: `${how}: page asked for to all taken in`,
        value: many.took,
        unit: "ms",
        beside: none.took,
      }, {
        what: "  longest task of the page's main thread",
        value: many.longest,
        unit: "ms",
        beside: none.longest,
        atLeast: 50,
        aim: 16,
      }, {
        what: "  the CPU time of the one that took most",
        value: many.longestCpu,
        unit: "ms",
        beside: none.longestCpu,
        atLeast: 50,
        aim: 16,
      }, {
        what: "  tasks over 50 ms",
        value: many.over50,
        unit: "",
        beside: none.over50,
      }, {
        what: "  tasks with over 16 ms of CPU time",
        value: many.cpuOver16,
        unit: "",
        beside: none.cpuOver16,
      });
    }
    printTable(
      `Catching up ${
        WAITING.toLocaleString("en")
      } messages in a page that is opened; a long task is one of the browser's own trace`,
      rows,
      "the same page opened with nothing waiting",
    );
  });
}

/** The page stays in its place in the history, with no messenger in it. */
async function away({ bjorn, relay }: Two): Promise<void> {
  await bjorn.page.goto(`${relay.url}/healthz`);
}

async function sayMany(
  { ada, relay }: Two,
  place: string,
): Promise<string[]> {
  const texts = Array.from(
    { length: WAITING },
    (_, i) => `waiting for the ${place}, ${i + 1} of ${WAITING}`,
  );
  await callIn(ada, relay.url, {
    entry: "page_say.ts",
    name: "saying",
    call: `saying.say(${JSON.stringify(texts)})`,
  });
  return texts;
}

/** Opens Björn's page where it is to be, and waits until all of it is taken in. */
async function open(
  { bjorn, relay }: Two,
  session: CDPSession,
  place: "list" | "conversation",
  waiting: number,
  last?: string,
) {
  const { page } = bjorn;
  if (waiting === 0) {
    await page.goto(`${relay.url}/chat`);
    if (place === "conversation") await page.locator(".entry").click();
    await page.waitForTimeout(4_000); // receipts are sent, too
  }
  return await traced(session, async () => {
    const start = performance.now();
    if (place === "list") await page.goto(`${relay.url}/chat`);
    else if (waiting === 0) await page.reload();
    else await page.goBack();
    if (last === undefined) await page.locator(".entry").waitFor();
    else await arrived(page, place, last);
    return performance.now() - start;
  });
}

async function arrived(page: Page, place: string, last: string) {
  const words = place === "list" ? ".entry" : ".bubble";
  await page.waitForFunction(
    ([words, last]) =>
      [...document.querySelectorAll(words)].at(-1)?.textContent?.includes(last),
    [words, last] as const,
    { timeout: 300_000, polling: 50 },
  );
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** µs; `tdur` of the thread's CPU. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Runs `work`, which gives its duration, and looks at the tasks of the main thread meanwhile. */
async function traced(session: CDPSession, work: () => Promise<number>) {
  const tasks: TraceEvent[] = [];
  const mains = new Set<string>();
  const thread = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  const collect = ({ value }: { value: object[] }) => {
    // The shape of Chromium's trace events.
    for (const event of value as TraceEvent[]) {
      if (event.name === "RunTask" && event.dur) tasks.push(event);
      if (
        event.name === "thread_name" && event.args?.name === "CrRendererMain"
      ) mains.add(thread(event));
    }
  };
  session.on("Tracing.dataCollected", collect);
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: ["disabled-by-default-devtools.timeline"],
    },
  });
  const took = await work();
  const complete = new Promise((resolve) =>
    session.once("Tracing.tracingComplete", resolve)
  );
  await session.send("Tracing.end");
  await complete;
  session.off("Tracing.dataCollected", collect);
  const own = tasks.filter((task) => mains.has(thread(task)));
  const walls = own.map(({ dur = 0 }) => dur / 1000);
  const cpus = own.map(({ tdur = 0 }) => tdur / 1000);
  return {
    took,
    longest: walls.reduce((a, b) => Math.max(a, b), 0),
    longestCpu: cpus.reduce((a, b) => Math.max(a, b), 0),
    over50: walls.filter((wall) => wall > 50).length,
    cpuOver16: cpus.filter((cpu) => cpu > 16).length,
  };
}
