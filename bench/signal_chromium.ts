/** Runs the operations of signal_ops.ts in a page of Chromium. */
import { chromium } from "playwright-core";
import { build } from "vite";
import type { SafetyNumberTimes, SignalTimes } from "./signal_ops.ts";

/** An isolated page has a clock of 5 µs instead of 100. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    root: new URL(".", import.meta.url).pathname,
    build: {
      write: false,
      target: "esnext",
      lib: { entry: "signal_ops.ts", formats: ["es"], fileName: "signal_ops" },
      // What is imported when it is needed, too: one script is served.
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!("output" in output)) {
    throw new Error("vite watched instead of building");
  }
  return output.output[0].code;
}

/** What a page measures. */
export interface PageTimes {
  readonly times: SignalTimes;
  readonly safetyNumber: SafetyNumberTimes;
}

/**
 * @param stored whether sessions go through their stored form at every step
 * @param safetyNumbers how many are computed
 */
export async function runInChromium(
  stored: boolean,
  samples: number,
  safetyNumbers: number,
): Promise<PageTimes> {
  const code = await bundle();
  const server = Deno.serve({
    hostname: "localhost",
    port: 0,
    onListen: () => {},
  }, ({ url }) => {
    const script = new URL(url).pathname === "/ops.js";
    const type = script ? "text/javascript" : "text/html";
    return new Response(script ? code : "<!doctype html>", {
      headers: { ...ISOLATED, "content-type": type },
    });
  });
  const browser = await chromium.launch({
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.addr.port}/`);
    return await page.evaluate(async ([stored, samples, safetyNumbers]) => {
      const ops = await import(`${location.origin}/ops.js`);
      return {
        times: await ops.measureOurs(stored, samples),
        safetyNumber: await ops.measureSafetyNumber(safetyNumbers),
      };
    }, [stored, samples, safetyNumbers] as const);
  } finally {
    await browser.close();
    await server.shutdown();
  }
}
