/** The whole path in another engine: Tor Browser is a Firefox. */
import { deepEqual, match } from "node:assert/strict";
import {
  type FirefoxVisitor,
  openFirefox,
  startRelay,
} from "../harness/mod.ts";

async function createAccount(
  { page, find, press, fill }: FirefoxVisitor,
  name: string,
): Promise<void> {
  await press("button", "Create new account");
  await fill("textbox", "Display name", name);
  await press("button", "Create account");
  await find("status", "Access key");
  await press("checkbox", "I have stored my access key");
  await press("button", "Continue");
  await find("button", "Invite a friend");
  match(page.url(), /\/chat$/);
}

async function write({ page, fill }: FirefoxVisitor, text: string) {
  await fill("textbox", "Message", text);
  await page.keyboard.press("Enter");
}

/** Waits for a message whose accessible name begins so, and, of an own one, tells that it is read. */
async function shows(
  { page }: FirefoxVisitor,
  begin: string,
  read = false,
): Promise<void> {
  const state = read ? `[aria-label$=", read"]` : "";
  await page.waitForSelector(`[role=log] [aria-label^="${begin}"]${state}`);
}

Deno.test("two people meet and talk in Firefox, and what was said is there when the page is opened again", async () => {
  const relay = await startRelay();
  const people: FirefoxVisitor[] = [];
  try {
    for (const name of ["Ada", "Björn"]) {
      const person = await openFirefox(relay.url);
      people.push(person);
      await createAccount(person, name);
    }
    const [ada, bjorn] = people;
    await ada.press("button", "Invite a friend");
    await ada.press("button", "Generate code");
    const shown = await ada.find("status", "Invite code");
    const code = await shown.evaluate((element) => element.textContent);
    match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    await bjorn.press("button", "Invite a friend");
    await bjorn.fill("textbox", "Enter a code", code);
    await bjorn.press("button", "Connect");

    await bjorn.find("log", "Messages");
    await ada.find("log", "Messages");
    await write(ada, "Is this a fox?");
    await shows(bjorn, "Ada: Is this a fox?, ");
    await write(bjorn, "A fiery one");
    await shows(ada, "Björn: A fiery one, ");
    await shows(ada, "You: Is this a fox?, ", true);
    await shows(bjorn, "You: A fiery one, ", true);

    await bjorn.page.reload();
    await shows(bjorn, "Ada: Is this a fox?, ");
    await write(ada, "Still there?");
    await shows(bjorn, "Ada: Still there?, ");
    for (const { problems } of people) deepEqual(problems, []);
  } finally {
    for (const person of people) await person.close();
    await relay.stop();
  }
});
