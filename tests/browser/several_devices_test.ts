/** One person with two browsers, and a friend. */
import assert from "node:assert/strict";
import {
  expectAccessible,
  freshVisitor,
  screenshot,
  startRelay,
  type Visitor,
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

/** The past is asked for on one browser, confirmed on another, and comes. */
async function bringHistory(to: Visitor, from: Visitor): Promise<void> {
  // It is offered, though there are words in each conversation by now.
  await to.page.getByText("Earlier messages are on your other devices")
    .waitFor();
  await to.page.getByRole("button", { name: "Settings", exact: true }).click();
  await to.page.getByRole("dialog").getByRole("button", {
    name: "Bring the history",
  }).click();
  // Said where it was pressed, and the focus goes on there.
  await to.page.locator("dialog [role=status]:focus").filter({
    hasText: "Waiting for your other device. Open Whisper on it",
  }).waitFor();
  await screenshot(to.page, "history-asked-settings");
  await to.page.keyboard.press("Escape");
  await to.page.getByText("Waiting for your other device").waitFor();
  await from.page.getByText(/asks for your history/).waitFor();
  await expectAccessible(from.page);
  await screenshot(from.page, "history-asked");
  await from.page.getByRole("button", { name: "Copy the history" }).click();
  // The button is gone with what it asked.
  await from.page.waitForFunction(() =>
    document.activeElement !== document.body
  );
  await to.page.getByText("The history is here").waitFor();
  await screenshot(to.page, "history-here");
  await expectAccessible(to.page);
  await to.page.getByRole("status").filter({ hasText: "The history is here" })
    .getByRole("button", { name: "Dismiss" }).click();
  await message(to, /from the phone/).or(message(to, /hello Cem/)).first()
    .waitFor();
}

Deno.test("browsers stand beside another with the access key, and what is said, read and drafted is on all of them", async () => {
  const relay = await startRelay();
  const fresh = () => freshVisitor({ url: relay.url });
  const [phone, laptop, tablet] = [await fresh(), await fresh(), await fresh()];
  const [bob, cem] = [await fresh(), await fresh()];
  const own = [phone, laptop, tablet];
  try {
    const accessKey = await createAccount(phone, "Ada");
    await createAccount(bob, "Bob");
    await createAccount(cem, "Cem");
    await connect(phone, bob);
    await backedUp(phone);
    for (const person of [laptop, tablet]) {
      await standBeside(person, accessKey);
      await entry(person, "Bob").click();
    }
    await expectAccessible(laptop.page);
    for (
      const [person, text] of [
        [laptop, "from the laptop"],
        [bob, "to all of them"],
        [tablet, "from the tablet"],
        [phone, "from the phone"],
      ] as const
    ) {
      await write(person, text);
      for (const each of [...own, bob]) {
        await message(each, new RegExp(text)).waitFor();
      }
    }
    for (const person of own) {
      await message(person, /from the phone.*read/).waitFor();
    }
    // Whoever has come with the access key may be anybody.
    const warning = bob.page.getByRole("alert").filter({
      hasText: "Ada uses a device you have not seen before",
    });
    await warning.waitFor();
    await expectAccessible(bob.page);
    await warning.getByRole("button", { name: "Understood" }).click();
    await warning.waitFor({ state: "detached" });
    await phone.page.getByLabel("Message", { exact: true }).fill("half a");
    await laptop.page.waitForFunction(() =>
      document.querySelector("textarea")?.value === "half a"
    );
    // Somebody met on one of them is met on all.
    await connect(laptop, cem);
    await write(cem, "hello Ada");
    for (const person of own) {
      await entry(person, "Cem").click();
      await message(person, /hello Ada/).waitFor();
    }
    await write(tablet, "hello Cem");
    for (const person of [...own, cem]) {
      await message(person, /hello Cem/).waitFor();
    }
    await bringHistory(laptop, phone);
    for (const person of [...own, bob, cem]) person.expectNoProblems();
  } finally {
    for (const person of [...own, bob, cem]) await person.close();
    await relay.stop();
  }
});

Deno.test("a device is removed in the settings, with the access key: it is told, erases all, and the others go on", async () => {
  const relay = await startRelay();
  const fresh = () => freshVisitor({ url: relay.url });
  const [phone, laptop, bob] = [await fresh(), await fresh(), await fresh()];
  const everybody = [phone, laptop, bob];
  try {
    const accessKey = await createAccount(phone, "Ada");
    await createAccount(bob, "Bob");
    await connect(phone, bob);
    await backedUp(phone);
    await standBeside(laptop, accessKey);
    await entry(laptop, "Bob").click();
    await write(laptop, "from the laptop");
    await message(phone, /from the laptop/).waitFor();

    const { page } = phone;
    const notice = page.getByRole("status").filter({ hasText: "was added" });
    await notice.getByText("Chrome · Linux (2) was added.").waitFor();
    await expectAccessible(page);
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    const devices = page.getByRole("list", { name: "Devices" });
    await devices.getByText("This browser").waitFor();
    await devices.getByText("Last used: Today").waitFor();
    await devices.getByRole("button", { name: "Remove Chrome · Linux (2)" })
      .waitFor();
    // It was there before the other came.
    assert.equal(
      await page.getByRole("button", { name: "Bring the history" }).count(),
      0,
    );
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await devices.scrollIntoViewIfNeeded();
      await expectAccessible(page);
      await screenshot(page, `devices-${colorScheme}`);
    }
    await devices.getByRole("button", { name: "Rename this browser" }).press(
      "Enter",
    );
    await expectAccessible(page);
    await page.getByRole("textbox", { name: "Name" }).fill("in my pocket");
    await screenshot(page, "device-name");
    await page.keyboard.press("Enter");
    await devices.getByText("in my pocket").waitFor();
    await devices.getByRole("button", { name: "Remove Chrome · Linux" })
      .click();
    await expectAccessible(page);
    const remove = page.getByRole("button", { name: "Remove device" });
    await page.getByLabel("Access key").fill("not a key");
    await remove.click();
    await page.getByRole("alert").getByText(/32 letters and digits/).waitFor();
    await page.getByLabel("Access key").fill(accessKey);
    await remove.click();
    await laptop.page.getByRole("heading", {
      name: "This browser was removed",
    }).waitFor();
    await expectAccessible(laptop.page);
    await devices.getByRole("button", { name: /^Remove/ })
      .waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    const gone = page.getByRole("status").filter({ hasText: "was removed" });
    await gone.waitFor();
    assert.equal(await gone.getByText("If this was not you").count(), 0);
    await write(bob, "to the phone");
    await message(phone, /to the phone/).waitFor();
    await write(phone, "alone again");
    await message(bob, /alone again/).waitFor();
    const left = bob.page.getByRole("status").filter({
      hasText: "Ada removed a device",
    });
    await left.waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await bob.page.emulateMedia({ colorScheme });
      await expectAccessible(bob.page);
      await screenshot(bob.page, `device-left-${colorScheme}`);
    }
    await left.getByRole("button", { name: "Understood" }).press("Enter");
    await left.waitFor({ state: "detached" });
    await laptop.page.getByRole("button", { name: "Log in" }).click();
    await laptop.page.getByRole("heading", { name: "Log in" }).waitFor();
    await laptop.page.getByRole("button", { name: "Back" }).click();
    await laptop.page.getByRole("button", { name: "Create new account" })
      .waitFor();
    // As for someone who never was here.
    assert.equal(await laptop.page.getByRole("alert").count(), 0);
    assert.equal(await laptop.page.evaluate(() => localStorage.length), 0);
    for (const person of everybody) person.expectNoProblems();
  } finally {
    for (const person of everybody) await person.close();
    await relay.stop();
  }
});
