/** Two people on two servers, everything real: two built servers, each with its relay, and Chromium. */
import {
  expectAccessible,
  freshVisitor,
  screenshot,
  startRelay,
} from "../harness/mod.ts";
import {
  createAccount,
  enterCode,
  entry,
  generateCode,
  message,
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
