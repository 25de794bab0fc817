/** How sessions begin, against official libsignal in both roles. */
import assert from "node:assert/strict";
import { type CiphertextMessage, describeSession } from "./mod.ts";
import { PREKEY, type PreKeyBundle, WHISPER } from "./mod.ts";
import { introduce } from "./testing/party.ts";
import { refuses } from "./testing/refusal.ts";
import { inBothRoles } from "./testing/roles.ts";
import { hear, say, write } from "./testing/text.ts";

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

for (const oneTime of [true, false]) {
  inBothRoles(
    `${oneTime ? "with" : "without"} a one-time prekey text goes both ways`,
    async ({ initiator, responder }) => {
      await introduce(initiator, responder, { oneTime });
      await say(initiator, responder, "hello");
      for (let i = 0; i < 5; i++) {
        await say(responder, initiator, `answer ${i}`);
        await say(initiator, responder, `question ${i}`);
        await say(initiator, responder, "");
        await say(responder, initiator, "long ".repeat(5000));
      }
    },
  );
}

inBothRoles(
  "until the first answer every message is a PreKey message, and whichever comes first makes the session",
  async ({ ours, initiator, responder }) => {
    await introduce(initiator, responder);
    const sent: CiphertextMessage[] = [];
    for (let i = 0; i < 3; i++) {
      sent.push(await write(initiator, responder.address, `first ${i}`));
    }
    assert.deepEqual(sent.map(({ type }) => type), [PREKEY, PREKEY, PREKEY]);
    for (const i of [1, 2, 0]) {
      const heard = await hear(responder, initiator.address, sent[i]);
      assert.equal(heard, `first ${i}`);
    }
    await say(responder, initiator, "answer");
    const then = await write(initiator, responder.address, "then");
    assert.equal(then.type, WHISPER);
    if (responder === ours) {
      assert.equal(ours.used.length, 1, "only the first uses prekeys up");
      const session = ours.session(initiator.address)!;
      assert.equal(describeSession(session).archivedStates, 0);
    }
  },
);

inBothRoles(
  "a one-time prekey serves one session only",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: true });
    await initiator.begin(responder.address, bundle);
    await say(initiator, responder, "first");
    await initiator.begin(responder.address, bundle);
    const second = await write(initiator, responder.address, "second");
    await refuses(
      responder.receive(initiator.address, second),
      "unknown prekey",
    );
  },
);

inBothRoles(
  "a last-resort Kyber prekey serves several sessions",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: false });
    for (let i = 0; i < 3; i++) {
      await initiator.begin(responder.address, bundle);
      await say(initiator, responder, `session ${i}`);
      await say(responder, initiator, `answer ${i}`);
    }
  },
);

inBothRoles(
  "a last-resort Kyber prekey does not answer the same first message twice, even when the session is lost",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: false });
    await initiator.begin(responder.address, bundle);
    const first = await write(initiator, responder.address, "first");
    const second = await write(initiator, responder.address, "second");
    assert.equal(await hear(responder, initiator.address, first), "first");
    responder.forget(initiator.address);
    for (const replayed of [first, second]) {
      await refuses(
        responder.receive(initiator.address, replayed),
        "repeated first message",
      );
    }
    // Nothing was kept of the attempts, and a new beginning under the same prekeys is another one.
    await refuses(
      responder.send(initiator.address, new Uint8Array()),
      "no session",
    );
    await initiator.begin(responder.address, bundle);
    await say(initiator, responder, "again");
  },
);

const PREKEYS: readonly [
  "preKey" | "signedPreKey" | "kyberPreKey",
  string,
][] = [
  ["preKey", "one-time prekey"],
  ["signedPreKey", "signed prekey"],
  ["kyberPreKey", "Kyber prekey"],
];

for (const [kind, name] of PREKEYS) {
  inBothRoles(
    `a first message whose ${name} is gone is refused, and the next bundle is good`,
    async ({ initiator, responder }) => {
      const bundle = await responder.publish({ oneTime: true });
      await initiator.begin(responder.address, bundle);
      const message = await write(initiator, responder.address, "too late");
      responder.dropPreKey(kind, bundle[kind]!.id);
      await refuses(
        responder.receive(initiator.address, message),
        "unknown prekey",
      );
      await introduce(initiator, responder);
      await say(initiator, responder, "with a fresh bundle");
      await say(responder, initiator, "answer");
    },
  );
}

inBothRoles(
  "a held session outlives the prekeys it was made of",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: true });
    await initiator.begin(responder.address, bundle);
    const messages = [
      await write(initiator, responder.address, "one"),
      await write(initiator, responder.address, "two"),
    ];
    assert.equal(await hear(responder, initiator.address, messages[0]), "one");
    for (const [kind] of PREKEYS) responder.dropPreKey(kind, bundle[kind]!.id);
    assert.equal(await hear(responder, initiator.address, messages[1]), "two");
    await say(responder, initiator, "answer");
  },
);

inBothRoles(
  "a first message of version 3, X3DH without Kyber, is refused",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    const { type, bytes } = await write(initiator, responder.address, "hello");
    for (const version of [0x33, 0x34]) {
      await refuses(
        responder.receive(initiator.address, {
          type,
          bytes: bytes.with(0, version),
        }),
        "X3DH",
      );
    }
    const heard = await hear(responder, initiator.address, { type, bytes });
    assert.equal(heard, "hello");
  },
);

inBothRoles(
  "a bundle is refused whose signatures are not its identity's",
  async ({ initiator, responder }) => {
    const bundle = await responder.publish({ oneTime: true });
    const other = await responder.publish({ oneTime: true });
    const flip = (bytes: Uint8Array, at: number) =>
      bytes.with(at, bytes[at] ^ 1);
    const { signedPreKey, kyberPreKey } = bundle;
    const forged: Partial<PreKeyBundle>[] = [
      { identityKey: other.signedPreKey.publicKey },
      { signedPreKey: { ...signedPreKey, signature: kyberPreKey.signature } },
      {
        signedPreKey: {
          ...signedPreKey,
          publicKey: other.signedPreKey.publicKey,
        },
      },
      {
        kyberPreKey: { ...kyberPreKey, publicKey: other.kyberPreKey.publicKey },
      },
      ...[0, 31, 32, 63].flatMap((at) => [
        {
          signedPreKey: {
            ...signedPreKey,
            signature: flip(signedPreKey.signature, at),
          },
        },
        {
          kyberPreKey: {
            ...kyberPreKey,
            signature: flip(kyberPreKey.signature, at),
          },
        },
      ]),
    ];
    for (const change of forged) {
      await refuses(
        initiator.begin(responder.address, { ...bundle, ...change }),
        "invalid",
      );
    }
    await initiator.begin(responder.address, bundle);
    await say(initiator, responder, "with the genuine one");
  },
);

inBothRoles(
  "a session is used for 30 days without an answer, not a second longer, and an answer lifts that",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    initiator.wait(30 * DAY);
    await say(initiator, responder, "in time");
    initiator.wait(SECOND);
    await refuses(
      initiator.send(responder.address, new Uint8Array()),
      "no session",
    );
    await say(responder, initiator, "an answer");
    initiator.wait(365 * DAY);
    await say(initiator, responder, "after all");
  },
);

inBothRoles(
  "after 30 days without an answer a fresh bundle begins anew",
  async ({ initiator, responder }) => {
    await introduce(initiator, responder);
    initiator.wait(31 * DAY);
    await refuses(
      initiator.send(responder.address, new Uint8Array()),
      "no session",
    );
    await introduce(initiator, responder);
    await say(initiator, responder, "anew");
    await say(responder, initiator, "answer");
  },
);
