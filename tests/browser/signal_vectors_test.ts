/** The Signal layer in a real browser, held to what libsignal says. */
import assert from "node:assert/strict";
import { checkVectors } from "../../lib/signal/testing/vectors/check.ts";
import type { Vectors } from "../../lib/signal/testing/vectors/vectors.ts";
import kept from "../../lib/signal/testing/vectors/vectors.json" with {
  type: "json",
};
import { openBrowser } from "../harness/mod.ts";
import { serveScript } from "./storage_site.ts";

/** A name that is not of this machine: there a page over http has no WebCrypto. */
const ELSEWHERE = "elsewhere.example";

Deno.test("the vectors of libsignal hold in Chromium, with its WebCrypto and where it gives none", async () => {
  // JSON is typed by what it happens to hold; that it holds this is what the test finds out.
  const here = await checkVectors(kept as Vectors);
  const site = await serveScript("./signal_vectors_page.ts");
  const profile = await Deno.makeTempDir({ prefix: "whisper-vectors-" });
  const context = await openBrowser({
    profile,
    flags: [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`],
  });
  try {
    for (
      const [url, name] of [
        [site.url, "webcrypto"],
        [site.url.replace("127.0.0.1", ELSEWHERE), "noble"],
      ]
    ) {
      const page = await context.newPage();
      await page.goto(url);
      await page.waitForFunction(() => "signalVectors" in globalThis);
      const there = await page.evaluate(() => globalThis.signalVectors);
      const chosen = { x25519: name, ed25519: name, mlKem1024: name };
      assert.deepEqual(there, { compared: here.compared, chosen });
      await page.close();
    }
  } finally {
    await context.close();
    await site.stop();
    await Deno.remove(profile, { recursive: true });
  }
});
