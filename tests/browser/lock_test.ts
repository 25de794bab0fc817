/** The lock of a browser: a passphrase, a passkey, and erasing everything. */
import { deepEqual, equal } from "node:assert/strict";
import {
  expectAccessible,
  freshPerson,
  freshVisitor,
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
import { readStorage } from "./support_browser_storage.ts";

const PASSPHRASE = "seven quiet lamps at dusk";

const button = ({ page }: Visitor, name: string) =>
  page.getByRole("button", { name, exact: true });

const field = ({ page }: Visitor, name: string) =>
  page.getByRole("textbox", { name, exact: true });

async function inSettings(person: Visitor, name: string): Promise<void> {
  await button(person, "Settings").click();
  await button(person, name).click();
}

async function setPassphrase(person: Visitor): Promise<void> {
  await inSettings(person, "Set a passphrase");
  await field(person, "New passphrase").fill(PASSPHRASE);
  await field(person, "New passphrase again").fill(PASSPHRASE);
  await button(person, "Set passphrase").click();
  await button(person, "Lock now").waitFor();
}

async function unlock(person: Visitor, passphrase: string): Promise<void> {
  await field(person, "Passphrase").fill(passphrase);
  await button(person, "Unlock").click();
}

async function withLocker(
  tell: (ada: Visitor & { accessKey: string }) => Promise<void>,
  viewport?: { width: number; height: number },
): Promise<void> {
  const relay = await startRelay();
  const person = await freshVisitor({ url: relay.url, viewport });
  try {
    const accessKey = await createAccount(person, "Ada");
    await tell(Object.assign(person, { accessKey }));
    person.expectNoProblems();
  } finally {
    await person.close();
    await relay.stop();
  }
}

Deno.test("a passphrase locks what is said, through closing and opening, and the right one opens it", async () => {
  const relay = await startRelay();
  const ada = await freshPerson({ url: relay.url });
  const bjorn = await freshVisitor({ url: relay.url });
  try {
    await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await connect(ada, bjorn);
    await write(bjorn, "the lamp is lit");
    await message(ada, /the lamp is lit/).waitFor();
    await setPassphrase(ada);

    await ada.leave();
    await write(bjorn, "are you asleep?");
    await message(bjorn, /^You: are you asleep\?, .*, sent$/).waitFor();
    await ada.reopen("/chat");
    await ada.page.getByRole("heading", { name: "Locked" }).waitFor();
    equal(await ada.page.getByText("Björn").count(), 0);
    await unlock(ada, "seven quiet lamps at dawn");
    await ada.page.getByRole("alert").waitFor();
    await unlock(ada, PASSPHRASE);
    await entry(ada, "Björn").click();
    await message(ada, /the lamp is lit/).waitFor();
    await message(ada, /are you asleep\?/).waitFor();
    await write(ada, "not any more");
    await message(bjorn, /not any more/).waitFor();
    for (const person of [ada, bjorn]) person.expectNoProblems();
  } finally {
    await ada.close();
    await bjorn.close();
    await relay.stop();
  }
});

Deno.test("a passkey locks and opens; without it the access key does", () =>
  withLocker(async (ada) => {
    const { page, context } = ada;
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    const { authenticatorId } = await devtools.send(
      "WebAuthn.addVirtualAuthenticator",
      {
        options: {
          protocol: "ctap2",
          ctap2Version: "ctap2_1",
          transport: "internal",
          hasUserVerification: true,
          hasPrf: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      },
    );
    await inSettings(ada, "Use a passkey");
    await button(ada, "Use a passkey").click();
    await button(ada, "Lock now").click();
    await page.getByRole("heading", { name: "Locked" }).waitFor();
    await button(ada, "Unlock").click();
    await messengerIsOpen(ada.page);

    await devtools.send("WebAuthn.setUserVerified", {
      authenticatorId,
      isUserVerified: false,
    });
    await button(ada, "Lock now").click();
    await button(ada, "Unlock").click();
    await page.getByRole("alert").waitFor();
    await button(ada, "Use the access key").click();
    await page.getByRole("textbox", { name: "Access key" }).fill(ada.accessKey);
    await button(ada, "Log in").click();
    await messengerIsOpen(ada.page);
    equal(await button(ada, "Lock now").count(), 0, "the lock is gone");
  }));

Deno.test("wrong passphrases too many erase everything, as was chosen", () =>
  withLocker(async (ada) => {
    const { page } = ada;
    await setPassphrase(ada);
    await button(ada, "Settings").click();
    await page.getByLabel("Erase after wrong passphrases")
      .selectOption("5 in a row");
    await page.keyboard.press("Escape");
    await button(ada, "Lock now").click();
    for (let left = 5; left > 1; left--) {
      await page.getByText(`${left} tries left`).waitFor();
      await unlock(ada, `guess number ${left}`);
      await page.getByRole("alert").waitFor();
    }
    await page.getByText("1 try left").waitFor();
    await Promise.all([
      page.waitForEvent("load"),
      unlock(ada, "the last guess"),
    ]);
    await button(ada, "Create new account").waitFor();
    deepEqual(await whatIsLeft(ada), NOTHING);
  }));

Deno.test("erasing everything leaves nothing in the browser, and the page as for a newcomer", () =>
  withLocker(async (ada) => {
    await ada.page.evaluate(() =>
      localStorage.setItem("whisper-theme", "light")
    );
    await setPassphrase(ada);
    await inSettings(ada, "Erase everything");
    await expectAccessible(ada.page);
    await Promise.all([
      ada.page.waitForEvent("load"),
      button(ada, "Erase everything").click(),
    ]);
    await button(ada, "Create new account").waitFor();
    deepEqual(await whatIsLeft(ada), NOTHING);
    // Whoever is logged out and has no key, or lends the browser, is not stuck either.
    await createAccount(ada, "Berta");
    await inSettings(ada, "Log out");
    await button(ada, "Log out").click();
    await field(ada, "Access key").waitFor();
    await expectAccessible(ada.page);
    await screenshot(ada.page, "logged-out");
    await button(ada, "Erase everything").click();
    await button(ada, "Cancel").click();
    await button(ada, "Erase everything").click();
    await Promise.all([
      ada.page.waitForEvent("load"),
      ada.page.getByRole("dialog").getByRole("button", {
        name: "Erase everything",
      }).click(),
    ]);
    await button(ada, "Create new account").waitFor();
    deepEqual(await whatIsLeft(ada), NOTHING);
  }));

const NOTHING = { records: 0, local: {}, session: {}, files: [] as string[] };

/** A page that opens makes its empty database anew, with its mark as the one that writes. */
async function whatIsLeft({ page }: Visitor): Promise<typeof NOTHING> {
  const { records, local, session, files } = await readStorage(page);
  return {
    records: records.filter(({ store }) => store === "records").length,
    local,
    session,
    files: [...files],
  };
}

Deno.test("the lock's screens are accessible on a small phone, dark and light", () =>
  withLocker(async (ada) => {
    const { page } = ada;
    const look = async (name: string) => {
      await expectAccessible(page);
      await screenshot(page, `lock-${name}`);
    };
    for (const theme of ["Dark", "Light"]) {
      await button(ada, "Settings").click();
      await page.getByRole("radio", { name: theme }).check({ force: true });
      if (theme === "Dark") {
        await look("settings-none");
        await button(ada, "Set a passphrase").click();
        await look("set-passphrase");
        await button(ada, "Cancel").click();
        await page.keyboard.press("Escape");
        await setPassphrase(ada);
        await button(ada, "Settings").click();
      }
      await button(ada, "Change the passphrase").scrollIntoViewIfNeeded();
      await look(`settings-${theme}`);
      await page.keyboard.press("Escape");
      await button(ada, "Lock now").click();
      await button(ada, "Unlock").waitFor();
      await look(`locked-${theme}`);
      await unlock(ada, "wrong");
      await page.getByRole("alert").waitFor();
      await look(`wrong-${theme}`);
      await unlock(ada, PASSPHRASE);
      await messengerIsOpen(page);
    }
  }, { width: 320, height: 568 }));
