import { equal } from "node:assert/strict";
import { expectAccessible, freshPerson, startRelay } from "../harness/mod.ts";

Deno.test("every page opens under the strict headers, without an error and without asking anybody else", async () => {
  const relay = await startRelay();
  const person = await freshPerson({ url: relay.url });
  try {
    const { page } = person;
    for (const path of ["/", "/chat"]) {
      await page.goto(relay.url + path);
      await page.locator("is-land[data-ready]").waitFor();
      equal(await page.locator("#needs-https").isVisible(), false);
      await expectAccessible(page);
    }
    person.expectNoProblems();
  } finally {
    await person.close();
    await relay.stop();
  }
});
