/** What people do in the page, by the names that product and assistive technology know it by. */
import { equal, match } from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Visitor } from "../harness/mod.ts";

/** From the landing to the messenger. Gives the access key. */
export async function createAccount(
  { page }: Visitor,
  name: string,
): Promise<string> {
  await page.getByRole("button", { name: "Create new account" }).click();
  await page.getByRole("textbox", { name: "Display name" }).fill(name);
  await page.getByRole("button", { name: "Create account" }).click();
  const key = await page.getByRole("status", { name: "Access key" })
    .innerText();
  match(key, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/);
  equal(
    await page.getByRole("button", { name: "Continue" }).isDisabled(),
    true,
  );
  await page.getByRole("checkbox", { name: "I have stored my access key" })
    .check();
  await page.getByRole("button", { name: "Continue" }).click();
  await messengerIsOpen(page);
  return key;
}

export async function messengerIsOpen(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Invite a friend" }).waitFor();
  equal(new URL(page.url()).pathname, "/chat");
}

/** `inviter` generates a code and `joiner` enters it; both end in the conversation. */
export async function connect(
  inviter: Visitor,
  joiner: Visitor,
): Promise<void> {
  const code = await generateCode(inviter);
  await enterCode(joiner, code);
  for (const { page } of [inviter, joiner]) {
    await page.getByRole("log", { name: "Messages" }).waitFor();
  }
}

export async function generateCode({ page }: Visitor): Promise<string> {
  await page.getByRole("button", { name: "Invite a friend" }).click();
  await page.getByRole("button", { name: "Generate code" }).click();
  const code = await page.getByRole("status", { name: "Invite code" })
    .innerText();
  match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  match(
    await page.getByRole("timer", { name: "Expires in" }).innerText(),
    /^[0-5]:[0-5]\d$/,
  );
  return code;
}

export async function enterCode(
  { page }: Visitor,
  code: string,
): Promise<void> {
  const field = page.getByRole("textbox", { name: "Enter a code" });
  if (!await field.isVisible()) {
    await page.getByRole("button", { name: "Invite a friend" }).click();
  }
  await field.fill(code);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
}

export async function write({ page }: Visitor, text: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}

/** Waits for a message by what its name begins with. */
export function message({ page }: Visitor, name: string | RegExp) {
  return page.getByRole("log", { name: "Messages" })
    .getByRole("article", { name });
}

/** The entry of the list whose name begins with the contact's. */
export function entry({ page }: Visitor, contact: string) {
  return page.getByRole("list", { name: "Conversations" })
    .getByRole("button", { name: new RegExp(`^${contact}`) });
}

/** The texts of all messages shown, oldest first. */
export function textsOf({ page }: Visitor): Promise<string[]> {
  return page.getByRole("log", { name: "Messages" })
    .getByRole("article").locator(".bubble-words").allTextContents();
}

/** Asks for another circuit to the contact of the open conversation: what it changes is shown. */
export async function openCircuit(
  { page }: Visitor,
  name: string,
): Promise<void> {
  await page.getByRole("region", { name: `Conversation with ${name}` })
    .getByRole("button", { name: "New circuit" }).click();
  await page.getByRole("dialog", { name: `A new circuit to ${name}?` })
    .getByText("What does not change").waitFor();
}

/** Takes the circuit that was asked for. */
export async function takeCircuit({ page }: Visitor): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "New circuit" }).click();
  await dialog.waitFor({ state: "hidden" });
}

/** Until the backup of what there is is at the relay, as the settings say. */
export async function backedUp({ page }: Visitor): Promise<void> {
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByText(/sealed: only your access key opens them/).waitFor();
  await page.keyboard.press("Escape");
}

/** Another browser of an account, beside those there are. */
export async function standBeside(
  person: Visitor,
  accessKey: string,
): Promise<void> {
  const { page } = person;
  await page.getByRole("button", { name: "Log in" }).first().click();
  await page.getByLabel("Access key").fill(accessKey);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("button", { name: "Add this browser" }).click();
}
