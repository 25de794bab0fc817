/** Another access key in the place of the one there is, as a person does it. */
import assert from "node:assert/strict";
import {
  expectAccessible,
  freshVisitor,
  screenshot,
  startRelay,
} from "../harness/mod.ts";
import {
  backedUp,
  connect,
  createAccount,
  entry,
  message,
  standBeside,
  write,
} from "./conversation_steps.ts";

Deno.test("an access key is changed in the settings: contacts follow and are told, the old key opens nothing, the new one everything", async () => {
  const relay = await startRelay();
  const fresh = () => freshVisitor({ url: relay.url });
  const [ada, laptop, bob] = [await fresh(), await fresh(), await fresh()];
  try {
    const before = await createAccount(ada, "Ada");
    await createAccount(bob, "Bob");
    await connect(ada, bob);
    await write(ada, "before");
    await message(bob, /before/).waitFor();
    await backedUp(ada);
    await standBeside(laptop, before);
    await entry(laptop, "Bob").waitFor();
    await ada.page.getByText(/ was added/).waitFor();

    const { page } = ada;
    const button = (name: string) =>
      page.getByRole("button", { name, exact: true });
    await button("Settings").click();
    await button("Change access key…").click();
    await page.getByText(/^These devices are removed with it/).waitFor();
    await page.getByRole("textbox", { name: "Access key" }).fill("nonsense");
    await button("Continue").click();
    await page.getByRole("alert").filter({ hasText: "32 letters" }).waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
      await screenshot(page, `change-key-${colorScheme}`);
    }
    await page.getByRole("textbox", { name: "Access key" }).fill(before);
    await button("Continue").click();
    const shown = page.getByRole("status", { name: "Access key" });
    const next = await shown.innerText();
    assert.notEqual(next.replaceAll(/[^0-9A-Z]/gu, ""), "");
    assert.equal(await button("Change access key").isEnabled(), false);
    await page.getByText(/^These devices are removed with it/).waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
      await screenshot(page, `new-key-${colorScheme}`);
    }
    await page.getByRole("checkbox", { name: "I have stored my access key" })
      .check();
    await button("Change access key").click();
    const outcome = page.getByRole("dialog", {
      name: "Your access key was changed",
    });
    await outcome.waitFor();
    await expectAccessible(page);
    await screenshot(page, "key-changed");
    await outcome.getByRole("button", { name: "Close" }).last().click();
    await outcome.waitFor({ state: "detached" });

    await laptop.page.getByText("This browser was removed").waitFor();
    await bob.page.getByText(/safety number/i).first().waitFor();
    await write(bob, "still here");
    await entry(ada, "Bob").click();
    await message(ada, /still here/).waitFor();
    await write(ada, "under another key");
    await message(bob, /under another key/).waitFor();

    await button("Settings").click();
    await button("Log out").click();
    await button("Log out").last().click();
    await page.getByLabel("Access key").fill(before);
    await button("Log in").click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Access key").fill(next);
    await button("Log in").click();
    await entry(ada, "Bob").click();
    await message(ada, /under another key/).waitFor();
    for (const person of [ada, laptop, bob]) person.expectNoProblems();
  } finally {
    for (const person of [ada, laptop, bob]) await person.close();
    await relay.stop();
  }
});
