/** What the settings say of the server. */
import { equal } from "node:assert/strict";
import { openOnionKey } from "../../server/tor/onion_directory.ts";
import { expectAccessible, freshVisitor, startRelay } from "../harness/mod.ts";
import { playTor } from "../harness/tor/played_tor.ts";
import { createAccount } from "./conversation_steps.ts";

Deno.test("the settings name the server, and its onion service while it can be reached", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const { address } = await openOnionKey(dataDir);
  const url = `http://${address}`;
  const tor = playTor();
  tor.knows(address);
  const args = ["--tor", "--tor-control", tor.control];
  const relay = await startRelay({ dataDir, args });
  await relay.prints(/can be reached by everybody/);
  const ada = await freshVisitor({ url: relay.url });
  const { page } = ada;
  const settings = async () => {
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    const { host } = new URL(relay.url);
    await page.getByText(`This browser talks to ${host}`).waitFor();
  };
  try {
    await createAccount(ada, "Ada");
    await settings();
    await page.getByText(url, { exact: true }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    tor.close();
    await relay.prints(/^tor: /m);
    const asked = page.waitForResponse((response) =>
      response.request().method() === "HEAD"
    );
    await settings();
    await asked;
    equal(await page.getByText(url, { exact: true }).count(), 0);
    ada.expectNoProblems();
  } finally {
    await ada.close();
    await relay.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
