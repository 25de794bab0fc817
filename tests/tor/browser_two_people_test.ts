/** People at two relays that are known by their onions alone, and Chromium. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  createAccount,
  enterCode,
  entry,
  generateCode,
  message,
  openCircuit,
  takeCircuit,
  write,
} from "../browser/conversation_steps.ts";
import { CONNECTION_NOTES } from "../browser/support_two.ts";
import {
  keptOf,
  queueSecrets,
  queuesIn,
  storeOf,
  written,
} from "../harness/held_secrets.ts";
import {
  freshVisitor,
  type RelayProcess,
  type Visitor,
} from "../harness/mod.ts";
import { foundInMemory, whyNoMemory } from "../harness/process_memory.ts";
import { circuitsTo } from "../harness/tor/circuits.ts";
import { torNetwork } from "../harness/tor/network.ts";
import { reachable, startOnionRelay } from "../harness/tor/onion_relay.ts";

const NAMES = ["Ada Lovelace", "Björn Ångström", "Cleo Curie"];

/** Neither relay has in its memory, on its disk or in its log what is of the other's people, or what anybody says. */
async function nobodyElsesSecrets(
  relays: readonly RelayProcess[],
  words: readonly string[],
): Promise<void> {
  const stores = await Promise.all(relays.map(storeOf));
  const secrets = stores.map((store) => queueSecrets(queuesIn(store)));
  for (const [i, relay] of relays.entries()) {
    const { names } = secrets[i];
    equal(names.size >= 2, true, "it has queues of its own people");
    const others = secrets[1 - i];
    const strange = new Map([
      ...others.names,
      ...others.others,
      ...written(words),
    ]);
    const reason = await whyNoMemory(relay.pid);
    if (reason) console.log(`Without a look into memory: ${reason}.`);
    else {
      const found = await foundInMemory(
        relay.pid,
        new Map([...names, ...strange]),
      );
      equal([...names.keys()].some((name) => found.has(name)), true);
      deepEqual([...found].filter((name) => strange.has(name)), []);
    }
    deepEqual(keptOf(strange, stores[i], relay), []);
  }
}

/** Cleo pastes a link of Ada's; then each has the other's conversation open. */
async function meetByLink(ada: Visitor, cleo: Visitor): Promise<void> {
  await ada.page.getByRole("button", { name: "Invite a friend" }).first()
    .click();
  await ada.page.getByRole("button", { name: "Create link" }).click();
  const link = await ada.page.getByRole("status", { name: "Invite link" })
    .innerText();
  await ada.page.getByRole("button", { name: "Close" }).click();
  match(link, /^http:\/\/[a-z2-7]{56}\.onion\//);
  await enterCode(cleo, link.trim());
  await cleo.page.getByRole("button", { name: "Ask to connect" }).click();
  await cleo.page.getByRole("button", { name: "Done" }).click();
  await ada.page.getByRole("button", { name: "Accept Cleo Curie" }).click();
  await entry(ada, "Cleo Curie").click();
  await entry(cleo, "Ada Lovelace").click();
}

Deno.test("people on their own onion relays meet by a code and by a link and talk across Tor, also when one relay was killed and is back; a new circuit in the page is one by Tor's own report; neither relay has what is of the other's people", async () => {
  const network = await torNetwork();
  const folder = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const start = async (name: string) => {
    const dataDir = join(folder, name);
    await Deno.mkdir(dataDir, { mode: 0o700 });
    return await startOnionRelay(network.configFile, dataDir);
  };
  const here = await start("here");
  const there = await start("there");
  let away = there.process;
  const ada = await freshVisitor({ url: here.process.url });
  const bjorn = await freshVisitor({ url: away.url });
  const cleo = await freshVisitor({ url: away.url });
  try {
    for (const [n, person] of [ada, bjorn, cleo].entries()) {
      await createAccount(person, NAMES[n]);
    }
    const code = await generateCode(ada);
    // The page is at localhost, which is no place for others.
    await ada.page.getByText(`with @${new URL(here.url).host} after it`)
      .waitFor();
    await enterCode(bjorn, `${code}@${new URL(here.url).host}`);
    await entry(ada, "Björn Ångström").waitFor();
    await entry(bjorn, "Ada Lovelace").waitFor();
    await write(ada, "Hello through the onion");
    await message(bjorn, /^Ada Lovelace: Hello through the onion, /).waitFor();
    await write(bjorn, "And back");
    await message(ada, /^Björn Ångström: And back, /).waitFor();

    const onion = new URL(there.url).hostname;
    const before = await circuitsTo(here.process, onion);
    equal(before.size, 1, "all that goes to Björn goes by one circuit");
    await openCircuit(ada, "Björn Ångström");
    await takeCircuit(ada);
    await write(ada, "By another way");
    await message(ada, /^You: By another way, .*, read$/).waitFor();
    const after = await circuitsTo(here.process, onion);
    for (const circuit of before.keys()) after.delete(circuit);
    equal(after.size, 1, "Tor reports another circuit");
    const [[, label]] = after;
    notEqual(label, [...before.values()][0], "for another label");

    await ada.page.getByText(`on ${onion}, over Tor`, { exact: true })
      .waitFor();

    await meetByLink(ada, cleo);
    await write(cleo, "By your link");
    await message(ada, /^Cleo Curie: By your link, /).waitFor();
    await write(ada, "Beside Björn");
    await message(ada, /^You: Beside Björn, .*, read$/).waitFor();
    // Two contacts at one relay: what goes to each goes by circuits of their own.
    const both = [...await circuitsTo(here.process, onion)]
      .filter(([circuit]) => !before.has(circuit));
    const toCleo = both.filter(([, theirs]) => theirs !== label);
    equal(both.length > toCleo.length, true, "Björn's is there yet");
    equal(toCleo.length > 0, true, "and Cleo's is another");
    await entry(ada, "Björn Ångström").click();

    await nobodyElsesSecrets([here.process, away], [
      ...NAMES,
      "Hello through the onion",
      "By your link",
    ]);

    await away.kill9();
    await write(ada, "Are you there?");
    away = await away.restart();
    await reachable(away);
    await message(bjorn, /^Ada Lovelace: Are you there\?, /).waitFor();
    await message(ada, /^You: Are you there\?, .*, read$/).waitFor();
    for (const person of [ada, bjorn, cleo]) {
      person.expectNoProblems(CONNECTION_NOTES);
    }
  } finally {
    for (const person of [ada, bjorn, cleo]) await person.close();
    await here.process.stop();
    await away.stop();
    await network.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
