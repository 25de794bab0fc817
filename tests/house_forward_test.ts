/** Two relays as hosts run them, people at each, and what there is to be seen of it anywhere. */
import { Buffer } from "node:buffer";
import { deepEqual, equal } from "node:assert/strict";
import type { Messenger } from "../lib/client/messenger.ts";
import type { ConversationView } from "../lib/client/view.ts";
import { RelayClient } from "../lib/relay/testing/relay_client.ts";
import { FEATURES } from "../lib/wire/mod.ts";
import { headlessPerson, meetAcross, until } from "./harness/headless.ts";
import { startRelay } from "./harness/mod.ts";
import { storeContents } from "./harness/store_contents.ts";
import { playTor } from "./harness/tor/played_tor.ts";
import { Tap } from "./harness/tap.ts";

async function only(messenger: Messenger): Promise<ConversationView> {
  const [{ id }] = messenger.conversations.value;
  const view = messenger.conversation(id);
  if (!view) throw new Error("there is no conversation");
  await view.loadOlder();
  return view;
}

function textsOf(view: ConversationView): string[] {
  return view.messages.value.map(({ body }) =>
    body.kind === "text" ? body.text : "?"
  ).toSorted();
}

/** Too long to come about by chance among so many random bytes. */
const NAMES = ["Adelheid", "Balthasar"];

Deno.test("people at two relays talk through kill -9 of either; no relay has or sees what is the other's, nor does who listens between them", async () => {
  const args = ["--forward-private"];
  // All that the relays say to each other goes through here: these are their public addresses.
  const taps = [new Tap(), new Tap()];
  const hosts = taps.map(({ port }) => `localhost:${port}`);
  const dirs = await Promise.all(
    taps.map(() => Deno.makeTempDir({ prefix: "whisper-forward-" })),
  );
  const relays = await Promise.all(
    hosts.map((host, i) =>
      startRelay({
        dataDir: dirs[i],
        args: [...args, "--public-url", `http://${host}`],
      })
    ),
  );
  for (const [i, tap] of taps.entries()) tap.target = relays[i].port;
  const people: Messenger[] = [];
  try {
    for (const [i, name] of NAMES.entries()) {
      people.push(await headlessPerson(relays[i].url, name));
    }
    const [ada, bob] = people;
    await meetAcross(ada, hosts[0], bob);
    const [a, b] = [await only(ada), await only(bob)];
    const said: string[] = [];
    for (let round = 0; round < 2; round++) {
      const victim = round % 2;
      for (const [view, who] of [[a, "Ada"], [b, "Bob"]] as const) {
        for (const n of [1, 2]) {
          said.push(`${who} ${round} ${n}`);
          await view.send(`${who} ${round} ${n}`);
          if (n === 1 && who === "Ada") await relays[victim].kill9();
        }
      }
      relays[victim] = await relays[victim].restart();
      await until(() =>
        [a, b].every(({ messages }) => messages.value.length >= said.length)
      );
    }
    await until(() =>
      [a, b].every(({ messages }) =>
        messages.value.every(({ mine, state }) =>
          !mine || state === "delivered"
        )
      )
    );
    for (const view of [a, b]) deepEqual(textsOf(view), said.toSorted());
  } finally {
    for (const person of people) await person.close();
    for (const relay of relays) await relay.stop();
    for (const tap of taps) await tap.stop();
  }
  const [one, two] = await Promise.all(dirs.map(storeContents));
  const between = Buffer.concat(taps.map(({ passed }) => passed));
  const log = Buffer.from(relays.map(({ output }) => output()).join("\n"));
  // What was tapped is what there was: both greeted, and what they said is whole.
  equal(between.includes(hosts[0]) && between.includes(hosts[1]), true);
  for (const [mine, other] of [[one, two], [two, one]]) {
    equal(mine.queues.length >= 2, true, "each has queues of its own people");
    for (const queue of mine.queues) {
      equal(other.bytes.includes(queue), false, "at the other relay");
      equal(between.includes(queue), false, "between the two");
      equal(log.includes(queue.toString("hex")), false);
    }
  }
  // Nor who forwards to whom, on any disk; and nobody's words, name or address anywhere.
  for (const { bytes } of [one, two]) {
    for (const host of hosts) equal(bytes.includes(host), false, host);
  }
  const everything = Buffer.concat([one.bytes, two.bytes, between, log]);
  for (const word of ["Ada 0 1", "Bob 0 1", ...NAMES, "127.0.0.1:"]) {
    equal(everything.includes(word), false, word);
  }
  for (const dir of dirs) await Deno.remove(dir, { recursive: true });
});

Deno.test("a relay that forwards through Tor only says so to its people, and another does not", async () => {
  const tor = playTor();
  const onlyTor = ["--forward-through-tor", "--tor-control", tor.control];
  try {
    for (const args of [[], onlyTor]) {
      const relay = await startRelay({ args });
      try {
        const client = await RelayClient.overWebSocket(
          `${relay.url.replace("http", "ws")}/relay`,
        );
        const expected = args === onlyTor ? FEATURES.throughTor : 0;
        equal(client.hello.features, expected);
        await client.close();
      } finally {
        await relay.stop();
      }
    }
  } finally {
    tor.close();
  }
});
