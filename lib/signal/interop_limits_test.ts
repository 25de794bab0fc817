import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import { type CiphertextMessage, generateKeyPair } from "./mod.ts";
import {
  MAX_FORWARD_JUMPS,
  MAX_RECEIVING_CHAINS,
  MAX_SKIPPED_KEYS,
} from "./double_ratchet.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { owned } from "./testing/owned.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party } from "./testing/party.ts";
import { refuses } from "./testing/refusal.ts";
import { hear, say, write } from "./testing/text.ts";

const NOTHING = new Uint8Array();

/** The limits must be the same, or one side would throw away what the other still counts on. */
const DIRECTIONS: [
  string,
  (account?: string) => Promise<{ from: Party; to: Party }>,
][] = [
  ["libsignal to us", async (account) => {
    const { ours, theirs } = await pair(account);
    return { from: theirs, to: ours };
  }],
  ["us to libsignal", async (account) => {
    const { ours, theirs } = await pair(account);
    return { from: ours, to: theirs };
  }],
];

/** Two people, or two devices of one account. */
async function pair(account?: string) {
  if (account === undefined) {
    return { ours: await OurParty.create(), theirs: new LibsignalParty() };
  }
  const identity = await generateKeyPair();
  const key = L.PrivateKey.deserialize(owned(identity.privateKey));
  const second = { serviceId: account, deviceId: 2 };
  return {
    ours: await OurParty.create({ serviceId: account, deviceId: 1 }, identity),
    theirs: new LibsignalParty(second, account, key),
  };
}

async function established(
  make: typeof DIRECTIONS[number][1],
  account?: string,
) {
  const { from, to } = await make(account);
  await introduce(from, to);
  await say(from, to, "first");
  await say(to, from, "answer");
  return { from, to };
}

for (const [name, make] of DIRECTIONS) {
  Deno.test(`${name}: a late message arrives up to ${MAX_RECEIVING_CHAINS - 1} chains back, not further`, async () => {
    const { from, to } = await established(make);
    const late: CiphertextMessage[] = [];
    for (let i = 0; i <= MAX_RECEIVING_CHAINS; i++) {
      await say(from, to, `in time ${i}`);
      late.push(await write(from, to.address, `late ${i}`));
      await say(to, from, `answer ${i}`);
    }
    await refuses(to.receive(from.address, late[0]), "invalid");
    for (let i = 1; i <= MAX_RECEIVING_CHAINS; i++) {
      assert.equal(await hear(to, from.address, late[i]), `late ${i}`);
    }
  });

  Deno.test(`${name}: the keys of ${MAX_SKIPPED_KEYS} missing messages of a chain are kept`, async () => {
    const { from, to } = await established(make);
    const sent: CiphertextMessage[] = [];
    for (let i = 0; i < MAX_SKIPPED_KEYS + 2; i++) {
      sent.push(await write(from, to.address, `${i}`));
    }
    const last = sent.length - 1;
    assert.equal(await hear(to, from.address, sent[last]), `${last}`);
    await refuses(to.receive(from.address, sent[0]), "duplicate");
    for (const i of [1, 2, 3, 1000, last - 1]) {
      assert.equal(await hear(to, from.address, sent[i]), `${i}`);
      await refuses(to.receive(from.address, sent[i]), "duplicate");
    }
  });

  // SPQR counts the message itself, so its limit of the same size is reached one message earlier.
  Deno.test(
    `${name}: ${
      MAX_FORWARD_JUMPS - 1
    } messages may be missing in a row, not one more`,
    async () => {
      const { from, to } = await established(make);
      from.stored = false;
      for (let i = 1; i < MAX_FORWARD_JUMPS; i++) {
        await from.send(to.address, NOTHING);
      }
      const farthest = await write(from, to.address, "farthest");
      const tooFar = await write(from, to.address, "too far");
      await refuses(to.receive(from.address, tooFar), "invalid");
      assert.equal(await hear(to, from.address, farthest), "farthest");
      assert.equal(await hear(to, from.address, tooFar), "too far");
    },
  );

  Deno.test(`${name}, between devices of one account: any number may be missing in a row`, async () => {
    const { from, to } = await established(make, crypto.randomUUID());
    from.stored = false;
    for (let i = 0; i <= MAX_FORWARD_JUMPS; i++) {
      await from.send(to.address, NOTHING);
    }
    await say(from, to, "far ahead");
    await say(to, from, "answer");
  });
}
