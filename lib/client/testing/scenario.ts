/**
 * The whole story of two people, told so that either may die and come back at any moment: every
 * step looks at what there is, as a person in front of a screen does, and does what is missing.
 */
import assert from "node:assert/strict";
import type { Messenger } from "../messenger.ts";
import {
  type ContactRecord,
  contactsTable,
  contactTable,
  dueTable,
  laneTable,
  queueTable,
  SELF,
} from "../records.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import type { ConversationView, InviteView, MessageView } from "../view.ts";
import { openContact } from "../contact.ts";
import { queueName } from "../queues.ts";
import type { Person, World } from "./world.ts";

export interface Role {
  readonly name: string;
  readonly person: Person;
  /** What this person will have said. */
  readonly texts: readonly string[];
}

/** Makes sure that the person is there, with an account; starts again after a death. */
export async function present(world: World, role: Role): Promise<Messenger> {
  const { person, name } = role;
  while (true) {
    if (!person.alive) await attempt(world, person, () => person.start());
    if (!person.alive) continue;
    const { messenger } = person;
    if (person.phase === "no-account") {
      await attempt(world, person, async () => {
        await (await messenger.newAccount(name)).commit();
      });
    }
    if (!person.alive) continue;
    assert.equal(person.phase, "ready");
    return messenger;
  }
}

/** Does something that may be cut short by death; what it throws alive is thrown here. */
export async function attempt(
  world: World,
  person: Person,
  action: () => Promise<unknown>,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  let ended = false;
  let failure: { error: unknown } | undefined;
  action().catch((error: unknown) => {
    failure = { error };
  }).finally(() => {
    ended = true;
    over.resolve();
  });
  await world.until(
    () => ended || person.started && !person.alive,
    "an action comes to its end",
  );
  if (failure && person.alive) throw failure.error;
}

export function conversationOf(
  messenger: Messenger,
): ConversationView | undefined {
  const [summary] = messenger.conversations.value;
  return summary && messenger.conversation(summary.id);
}

export function textsOf(messages: readonly MessageView[]): string[] {
  return messages.map(({ body }) => body.kind === "text" ? body.text : "?");
}

/** Both have accounts, meet, say what they have to say, and see that it was read. */
export async function play(world: World, a: Role, b: Role): Promise<void> {
  await meet(world, a, b);
  for (const [one, other] of [[a, b], [b, a]]) {
    for (const text of one.texts) await say(world, one, other, text);
  }
  await untilRead(world, a, b);
}

/** Nobody has to make or enter a code twice, however often they die: only what was not yet on disk. */
async function meet(world: World, a: Role, b: Role): Promise<void> {
  while (true) {
    const inviter = await present(world, a);
    const joiner = await present(world, b);
    const met = [inviter, joiner].map((m) => m.conversations.value.length > 0);
    if (met[0] && met[1]) return;
    const { offer } = inviter.invite;
    const { join } = joiner.invite;
    for (const { invite } of [inviter, joiner]) {
      // The network failed while a code was asked for or entered: nothing has begun.
      if (failedOffline(invite)) invite.reset();
    }
    assert.notEqual(offer.value.at, "failed", JSON.stringify(offer.value));
    assert.notEqual(join.value.at, "failed", JSON.stringify(join.value));
    if (offer.value.at === "none" && !met[0]) {
      await untilOnline(world, a.person);
      if (!a.person.alive) continue;
      await attempt(world, a.person, () => inviter.invite.generate());
    } else if (offer.value.at === "waiting" && join.value.at === "none") {
      const { code } = offer.value;
      await untilOnline(world, b.person);
      if (!b.person.alive) continue;
      await attempt(world, b.person, () => joiner.invite.connect(code));
    } else {
      const before = [offer.value.at, join.value.at].join();
      await world.until(
        () =>
          !a.person.alive || !b.person.alive ||
          [offer.value.at, join.value.at].join() !== before,
        `${a.name} and ${b.name} get on with meeting`,
      );
    }
  }
}

function failedOffline({ offer, join }: InviteView): boolean {
  return [offer.value, join.value].some((state) =>
    state.at === "failed" && state.reason === "offline"
  );
}

export async function untilOnline(world: World, person: Person): Promise<void> {
  await world.until(
    () => !person.alive || person.messenger.connection.value.at === "online",
    "someone is online",
  );
}

/** One says something to the other, once, whoever dies meanwhile. */
export async function say(
  world: World,
  speaker: Role,
  listener: Role,
  text: string,
): Promise<void> {
  while (true) {
    const messenger = await present(world, speaker);
    await present(world, listener);
    const conversation = conversationOf(messenger);
    assert.ok(conversation);
    await attempt(world, speaker.person, () => conversation.loadOlder());
    if (!speaker.person.alive) continue;
    if (textsOf(conversation.messages.value).includes(text)) return;
    await attempt(world, speaker.person, () => conversation.send(text));
  }
}

/** Until each has read what the other said, with the conversation open. */
export async function untilRead(world: World, a: Role, b: Role): Promise<void> {
  while (true) {
    const conversations: (ConversationView | undefined)[] = [];
    for (const role of [a, b]) {
      const conversation = conversationOf(await present(world, role));
      conversation?.setVisible(true);
      conversations.push(conversation);
    }
    const done = () =>
      conversations.every((conversation) => {
        const own = conversation?.messages.value.filter(({ mine }) => mine);
        return own && own.length > 0 &&
          own.every(({ state }) => state === "read");
      });
    const dead = () => !a.person.alive || !b.person.alive;
    await world.until(() => dead() || done(), "everything was read");
    if (!dead()) return;
  }
}

/**
 * Ends the story and checks it: nothing lost, nothing doubled, everybody's words in their order,
 * nothing left on the way, and every envelope was read or known.
 */
export async function assertWhole(
  world: World,
  a: Role,
  b: Role,
): Promise<void> {
  await comeToRest(world, [a, b]);
  const all = [...a.texts, ...b.texts].sort();
  for (const role of [a, b]) {
    const messages = conversationOf(role.person.messenger)?.messages.value ??
      [];
    assert.deepEqual(
      textsOf(messages).sort(),
      all,
      `${role.name} has it all, once`,
    );
    for (const speaker of [a, b]) {
      const said = messages.filter(({ mine }) => mine === (speaker === role));
      assert.deepEqual(
        textsOf(said),
        speaker.texts,
        "in the order it was said",
      );
    }
  }
  for (const { person, name } of [a, b]) {
    await person.close();
    assert.deepEqual(await leftovers(person), {
      onTheWay: 0,
      unreadable: 0,
      receiptsDue: 0,
      contacts: 1,
    }, `${name}'s disk`);
  }
}

/** What does not arrive in so many rests never will. */
const MAX_RESTS = 100;

/** Until nothing more happens and nothing is on its way, with everybody there and their conversation open. */
async function comeToRest(
  world: World,
  roles: readonly Role[],
): Promise<void> {
  for (let rests = 0; rests < MAX_RESTS; rests++) {
    for (const role of roles) {
      const conversation = conversationOf(await present(world, role));
      assert.ok(conversation);
      await attempt(world, role.person, () => conversation.loadOlder());
    }
    await world.settle();
    if (roles.some(({ person }) => !person.alive)) continue;
    const left = await Promise.all(
      roles.map(({ person }) => leftovers(person)),
    );
    if (left.every((each) => each.onTheWay + each.receiptsDue === 0)) return;
  }
}

/** What the disk of a person says, who may be using it. */
export async function leftovers(person: Person) {
  const disk = new MemoryDisk();
  disk.copy(person.disk);
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  let [onTheWay, unreadable, receiptsDue] = [0, 0, 0];
  for (const id of ids) {
    const record: ContactRecord | undefined = await vault.get(contactTable, id);
    assert.ok(record);
    for (const { address } of (await openContact(record)).devices) {
      const lane = await vault.get(
        laneTable,
        queueName(address.send.publicKey),
      );
      onTheWay += (lane?.next ?? 0) - (lane?.first ?? 0);
    }
    for (const name of record.queues) {
      unreadable += (await vault.get(queueTable, name))?.unreadable ?? 0;
    }
    if (await vault.get(dueTable, id)) receiptsDue++;
  }
  await vault.close();
  return { onTheWay, unreadable, receiptsDue, contacts: ids.length };
}
