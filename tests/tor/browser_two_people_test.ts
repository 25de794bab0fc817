/** Two people, each with a relay of their own that is known by its onion alone, and Chromium. */
import { equal, notEqual } from "node:assert/strict";
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
import { freshVisitor } from "../harness/mod.ts";
import { circuitsTo } from "../harness/tor/circuits.ts";
import { torNetwork } from "../harness/tor/network.ts";
import { reachable, startOnionRelay } from "../harness/tor/onion_relay.ts";

Deno.test("two people on their own onion relays meet by a code and talk across Tor, also when one relay was killed and is back; a new circuit in the page is one by Tor's own report", async () => {
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
  try {
    await createAccount(ada, "Ada Lovelace");
    await createAccount(bjorn, "Björn Ångström");
    const code = await generateCode(ada);
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

    await away.kill9();
    await write(ada, "Are you there?");
    away = await away.restart();
    await reachable(away);
    await message(bjorn, /^Ada Lovelace: Are you there\?, /).waitFor();
    await message(ada, /^You: Are you there\?, .*, read$/).waitFor();
    for (const person of [ada, bjorn]) {
      person.expectNoProblems(CONNECTION_NOTES);
    }
  } finally {
    for (const person of [ada, bjorn]) await person.close();
    await here.process.stop();
    await away.stop();
    await network.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
