/** One person with two browsers, and a friend. */
import {
  expectAccessible,
  freshPerson,
  type Person,
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

/** Until the backup of what there is is at the relay, as the settings say. */
async function backedUp({ page }: Person): Promise<void> {
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByText(/sealed: only your access key opens them/).waitFor();
  await page.keyboard.press("Escape");
}

async function standBeside(person: Person, accessKey: string): Promise<void> {
  const { page } = person;
  await page.getByRole("button", { name: "Log in" }).first().click();
  await page.getByLabel("Access key").fill(accessKey);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("button", { name: "Add this browser" }).click();
}

Deno.test("browsers stand beside another with the access key, and what is said, read and drafted is on all of them", async () => {
  const relay = await startRelay();
  const fresh = () => freshPerson({ url: relay.url, reducedMotion: "reduce" });
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
    for (const person of [...own, bob, cem]) person.expectNoProblems();
  } finally {
    for (const person of [...own, bob, cem]) await person.close();
    await relay.stop();
  }
});

Deno.test("a device is removed in the settings, with the access key: it is told, erases all, and the others go on", async () => {
  const relay = await startRelay();
  const fresh = () => freshPerson({ url: relay.url, reducedMotion: "reduce" });
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
    await notice.getByText("Chrome · Linux was added.").waitFor();
    await expectAccessible(page);
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    const devices = page.getByRole("list", { name: "Devices" });
    await devices.getByText("This browser").waitFor();
    await devices.getByText("Last used: Today").waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await devices.scrollIntoViewIfNeeded();
      await expectAccessible(page);
      await screenshot(page, `devices-${colorScheme}`);
    }
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
    await devices.getByRole("button").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await write(bob, "to the phone");
    await message(phone, /to the phone/).waitFor();
    await write(phone, "alone again");
    await message(bob, /alone again/).waitFor();
    await laptop.page.getByRole("button", { name: "Reload" }).click();
    await laptop.page.getByRole("button", { name: "Create new account" })
      .waitFor();
    for (const person of everybody) person.expectNoProblems();
  } finally {
    for (const person of everybody) await person.close();
    await relay.stop();
  }
});
