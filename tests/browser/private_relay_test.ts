/** A relay that is not for everybody: the page asks for its password, once. */
import { deepEqual, equal } from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  expectAccessible,
  freshVisitor,
  type RelayProcess,
  screenshot,
  startRelay,
  type Visitor,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
  messengerIsOpen,
  write,
} from "./conversation_steps.ts";
import { CONNECTION_NOTES } from "./support_two.ts";

const PASSWORD = "a horse, a battery, a stapler";
const ANOTHER = "a mule, a candle, a pin";

const field = (page: Page) =>
  page.getByRole("textbox", { name: "Relay password" });

async function usePassword(page: Page, password: string): Promise<void> {
  await field(page).fill(password);
  await page.getByRole("button", { name: "Use password" }).click();
}

async function look(page: Page, name: string): Promise<void> {
  for (const theme of ["light", "dark"]) {
    await page.evaluate((chosen) => {
      document.documentElement.dataset.theme = chosen;
    }, theme);
    await expectAccessible(page);
    await screenshot(page, `private-relay-${name}-${theme}`);
  }
}

/** Where something of the password can be found: the address, what the page stores for itself, the relay's log. */
async function leaks(
  { page }: Visitor,
  relay: RelayProcess,
): Promise<string[]> {
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }])
  );
  const places = [page.url(), kept, relay.output()];
  return [PASSWORD, ANOTHER, encodeURIComponent(PASSWORD)].filter((password) =>
    places.some((place) => place.includes(password))
  );
}

Deno.test("a private relay's password is asked for where it is not known, once, and again when it changes", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const start = (password: string, port?: number) =>
    startRelay({ dataDir, port, args: ["--access", password] });
  let relay = await start(PASSWORD);
  const people: Visitor[] = [];
  try {
    const arrive = async (name: string, phone = false) => {
      const visitor = await freshVisitor({
        url: relay.url,
        ...phone ? { viewport: { width: 320, height: 568 } } : {},
      });
      people.push(visitor);
      await createAccount(visitor, name);
      return visitor;
    };
    const ada = await arrive("Ada");
    const bjorn = await arrive("Björn", true);
    await field(ada.page).waitFor();
    await look(ada.page, "asks");
    await field(bjorn.page).waitFor();
    await look(bjorn.page, "asks-phone");

    await usePassword(ada.page, "sesame");
    await ada.page.getByRole("alert")
      .filter({ hasText: "That is not the password of this server." })
      .waitFor();
    equal(await field(ada.page).inputValue(), "sesame");
    await look(ada.page, "wrong");

    for (const { page } of people) {
      await usePassword(page, PASSWORD);
      await field(page).waitFor({ state: "hidden" });
    }
    await connect(ada, bjorn);
    await write(ada, "we are among ourselves");
    await message(bjorn, /^Ada: we are among ourselves/).waitFor();

    // Opened again, it is proven without asking: else there would be no code.
    await ada.page.reload();
    await messengerIsOpen(ada.page);
    await ada.page.getByRole("button", { name: "Invite a friend" }).click();
    await ada.page.getByRole("button", { name: "Generate code" }).click();
    await ada.page.getByRole("status", { name: "Invite code" }).waitFor();
    await ada.page.keyboard.press("Escape");
    equal(await field(ada.page).count(), 0);

    await relay.stop();
    await write(bjorn, "meanwhile");
    relay = await start(ANOTHER, relay.port);
    await ada.page.getByText("This server has a new password").waitFor();
    await entry(ada, "Björn").click();
    await message(ada, /^Björn: meanwhile/).waitFor();
    await usePassword(ada.page, ANOTHER);
    await field(ada.page).waitFor({ state: "hidden" });

    for (const person of people) {
      deepEqual(await leaks(person, relay), []);
      person.expectNoProblems(CONNECTION_NOTES);
    }
  } finally {
    for (const person of people) await person.close();
    await relay.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
