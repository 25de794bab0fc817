/** One person with two browsers, and a friend. */
import {
  expectAccessible,
  freshPerson,
  type Person,
  startRelay,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
  write,
} from "./conversation_steps.ts";

async function standBeside(person: Person, accessKey: string): Promise<void> {
  const { page } = person;
  await page.getByRole("button", { name: "Log in" }).first().click();
  await page.getByLabel("Access key").fill(accessKey);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("button", { name: "Add this browser" }).click();
}

Deno.test("a browser stands beside another with the access key, and what is said, read and drafted is on both", async () => {
  const relay = await startRelay();
  const fresh = () => freshPerson({ url: relay.url, reducedMotion: "reduce" });
  const [phone, laptop, bob] = [await fresh(), await fresh(), await fresh()];
  const everybody = [phone, laptop, bob];
  try {
    const accessKey = await createAccount(phone, "Ada");
    await createAccount(bob, "Bob");
    await connect(phone, bob);
    await phone.page.getByRole("button", { name: "Settings", exact: true })
      .click();
    await phone.page.getByText(/sealed: only your access key opens them/)
      .waitFor();
    await phone.page.keyboard.press("Escape");
    await standBeside(laptop, accessKey);
    await entry(laptop, "Bob").click();
    await expectAccessible(laptop.page);
    await write(laptop, "from the laptop");
    for (const person of everybody) {
      await message(person, /from the laptop/).waitFor();
    }
    await write(bob, "to both");
    for (const person of everybody) await message(person, /to both/).waitFor();
    await write(phone, "from the phone");
    for (const person of everybody) {
      await message(person, /from the phone/).waitFor();
    }
    for (const person of [phone, laptop]) {
      await message(person, /from the phone.*read/).waitFor();
    }
    await phone.page.getByLabel("Message", { exact: true }).fill("half a");
    await laptop.page.waitForFunction(() =>
      document.querySelector("textarea")?.value === "half a"
    );
    for (const person of everybody) person.expectNoProblems();
  } finally {
    for (const person of everybody) await person.close();
    await relay.stop();
  }
});
