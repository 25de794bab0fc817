/** Two people on two servers, everything real: two built servers, each with its relay, and Chromium. */
import { equal } from "node:assert/strict";
import {
  expectAccessible,
  freshVisitor,
  PATIENCE,
  screenshot,
  startRelay,
} from "../harness/mod.ts";
import {
  createAccount,
  enterCode,
  entry,
  generateCode,
  message,
  messengerIsOpen,
  openCircuit,
  takeCircuit,
  write,
} from "./conversation_steps.ts";
import { CONNECTION_NOTES } from "./support_two.ts";

/** Both are on this machine. */
const args = ["--forward-private"];

Deno.test("two people on two servers meet by CODE@server, talk, and see that one waits for a server that is away; what a new circuit changes is said", async () => {
  const here = await startRelay({ args });
  let there = await startRelay({ args });
  const ada = await freshVisitor({ url: here.url });
  const bjorn = await freshVisitor({ url: there.url });
  try {
    await createAccount(ada, "Ada Lovelace");
    await createAccount(bjorn, "Björn Ångström");
    const code = await generateCode(ada);
    const host = new URL(here.url).host;
    await ada.page.getByText(`with @${host} after it`).waitFor();
    await enterCode(bjorn, `${code}@${host}`);
    await entry(ada, "Björn Ångström").waitFor();
    await entry(bjorn, "Ada Lovelace").waitFor();
    await write(ada, "Hello over there");
    await message(bjorn, /^Ada Lovelace: Hello over there, /).waitFor();
    await message(ada, /^You: Hello over there, .*, read$/).waitFor();
    await bjorn.page.getByText(`on ${host}`, { exact: true }).waitFor();

    await openCircuit(ada, "Björn Ångström");
    await expectAccessible(ada.page);
    await screenshot(ada.page, "new-circuit");
    await takeCircuit(ada);
    await write(ada, "Still there?");
    await message(ada, /^You: Still there\?, .*, read$/).waitFor();
    await expectAccessible(ada.page);

    const away = new URL(there.url).host;
    await there.kill9();
    await write(ada, "Are you there?");
    await ada.page.getByText(`waiting for ${away}`).waitFor();
    await message(ada, /^You: Are you there\?, .*, sending$/).waitFor();
    there = await there.restart();
    await message(bjorn, /^Ada Lovelace: Are you there\?, /).waitFor();
    await message(ada, /^You: Are you there\?, .*, read$/).waitFor();
    await ada.page.getByText(`on ${away}`, { exact: true }).waitFor();
    for (const person of [ada, bjorn]) {
      person.expectNoProblems(CONNECTION_NOTES);
    }
  } finally {
    for (const person of [ada, bjorn]) await person.close();
    await here.stop();
    await there.stop();
  }
});

Deno.test("a link of another server is pasted, says whose it is and where, and two people on two servers talk", async () => {
  const here = await startRelay({ args });
  const there = await startRelay({ args });
  const ada = await freshVisitor({ url: here.url });
  const bjorn = await freshVisitor({ url: there.url });
  try {
    await createAccount(ada, "Ada Lovelace");
    await createAccount(bjorn, "Björn Ångström");
    await ada.page.getByRole("button", { name: "Invite a friend" }).first()
      .click();
    await ada.page.getByRole("button", { name: "Create link" }).click();
    const link = await ada.page.getByRole("status", { name: "Invite link" })
      .innerText();
    await ada.page.getByRole("button", { name: "Close" }).click();
    await enterCode(bjorn, link.trim());
    await bjorn.page.getByText(`on another server, ${new URL(here.url).host},`)
      .waitFor();
    await bjorn.page.getByRole("button", { name: "Ask to connect" }).click();
    await bjorn.page.getByRole("button", { name: "Done" }).click();
    await ada.page.getByRole("button", { name: "Accept Björn Ångström" })
      .click();
    await entry(ada, "Björn Ångström").click();
    await entry(bjorn, "Ada Lovelace").click();
    await write(bjorn, "By your link");
    await message(ada, /^Björn Ångström: By your link, /).waitFor();
    await write(ada, "Across two servers");
    await message(bjorn, /^Ada Lovelace: Across two servers, /).waitFor();
    for (const person of [ada, bjorn]) {
      person.expectNoProblems(CONNECTION_NOTES);
    }
  } finally {
    for (const person of [ada, bjorn]) await person.close();
    await here.stop();
    await there.stop();
  }
});

Deno.test("who moves to another server is found there by people at both, and the settings say how it is done and what is left", async () => {
  const here = await startRelay({ args });
  const there = await startRelay({ args });
  const ada = await freshVisitor({ url: here.url });
  const cem = await freshVisitor({ url: here.url });
  const bjorn = await freshVisitor({ url: there.url });
  const anew = await freshVisitor({ url: there.url });
  const people = [ada, cem, bjorn, anew];
  const { host } = new URL(here.url);
  try {
    const key = await createAccount(ada, "Ada Lovelace");
    await createAccount(cem, "Cem");
    await createAccount(bjorn, "Björn Ångström");
    await enterCode(cem, await generateCode(ada));
    await entry(ada, "Cem").waitFor();
    await enterCode(bjorn, `${await generateCode(ada)}@${host}`);
    await entry(ada, "Björn Ångström").waitFor();
    await entry(bjorn, "Ada Lovelace").waitFor();
    await ada.page.getByRole("button", { name: "Settings", exact: true })
      .click();
    await ada.page.getByText("Contacts, names and choices are stored")
      .waitFor();
    await ada.page.getByRole("button", { name: "Move to another server" })
      .click();
    await ada.page.getByText(`Enter ${host} and your access key.`).waitFor();
    await expectAccessible(ada.page);
    await screenshot(ada.page, "move-away");
    await ada.page.keyboard.press("Escape");
    await ada.page.keyboard.press("Escape");

    const { page } = anew;
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "My account is on another server" })
      .click();
    await page.locator("input:focus").waitFor();
    await page.getByRole("textbox", { name: "Access key" }).fill(key);
    const server = page.getByRole("textbox", {
      name: "The server you are on now",
    });
    await server.fill("http://foo bar");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("That is no server's address.")
      .waitFor();
    const marked = page.locator("[aria-invalid=true]");
    equal(await marked.count(), 1);
    equal(await marked.inputValue(), "http://foo bar");
    await server.fill(host);
    await expectAccessible(page);
    await screenshot(page, "move-here");
    await page.keyboard.press("Enter");
    await page.getByText("Ada Lovelace, with 2 contacts and 1 device.")
      .waitFor();
    await expectAccessible(page);
    await screenshot(page, "move-found");
    await page.getByRole("button", { name: "Move here" }).click();
    await messengerIsOpen(page);

    await entry(anew, "Cem").click();
    await write(anew, "I have moved");
    await entry(cem, "Ada Lovelace").click();
    await message(cem, /^Ada Lovelace: I have moved, /).waitFor();
    await cem.page.getByText(`on ${new URL(there.url).host}`, { exact: true })
      .waitFor();
    await write(cem, "Still here");
    await message(anew, /^Cem: Still here, /).waitFor();
    await entry(anew, "Björn Ångström").click();
    await page.getByRole("heading", { name: "Björn Ångström" }).waitFor();
    // He is at this server now, which is not worth a word.
    equal(await page.getByText(/^on /).count(), 0);
    await write(anew, "Where you are");
    await message(bjorn, /^Ada Lovelace: Where you are, /).waitFor();
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByText(`You moved here from ${host}.`).waitFor();
    await screenshot(page, "moved");

    // The browser that was left behind says so, once it has something to store and finds no backup any more.
    const gone = ada.page.getByText("The backup is gone from this server");
    for (const choice of ["Mute", "Unmute", "Mute", "Unmute"]) {
      await ada.page.getByRole("button", { name: "Options for Cem" }).click();
      await ada.page.getByRole("menuitem", { name: choice, exact: true })
        .click();
      // What it stored just before the backup was taken away, it did not miss.
      const said = await gone.waitFor({ timeout: PATIENCE / 4 })
        .then(() => true, () => false);
      if (said) break;
    }
    await gone.waitFor();
    await expectAccessible(ada.page);
    await screenshot(ada.page, "left-behind");
    for (const person of people) person.expectNoProblems(CONNECTION_NOTES);
  } finally {
    for (const person of people) await person.close();
    await here.stop();
    await there.stop();
  }
});
