/** The backup as a person sees it: what the settings say, and coming back in a browser that has nothing. */
import {
  expectAccessible,
  freshPerson,
  screenshot,
  startRelay,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
  write,
} from "./conversation_steps.ts";

Deno.test("the access key alone brings an account back in a fresh browser, and its contacts follow by themselves", async () => {
  const relay = await startRelay();
  const fresh = () => freshPerson({ url: relay.url, reducedMotion: "reduce" });
  const [ada, bob, anew] = [await fresh(), await fresh(), await fresh()];
  try {
    const accessKey = await createAccount(ada, "Ada");
    await createAccount(bob, "Bob");
    await connect(ada, bob);
    await ada.page.getByRole("button", { name: "Settings", exact: true })
      .click();
    await ada.page.getByText(/sealed: only your access key opens them/)
      .waitFor();
    await expectAccessible(ada.page);
    await ada.leave();

    const { page } = anew;
    await page.getByRole("button", { name: "Log in" }).first().click();
    await page.getByLabel("Access key").fill(accessKey);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Your account was found" })
      .waitFor();
    await page.getByText("Ada, with 1 contact and 1 device.").waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
      await screenshot(page, `found-${colorScheme}`);
    }
    await page.getByRole("button", { name: "Replace what I had" }).click();
    await entry(anew, "Bob").click();
    await write(anew, "I am back");
    await message(bob, /I am back/).waitFor();
    await write(bob, "there you are");
    await message(anew, /there you are/).waitFor();
    anew.expectNoProblems();
    bob.expectNoProblems();
  } finally {
    for (const person of [ada, bob, anew]) await person.close();
    await relay.stop();
  }
});
