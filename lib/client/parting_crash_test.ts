/** Blocking, deleting and clearing, with a death at every moment there is. */
import assert from "node:assert/strict";
import {
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

interface Deed {
  readonly what: string;
  /** Messages from Bob before it. */
  readonly messages: number;
  /** Whether it was done, as Ada sees it. */
  done(ada: Person): boolean;
  act(ada: Person): Promise<void>;
  /** What holds in the end. `entries`: on Ada's disk before she knew Bob. */
  check(
    world: World,
    ada: Person,
    bob: Person,
    entries: number,
  ): Promise<void>;
}

const summaryOf = ({ messenger }: Person) => messenger.conversations.value[0];

const DEEDS: readonly Deed[] = [
  {
    what: "a block",
    messages: 1,
    done: (ada) => summaryOf(ada).contact.blocked,
    act: async (ada) => await (await only(ada)).contact.block(),
    check: async (world, ada, bob) => {
      await queuesAre(world, 4);
      const b = await only(bob);
      await b.send("are you there?");
      await world.until(
        () => b.messages.value.at(-1)?.state === "failed",
        "Bob reaches nobody",
      );
      await sees(world, await only(ada), ["0"]);
    },
  },
  {
    what: "a deletion",
    messages: 55,
    done: (ada) => summaryOf(ada) === undefined,
    act: async (ada) => await (await only(ada)).contact.remove(),
    check: async (world, ada, _bob, entries) => {
      await queuesAre(world, 4);
      // The relay's record, and two lists that are empty again.
      assert.ok(ada.disk.entries().length <= entries + 3);
    },
  },
  {
    what: "a clearing",
    messages: 55,
    done: (ada) => summaryOf(ada).last === undefined,
    act: async (ada) => await (await only(ada)).clear(),
    check: async (world, ada, bob, entries) => {
      // Contact, conversation, two queues, session, lane and the last page of its order.
      assert.ok(ada.disk.entries().length <= entries + 12);
      await (await only(bob)).send("anew");
      await sees(world, await only(ada), ["anew"]);
    },
  },
];

for (const deed of DEEDS) {
  Deno.test(`${deed.what} that is cut short at any moment is done or not, and done when tried again`, async () => {
    let deaths = 0;
    while (await diesAt(deed, deaths)) deaths++;
    assert.ok(deaths >= 3, `${deaths} moments`);
  });
}

/** Tells the story with a death at that moment of the deed; false when it was over before. */
function diesAt(deed: Deed, moment: number): Promise<boolean> {
  let died = false;
  return withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await world.settle();
    const entries = ada.disk.entries().length;
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const b = await only(bob);
    for (let i = 0; i < deed.messages; i++) await b.send(`${i}`);
    await world.until(
      () => summaryOf(ada).unread === deed.messages,
      "all came",
    );
    await world.settle();

    let moments = 0;
    ada.onMoment = (now) => {
      // To die after a commit is mostly to die before the next step.
      if (!SLOW && now.at === "commit" && now.when === "after") return false;
      died = moments++ === moment;
      return died;
    };
    await attempt(world, ada, () => deed.act(ada));
    await world.settle();
    ada.onMoment = undefined;
    if (!ada.alive) await ada.start();
    if (!deed.done(ada)) await deed.act(ada);
    await online(world, ada);
    await world.settle();
    await deed.check(world, ada, bob, entries);
  }).then(() => died);
}
