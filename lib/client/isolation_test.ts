/** What goes to people at other relays, by the isolation labels that the own relay is told. */
import assert from "node:assert/strict";
import { accountTable, isolationTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import {
  codeOf,
  done,
  newcomer,
  online,
  only,
  saved,
  sees,
  withWorld,
} from "./testing/people.ts";
import type { Person, World } from "./testing/world.ts";
import type { ConversationView } from "./view.ts";

const OTHER = "https://other.example";

/** Ada, who knows Bob and Cem, both at another relay, in a world where labels count as over Tor. */
async function friends(world: World) {
  world.dialler.perLabel = true;
  await world.startOther(OTHER);
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob", { at: OTHER });
  const cem = await newcomer(world, "Cem", { at: OTHER });
  for (const joiner of [bob, cem]) {
    const code = `${await codeOf(ada)}@${new URL(ada.at).host}`;
    await joiner.messenger.invite.connect(code);
    await world.until(
      () =>
        ada.messenger.invite.offer.value.at === "connected" &&
        joiner.messenger.invite.join.value.at === "connected",
      "two people at two relays have met",
    );
    await sayTo(world, ada, joiner, "hello");
  }
  return { ada, bob, cem };
}

function withName({ messenger }: Person, name: string): ConversationView {
  const summary = messenger.conversations.value.find((of) => of.name === name);
  const view = summary && messenger.conversation(summary.id);
  assert.ok(view);
  return view;
}

async function sayTo(
  world: World,
  from: Person,
  to: Person,
  text: string,
): Promise<void> {
  const name = to.messenger.me.value?.name ?? "";
  const before = (await only(to)).messages.value.map(({ body }) =>
    body.kind === "text" ? body.text : "?"
  );
  await withName(from, name).send(text);
  await sees(world, await only(to), [...before, text]);
}

/** The labels by which the other relay was dialled since, once everything has come to rest. */
async function labelsSince(world: World, dialled: number): Promise<string[]> {
  await world.settle();
  const labels = world.dialler.dialled.slice(dialled)
    .filter(({ origin }) => origin === OTHER)
    // Behind a dot is which attempt it is, after one that was lost.
    .map(({ isolation }) => isolation.split(".")[0]);
  return [...new Set(labels)];
}

/** Whether there is a label for a contact on somebody's disk. Both are closed for that. */
async function labelKept(whose: Person, of: Person): Promise<boolean> {
  await whose.close();
  await of.close();
  const vaults = [whose, of].map(({ disk }) => Vault.open(disk.platform()));
  const [mine, theirs] = await Promise.all(vaults);
  assert.ok(mine instanceof Vault && theirs instanceof Vault);
  const account = await theirs.get(accountTable, SELF);
  assert.ok(account);
  const record = await mine.get(isolationTable, account.accountId);
  await mine.close();
  await theirs.close();
  return record !== undefined;
}

Deno.test("each contact has a label of their own, also after the page was loaded again", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await friends(world);
    const labels = await labelsSince(world, 0);
    assert.equal(labels.length, 2);
    await ada.close();
    // The other relay is started anew, so that it has to be dialled again.
    await world.stopOther(OTHER);
    await world.startOther(OTHER);
    const dialled = world.dialler.dialled.length;
    await ada.start();
    await online(world, ada);
    await sayTo(world, ada, bob, "again");
    await sayTo(world, ada, cem, "again");
    assert.deepEqual(
      (await labelsSince(world, dialled)).toSorted(),
      labels.toSorted(),
    );
  }));

Deno.test("what goes to a contact's device and to their account's queue goes by one label, and another device of ours has other labels", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await friends(world);
    const before = await labelsSince(world, 0);
    await saved(world, ada);
    await ada.close();
    const dialled = world.dialler.dialled.length;
    const again = world.person();
    const messenger = await again.start();
    await done(world, messenger.comeBack(ada.accessKey, "instead"));
    await online(world, again);
    // It announces itself to the accounts of both, who answer; then it writes to their devices.
    for (const friend of [bob, cem]) {
      const name = friend.messenger.me.value?.name ?? "";
      await world.until(
        () => withName(again, name).contact.state.value.connected,
        "they are connected",
      );
      await sayTo(world, again, friend, "from another device");
    }
    const labels = await labelsSince(world, dialled);
    assert.equal(labels.length, 2);
    for (const label of labels) assert.ok(!before.includes(label));
  }));

Deno.test("a new circuit is another label, for one contact, and loses nothing", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await friends(world);
    const before = await labelsSince(world, 0);
    const dialled = world.dialler.dialled.length;
    const toBob = withName(ada, "Bob");
    await toBob.send("on its way");
    await toBob.contact.newCircuit();
    await toBob.send("by another way");
    await sees(world, await only(bob), [
      "hello",
      "on its way",
      "by another way",
    ]);
    await sayTo(world, ada, cem, "as ever");
    const [label, ...more] = await labelsSince(world, dialled);
    assert.deepEqual(more, [], "one label is new, Cem's is not");
    assert.ok(!before.includes(label));

    await ada.close();
    await world.stopOther(OTHER);
    await world.startOther(OTHER);
    const restarted = world.dialler.dialled.length;
    await ada.start();
    await online(world, ada);
    await sayTo(world, ada, bob, "still by that one");
    assert.deepEqual(await labelsSince(world, restarted), [label]);
  }));

Deno.test("of a contact who is deleted no label stays, and whoever is met anew has another one", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await friends(world);
    const before = await labelsSince(world, 0);
    const dialled = world.dialler.dialled.length;
    await withName(ada, "Bob").contact.remove();
    await world.settle();
    const code = `${await codeOf(ada)}@${new URL(ada.at).host}`;
    await bob.messenger.invite.connect(code);
    await world.until(
      () => ada.messenger.invite.offer.value.at === "connected",
      "they have met anew",
    );
    const [label, ...more] = await labelsSince(world, dialled);
    assert.deepEqual(more, []);
    assert.ok(!before.includes(label));
    await withName(ada, "Bob").contact.remove();
    await world.settle();
    assert.equal(await labelKept(ada, bob), false);
    assert.equal(await labelKept(ada, cem), true);
  }));

Deno.test("two people are met at another relay by two labels, which are none of theirs", () =>
  withWorld(async (world) => {
    world.dialler.perLabel = true;
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    for (const name of ["Bob", "Cem"]) {
      const friend = await newcomer(world, name, { at: OTHER });
      const code = `${await codeOf(friend)}@${new URL(OTHER).host}`;
      await ada.messenger.invite.connect(code);
      await world.until(
        () =>
          friend.messenger.conversations.value.length === 1 &&
          ada.messenger.invite.join.value.at === "connected",
        "they have met",
      );
      await sayTo(world, ada, friend, "hello");
    }
    assert.equal((await labelsSince(world, 0)).length, 4);
  }));
