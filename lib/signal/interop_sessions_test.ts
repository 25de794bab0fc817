/** Several sessions with one device, against official libsignal in both roles. */
import assert from "node:assert/strict";
import { type CiphertextMessage, describeSession, PREKEY } from "./mod.ts";
import { MAX_ARCHIVED_STATES } from "./session.ts";
import { introduce, type Party } from "./testing/party.ts";
import { refuses } from "./testing/refusal.ts";
import { inBothRoles } from "./testing/roles.ts";
import { hear, say, write } from "./testing/text.ts";

/** A few turns, so that both ratchets have to agree. */
async function talk(a: Party, b: Party): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await say(a, b, `on ${i}`);
    await say(b, a, `and on ${i}`);
  }
}

inBothRoles(
  "messages of a replaced session still arrive, and bring it back for both",
  async ({ ours, initiator, responder }) => {
    await introduce(initiator, responder);
    await say(initiator, responder, "old session");
    await say(responder, initiator, "old session, answered");
    const late = await write(initiator, responder.address, "late");
    const lateAnswer = await write(responder, initiator.address, "late answer");
    await introduce(initiator, responder);
    await say(initiator, responder, "new session");
    const other = ours === initiator ? responder : initiator;
    const newBase = ours.session(other.address)!.current.baseKey;
    assert.equal(await hear(responder, initiator.address, late), "late");
    assert.equal(
      await hear(initiator, responder.address, lateAnswer),
      "late answer",
    );
    const { current, archived } = ours.session(other.address)!;
    assert.notDeepEqual(current.baseKey, newBase);
    assert.equal(archived.length, 1);
    await talk(initiator, responder);
  },
);

inBothRoles(
  "a PreKey message of a replaced session is opened by that one, and brings it back",
  async ({ ours, initiator, responder }) => {
    await introduce(initiator, responder);
    const first = await write(initiator, responder.address, "first");
    const late = await write(initiator, responder.address, "late");
    assert.equal(late.type, PREKEY);
    assert.equal(await hear(responder, initiator.address, first), "first");
    await introduce(initiator, responder);
    await say(initiator, responder, "new session");
    await say(initiator, responder, "again");
    const sessions = ours.used.length;
    assert.equal(await hear(responder, initiator.address, late), "late");
    assert.equal(ours.used.length, sessions, "no prekey is used for it");
    // The answer is of the replaced session, which the other side holds as well.
    await say(responder, initiator, "answer");
    await talk(initiator, responder);
  },
);

inBothRoles(
  "sessions go back and forth: whichever spoke last is answered",
  async ({ initiator, responder }) => {
    const late: CiphertextMessage[] = [];
    for (let i = 0; i < 6; i++) {
      await introduce(initiator, responder);
      await say(initiator, responder, `session ${i}`);
      await say(responder, initiator, `answer ${i}`);
      late.push(await write(initiator, responder.address, `late ${i}`));
    }
    for (const i of [2, 0, 5, 3, 1, 4]) {
      const heard = await hear(responder, initiator.address, late[i]);
      assert.equal(heard, `late ${i}`);
      await say(responder, initiator, `answer to late ${i}`);
    }
    await talk(initiator, responder);
  },
);

for (const late of ["initiator's", "responder's"] as const) {
  inBothRoles(
    `of many sessions the newest and ${MAX_ARCHIVED_STATES} before it are kept: the ${late} late messages arrive`,
    async ({ ours, initiator, responder }) => {
      const [from, to] = late === "initiator's"
        ? [initiator, responder]
        : [responder, initiator];
      const messages: CiphertextMessage[] = [];
      const sessions = MAX_ARCHIVED_STATES + 2;
      for (let i = 0; i < sessions; i++) {
        await introduce(initiator, responder);
        await say(initiator, responder, `session ${i}`);
        await say(responder, initiator, "answer");
        messages.push(await write(from, to.address, `late ${i}`));
      }
      const other = ours === initiator ? responder : initiator;
      const { archivedStates } = describeSession(ours.session(other.address)!);
      assert.equal(archivedStates, MAX_ARCHIVED_STATES);
      await refuses(to.receive(from.address, messages[0]), "invalid");
      for (const i of [1, 2, 20, sessions - 1]) {
        const heard = await hear(to, from.address, messages[i]);
        assert.equal(heard, `late ${i}`);
      }
    },
  );
}

for (const messages of [1, 3]) {
  inBothRoles(
    `both begin at once, ${messages} messages crossing: each arrives and the talk goes on`,
    async ({ initiator: a, responder: b }) => {
      await introduce(a, b);
      await introduce(b, a);
      const fromA: CiphertextMessage[] = [], fromB: CiphertextMessage[] = [];
      for (let i = 0; i < messages; i++) {
        fromA.push(await write(a, b.address, `a first ${i}`));
        fromB.push(await write(b, a.address, `b first ${i}`));
      }
      for (let i = 0; i < messages; i++) {
        assert.equal(await hear(b, a.address, fromA[i]), `a first ${i}`);
        assert.equal(await hear(a, b.address, fromB[i]), `b first ${i}`);
      }
      for (let i = 0; i < 12; i++) {
        const crossingA = await write(a, b.address, `a ${i}`);
        const crossingB = i % 3 === 0
          ? await write(b, a.address, `b ${i}`)
          : undefined;
        assert.equal(await hear(b, a.address, crossingA), `a ${i}`);
        if (crossingB) {
          assert.equal(await hear(a, b.address, crossingB), `b ${i}`);
        }
        await say(b, a, `answer ${i}`);
      }
    },
  );
}

inBothRoles(
  "both begin at once and again, and do not hear each other for long: they end in one session",
  async ({ initiator: a, responder: b }) => {
    for (let round = 0; round < 4; round++) {
      await introduce(a, b);
      await introduce(b, a);
      const fromA = await write(a, b.address, "a");
      const fromB = await write(b, a.address, "b");
      if (round % 2 === 0) continue; // lost, both
      assert.equal(await hear(a, b.address, fromB), "b");
      assert.equal(await hear(b, a.address, fromA), "a");
    }
    await talk(a, b);
    await talk(b, a);
  },
);

inBothRoles(
  "who lost the session reads nothing of it, begins again, and is understood",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await talk(initiator, responder);
    initiator.forget(responder.address);
    const unread = await write(responder, initiator.address, "unread");
    await refuses(
      initiator.receive(responder.address, unread),
      "no session",
    );
    await refuses(
      initiator.send(responder.address, new Uint8Array()),
      "no session",
    );
    await introduce(initiator, responder);
    // Still under way in the lost session: not readable in the new one either.
    await refuses(initiator.receive(responder.address, unread), "invalid");
    await say(initiator, responder, "I lost everything");
    await say(responder, initiator, "here is the new session");
    await talk(initiator, responder);
  },
);

inBothRoles(
  "who answered and lost the session is written to anew, though the other had gone on in the old one",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    await talk(initiator, responder);
    responder.forget(initiator.address);
    const unread = await write(initiator, responder.address, "unread");
    await refuses(
      responder.receive(initiator.address, unread),
      "no session",
    );
    await introduce(responder, initiator);
    const crossing = await write(initiator, responder.address, "crossing");
    await say(responder, initiator, "I lost everything");
    await refuses(responder.receive(initiator.address, crossing), "invalid");
    await talk(initiator, responder);
  },
);

inBothRoles(
  "a lost session that begins again while PreKey messages of the old one come in is the newer one after its first word",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: true });
    await initiator.begin(responder.address, bundle);
    const old = await write(initiator, responder.address, "old");
    const older = await write(initiator, responder.address, "older");
    assert.equal(await hear(responder, initiator.address, old), "old");
    responder.forget(initiator.address);
    // The prekey that could open it is used up: it is gone, and nothing else is harmed.
    await refuses(
      responder.receive(initiator.address, older),
      "unknown prekey",
    );
    await introduce(responder, initiator);
    await say(responder, initiator, "anew");
    await talk(initiator, responder);
  },
);

inBothRoles(
  "a message that was received is refused as a duplicate, whatever has happened since",
  async ({ initiator, responder }) => {
    const received: [Party, Party, CiphertextMessage][] = [];
    const send = async (from: Party, to: Party) => {
      const message = await write(from, to.address, "once");
      assert.equal(await hear(to, from.address, message), "once");
      received.push([from, to, message]);
    };
    const allAreDuplicates = async () => {
      for (const [from, to, message] of received) {
        await refuses(to.receive(from.address, message), "duplicate");
      }
    };
    await introduce(initiator, responder);
    await send(initiator, responder);
    await send(initiator, responder);
    await allAreDuplicates(); // PreKey messages of the held session
    for (let i = 0; i < 4; i++) {
      await send(responder, initiator);
      await send(initiator, responder);
      await send(initiator, responder);
    }
    await allAreDuplicates(); // of older chains, and of this one
    await introduce(initiator, responder);
    await send(initiator, responder);
    await allAreDuplicates(); // of the archived session too
    await send(responder, initiator);
    await introduce(responder, initiator);
    await send(responder, initiator);
    await allAreDuplicates();
    await talk(initiator, responder);
  },
);
