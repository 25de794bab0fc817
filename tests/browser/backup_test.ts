/** The backup as a person sees it: what the settings say, in a browser with its own storage and headers. */
import { expectAccessible, freshPerson, startRelay } from "../harness/mod.ts";
import { createAccount } from "./conversation_steps.ts";

Deno.test("the settings say that the backup is stored, and what it is not good for yet", async () => {
  const relay = await startRelay();
  const person = await freshPerson({ url: relay.url, reducedMotion: "reduce" });
  try {
    await createAccount(person, "Ada");
    const { page } = person;
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByText(/sealed: only your access key opens them/).waitFor();
    await page.getByText(/coming back in another browser is not built yet/)
      .waitFor();
    await expectAccessible(page);
    person.expectNoProblems();
  } finally {
    await person.close();
    await relay.stop();
  }
});
