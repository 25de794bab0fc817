import assert from "node:assert/strict";
import { accepts, asks, invitationsOf, linkOf } from "./testing/links.ts";
import {
  meet,
  newcomer,
  only,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import type { Person } from "./testing/world.ts";

const summaryOf = ({ messenger }: Person) => messenger.conversations.value[0];
const stateOf = (person: Person) => summaryOf(person).contact;

async function again(person: Person): Promise<void> {
  await person.messenger.close();
  await person.start();
}

Deno.test("a contact is called by the own name for them, and keeps the name they chose", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const { contact, name } = await only(ada);
    await contact.rename("  Bob from work ");
    assert.equal(name.value, "Bob from work");
    await again(ada);
    assert.equal(summaryOf(ada).name, "Bob from work");
    assert.equal(stateOf(ada).chosenName, "Bob");
    assert.equal(summaryOf(bob).name, "Ada", "nobody else hears of it");

    const renamed = await only(ada);
    await assert.rejects(renamed.contact.rename("x".repeat(65)), RangeError);
    assert.equal(renamed.name.value, "Bob from work");
    await renamed.contact.rename(" ");
    assert.equal(renamed.name.value, "Bob");
  }));

Deno.test("who calls themselves what a contact is called is told from them, when they ask and ever after", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    // A Cyrillic letter, and one that nobody sees.
    const other = await newcomer(world, "\u0412ob\u200b");
    await meet(world, ada, other);
    const areNamed = async (...names: string[]) => {
      const shown = () =>
        ada.messenger.conversations.value.map(({ name }) => name).sort();
      await world.until(
        () => shown().join() === names.join(),
        `they are shown as ${names}`,
      );
    };
    await areNamed("Bob", "\u0412ob\u200b (2)");
    await again(ada);
    await areNamed("Bob", "\u0412ob\u200b (2)");
    const third = await newcomer(world, "bob");
    await asks(world, third, await linkOf(world, ada));
    const { requests } = await invitationsOf(ada);
    await world.until(() => requests.value.length > 0, "somebody asks");
    assert.equal(requests.value[0].name, "bob (3)");
    await accepts(world, ada);
    await areNamed("Bob", "bob (3)", "\u0412ob\u200b (2)");

    const [{ id }] = ada.messenger.conversations.value
      .filter(({ name }) => name === "bob (3)");
    const contact = ada.messenger.conversation(id)?.contact;
    assert.ok(contact);
    // As the field has it when nothing was written there.
    await contact.rename("bob (3)");
    for (const { contact, id } of ada.messenger.conversations.value) {
      if (contact.name === "bob (3)") continue;
      await ada.messenger.conversation(id)?.contact.remove();
    }
    await areNamed("bob");
  }));

Deno.test("a mute is kept through a restart, and what is written then is unread all the same", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(ada)).contact.setMuted(true);
    await again(ada);
    await (await only(bob)).send("psst");
    await sees(world, await only(ada), ["psst"]);
    assert.equal(stateOf(ada).muted, true);
    assert.equal(summaryOf(ada).unread, 1);
    await (await only(ada)).contact.setMuted(false);
    assert.equal(stateOf(ada).muted, false);
  }));

Deno.test("an archived conversation comes back with a new message, unless it is muted", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const a = await only(ada);
    await a.contact.setArchived(true);
    await again(ada);
    assert.equal(stateOf(ada).archived, true);
    await (await only(bob)).send("one");
    await sees(world, await only(ada), ["one"]);
    assert.equal(stateOf(ada).archived, false);

    const { contact } = await only(ada);
    await contact.setArchived(true);
    await contact.setMuted(true);
    await (await only(bob)).send("two");
    await sees(world, await only(ada), ["one", "two"]);
    assert.equal(stateOf(ada).archived, true);
    // What one writes oneself brings nothing back.
    await contact.setMuted(false);
    await (await only(ada)).send("three");
    await world.settle();
    assert.equal(stateOf(ada).archived, true);
  }));

Deno.test("a cleared conversation is empty on this side, and goes on", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    const texts = Array.from({ length: 60 }, (_, i) => `${i}`);
    for (const text of texts) await b.send(text);
    await world.until(() => summaryOf(ada).unread === 60, "all came");
    a.setDraft("a draft");
    await world.settle();
    const before = ada.disk.entries().length;
    await a.clear();
    assert.deepEqual(a.messages.value, []);
    assert.equal(a.hasOlder.value, false);
    assert.equal(a.draft.value, "");
    assert.equal(summaryOf(ada).unread, 0);
    assert.equal(summaryOf(ada).last, undefined);
    await world.settle();
    assert.ok(ada.disk.entries().length <= before - 60, "they left the disk");
    assert.equal(b.messages.value.length, 60, "the other side keeps its own");

    await b.send("anew");
    await sees(world, a, ["anew"]);
    await again(ada);
    const reopened = await only(ada);
    await sees(world, reopened, ["anew"]);
    assert.equal(reopened.hasOlder.value, false);
    await reopened.send("an answer");
    await sees(world, b, [...texts, "anew", "an answer"]);
  }));

Deno.test("a message on its way when its conversation is cleared arrives all the same", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    ada.unreachable = true;
    ada.cut();
    const a = await only(ada);
    await a.send("said is said");
    await a.clear();
    await world.settle();
    ada.unreachable = false;
    ada.messenger.reconnect();
    await sees(world, await only(bob), ["said is said"]);
    await world.settle();
    assert.deepEqual(a.messages.value, []);
  }));

Deno.test("an export has contacts and messages, no key, and is JSON also while it is long", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    await meet(world, ada, bob);
    await meet(world, ada, cem);
    const summaries = ada.messenger.conversations.value;
    const withBob = ada.messenger.conversation(
      summaries.find(({ name }) => name === "Bob")?.id ?? "",
    );
    assert.ok(withBob);
    await withBob.contact.rename("Bo");
    const texts = Array.from({ length: 120 }, (_, i) => `"${i}"\n`);
    for (const text of texts) await withBob.send(text);
    await world.until(
      () => withBob.messages.value.at(-1)?.state === "delivered",
      "Bob has it all",
    );
    await (await only(bob)).send("an answer");
    await world.until(
      () =>
        withBob.messages.value.length === 121 &&
        withBob.messages.value[0].state === "delivered",
      "the answer came",
    );
    let json = "";
    for await (const piece of ada.messenger.exportData()) json += piece;
    const exported = JSON.parse(json);
    assert.deepEqual(
      exported.contacts.map(({ name, chosenName }: Record<string, string>) => [
        name,
        chosenName,
      ]),
      [["Bo", "Bob"], ["Cem", "Cem"]],
    );
    const [{ messages }, { messages: none }] = exported.contacts;
    assert.deepEqual(
      messages.map(({ text }: { text: string }) => text),
      [...texts, "an answer"],
    );
    assert.deepEqual(
      { ...messages[0], id: "", time: "", arrived: "" },
      {
        id: "",
        from: "me",
        time: "",
        arrived: "",
        kind: "text",
        text: '"0"\n',
        edited: false,
        state: "delivered",
      },
    );
    assert.equal(messages.at(-1).from, "contact");
    assert.deepEqual(none, []);
    assert.ok(!json.includes(ada.accessKey.slice(0, 9)));
    assert.equal(exported.account.name, "Ada");
    assert.deepEqual(textsOf(withBob.messages.value).slice(-1), ["an answer"]);
  }));
