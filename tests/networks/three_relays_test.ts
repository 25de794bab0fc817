/**
 * Three relays, each on a machine of its own as far as the system's network goes, with somebody at each. One is
 * cut off while all talk, and back; then what each relay has, keeps and sees of the others' people is looked at.
 */
import { Buffer } from "node:buffer";
import { deepEqual, equal } from "node:assert/strict";
import type { Messenger } from "../../lib/client/messenger.ts";
import type { ConversationView, DeliveryState } from "../../lib/client/view.ts";
import { headlessPerson, meetAcross, until } from "../harness/headless.ts";
import {
  keptOf,
  queueSecrets,
  queuesIn,
  storeOf,
  written,
} from "../harness/held_secrets.ts";
import { type RelayProcess, startRelay } from "../harness/mod.ts";
import {
  type Namespace,
  whyNoNamespaces,
  withNamespaces,
} from "../harness/namespaces.ts";
import { connectedWith, foundInMemory } from "../harness/process_memory.ts";

/** Plain http is for names of one machine, as far as codes go; here each is another one. */
const HOSTS = ["anna.localhost", "bo.localhost", "cleo.localhost"];
const PORT = 8_000;

/** Too long to come about by chance in a memory. */
const NAMES = ["Annemarie Ängström", "Bonifatius Brandt", "Cleopatra Curie"];
const FIRST = "the first words that they exchange";

interface Place {
  readonly machine: Namespace;
  readonly relay: RelayProcess;
  readonly person: Messenger;
}

/** What one says to another, at both ends. */
class Talk {
  readonly said: string[] = [];

  constructor(readonly from: ConversationView, readonly to: ConversationView) {}

  static async begin(
    places: readonly Place[],
    from: number,
    to: number,
  ): Promise<Talk> {
    return new Talk(
      await viewOf(places[from].person, NAMES[to]),
      await viewOf(places[to].person, NAMES[from]),
    );
  }

  async say(text: string): Promise<void> {
    this.said.push(text);
    await this.from.send(text);
  }

  /** What has arrived, in the order that it is shown in. */
  get heard(): string[] {
    return this.to.messages.value.flatMap(({ mine, body }) =>
      !mine && body.kind === "text" ? [body.text] : []
    );
  }

  get states(): DeliveryState[] {
    return this.from.messages.value.flatMap(({ mine, state }) =>
      mine && state ? [state] : []
    );
  }

  get allDelivered(): boolean {
    return this.states.length === this.said.length &&
      this.states.every((state) => state === "delivered");
  }
}

async function viewOf(
  person: Messenger,
  name: string,
): Promise<ConversationView> {
  const found = person.conversations.value.find((one) => one.name === name);
  const view = found && person.conversation(found.id);
  if (!view) throw new Error(`there is no conversation with ${name}`);
  await view.loadOlder();
  return view;
}

function reach(view: ConversationView): string {
  const route = view.contact.route.value;
  return route.at === "own" ? "own" : `${route.host} ${route.reach}`;
}

async function withPlaces(
  use: (places: readonly Place[]) => Promise<void>,
): Promise<void> {
  await withNamespaces(HOSTS, async (machines) => {
    const relays = await Promise.all(machines.map((machine) =>
      startRelay({
        port: PORT,
        within: machine.within,
        args: [
          ...["--host", "0.0.0.0", "--forward-private"],
          ...["--public-url", `http://${machine.host}:${PORT}`],
          // So that a way that leads nowhere is given up soon.
          ...["--forward-within", "2s"],
        ],
      })
    ));
    const people: Messenger[] = [];
    try {
      for (const [i, { reachedAt }] of machines.entries()) {
        const origin = `http://${reachedAt}:${PORT}`;
        people.push(await headlessPerson(origin, NAMES[i]));
      }
      const places = machines.map((machine, i): Place => ({
        machine,
        relay: relays[i],
        person: people[i],
      }));
      for (const [i, j] of [[0, 1], [0, 2], [1, 2]]) {
        await meetAcross(people[i], `${HOSTS[i]}:${PORT}`, people[j]);
      }
      await use(places);
    } finally {
      for (const person of people) await person.close();
      for (const relay of relays) await relay.stop();
    }
  });
}

const reason = await whyNoNamespaces();
if (reason) console.log(`Without network namespaces: ${reason}.`);

Deno.test({
  name:
    "of three relays one is cut off while all talk, and back: every message arrives once and in its order; no relay has in memory, on its disk or at the end of a connection what is of another's people",
  ignore: reason !== undefined,
  fn: () =>
    withPlaces(async (places) => {
      await cutOffAndBack(places);
      await nobodyElsesSecrets(places);
    }),
});

async function cutOffAndBack(places: readonly Place[]): Promise<void> {
  const [anna, bo] = places;
  const talks = await Promise.all(
    [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]]
      .map(([from, to]) => Talk.begin(places, from, to)),
  );
  const [annaToBo, , annaToCleo, cleoToAnna] = talks;
  const allSay = async (text: string, times: number) => {
    for (let n = 0; n < times; n++) {
      for (const talk of talks) await talk.say(`${text} ${n}`);
    }
  };
  await allSay(FIRST, 1);
  await until(() => talks.every(({ allDelivered }) => allDelivered));

  // The half that doubles: what Anna says arrives, and what answers it is lost.
  await bo.machine.silence(anna.machine);
  await annaToBo.say("heard, and not answered");
  await until(() => annaToBo.heard.at(-1) === "heard, and not answered");
  equal(annaToBo.states.at(-1), "sending");

  // Then nothing comes through, either way, and nobody is told.
  await allSay("as the plug is pulled", 2);
  await bo.machine.unplug();
  await allSay("without it", 3);
  const host = `${HOSTS[1]}:${PORT}`;
  await until(() =>
    reach(annaToBo.from) === `${host} unreachable` &&
    [annaToCleo, cleoToAnna].every(({ allDelivered }) => allDelivered)
  );
  equal(annaToBo.states.at(-1), "sending", "it waits");
  equal(annaToBo.heard.includes("without it 0"), false);
  equal(anna.person.connection.value.at, "online");
  await allSay("later", 2);

  await bo.machine.plug();
  await bo.machine.unsilence(anna.machine);
  await until(() => talks.every(({ allDelivered }) => allDelivered));
  for (const { heard, said } of talks) deepEqual(heard, said);
  equal(reach(annaToBo.from), `${host} reached`);
}

async function nobodyElsesSecrets(places: readonly Place[]): Promise<void> {
  const stores = await Promise.all(places.map(({ relay }) => storeOf(relay)));
  const owns = stores.map((store) => queueSecrets(queuesIn(store)));
  const words = written([FIRST, ...NAMES]);
  for (const [i, { relay }] of places.entries()) {
    const own = owns[i];
    equal(own.names.size >= 2, true, "it has queues of its own person");
    const known = new Map(HOSTS.map((host) => [host, Buffer.from(host)]));
    const strange = places.flatMap(({ machine: { seenFrom } }, other) =>
      other === i ? [] : [
        ...owns[other].names,
        ...owns[other].others,
        [`address ${seenFrom}`, Buffer.from(seenFrom)] as const,
      ]
    );
    const secret = new Map([...strange, ...words]);
    const inMemory = await foundInMemory(
      relay.pid,
      new Map([...own.names, ...known, ...secret]),
    );
    const expected = [...own.names, ...known].map(([name]) => name);
    // What a relay has to know is found, in the same reading: so would be what it must not know.
    deepEqual([...inMemory].toSorted(), expected.toSorted());
    deepEqual(keptOf(secret, stores[i], relay), []);
    const ends = await connectedWith(relay.pid);
    const people = places.map(({ machine }) => machine.seenFrom);
    deepEqual(people.filter((at) => ends.has(at)), [people[i]]);
  }
}
