/**
 * What a relay can put in the place of what lies there, alone and with the help of somebody who has
 * the link: nothing that is believed.
 */
import assert from "node:assert/strict";
import { concatBytes, randomBytes } from "@noble/hashes/utils.js";
import { generateKeyPair } from "../../signal/mod.ts";
import { blobId, newEd25519Pair, poolId } from "../../wire/mod.ts";
import { newPerson } from "../invite/test_people.ts";
import { MalformedError } from "../keys/mod.ts";
import { openPlace, PLACE_SIZE, sealPlace } from "./place.ts";
import { openRequest, sealRequest } from "./request.ts";
import { readPair, takePair } from "./secrets.ts";
import { openWhose, sealWhose, WHOSE_SIZE } from "./whose.ts";

const relayKey = randomBytes(32);
const expiresAt = 1_790_000_000_000;

/** A link of `name`, and what lies at the relay for it. */
async function invitationOf(name: string, secret = randomBytes(32)) {
  const { card } = await newPerson(name, { bundles: 1 });
  const own = await newEd25519Pair();
  const poolOwn = await newEd25519Pair();
  const read = await readPair(secret);
  const take = await takePair(secret, 0);
  const blob = blobId(read.publicKey, own.publicKey);
  const pool = poolId(take.publicKey, poolOwn.publicKey);
  const link = { blob, secret };
  const boxKey = await generateKeyPair();
  const [{ device, address, bundles: [bundle] }] = card.devices;
  const place = { device, address, bundle, boxKey: boxKey.publicKey };
  return {
    card,
    own,
    link,
    pool,
    place,
    boxKey,
    whose: await sealWhose(relayKey, link, own, {
      ...card,
      expiresAt,
      pools: [pool],
    }),
    sealed: await sealPlace(relayKey, secret, pool, own, place),
  };
}

const ada = await invitationOf("Ada");
const opened = await openWhose(relayKey, ada.link, ada.whose);

Deno.test("whose a link is, and each place, is read back; to the relay they are random bytes of one length", async () => {
  assert.equal(opened.displayName, "Ada");
  assert.equal(opened.accountId, ada.card.accountId);
  assert.deepEqual(opened.deviceList, ada.card.deviceList);
  assert.equal(opened.expiresAt, expiresAt);
  assert.deepEqual(opened.pools, [ada.pool]);
  const { secret } = ada.link;
  assert.deepEqual(
    await openPlace(relayKey, secret, ada.pool, opened, ada.sealed),
    ada.place,
  );
  const other = await invitationOf("A person with quite a long name");
  for (const { whose, sealed } of [ada, other]) {
    assert.equal(whose.length, WHOSE_SIZE);
    assert.equal(sealed.length, PLACE_SIZE);
  }
});

Deno.test("altered in any byte, or cut, neither is believed", async () => {
  const { secret } = ada.link;
  for (let at = 0; at < WHOSE_SIZE; at += 37) {
    const wrong = ada.whose.slice();
    wrong[at] ^= 1;
    await assert.rejects(openWhose(relayKey, ada.link, wrong), MalformedError);
  }
  for (let at = 0; at < PLACE_SIZE; at += 37) {
    const wrong = ada.sealed.slice();
    wrong[at] ^= 1;
    await assert.rejects(
      openPlace(relayKey, secret, ada.pool, opened, wrong),
      MalformedError,
    );
  }
  for (const length of [0, 31, 32, 100, WHOSE_SIZE - 1]) {
    const cut = ada.whose.subarray(0, length);
    await assert.rejects(openWhose(relayKey, ada.link, cut), MalformedError);
  }
});

Deno.test("what belongs to another relay, link or pool is not believed here", async () => {
  const { link, whose, sealed, pool } = ada;
  const elsewhere = randomBytes(32);
  await assert.rejects(openWhose(elsewhere, link, whose), MalformedError);
  await assert.rejects(
    openPlace(elsewhere, link.secret, pool, opened, sealed),
    MalformedError,
  );
  const other = await invitationOf("Mallory");
  await assert.rejects(openWhose(relayKey, link, other.whose), MalformedError);
  await assert.rejects(
    openPlace(relayKey, link.secret, other.pool, opened, sealed),
    MalformedError,
  );
});

Deno.test("who has the link too can't pass for the inviter, with all the relay's help", async () => {
  const { link, pool } = ada;
  // Mallory knows the secret, so seals what opens with it; but the link names another's key.
  const mallory = await invitationOf("Ada", link.secret);
  await assert.rejects(
    openWhose(relayKey, link, mallory.whose),
    MalformedError,
  );
  const pretends = concatBytes(
    ada.own.publicKey,
    (await sealWhose(relayKey, link, mallory.own, {
      ...mallory.card,
      expiresAt,
      pools: [pool],
    })).subarray(32),
  );
  await assert.rejects(openWhose(relayKey, link, pretends), MalformedError);
  const place = await sealPlace(
    relayKey,
    link.secret,
    pool,
    mallory.own,
    mallory.place,
  );
  await assert.rejects(
    openPlace(relayKey, link.secret, pool, opened, place),
    MalformedError,
  );
});

Deno.test("what is asked can be read by the inviter alone: not by the relay, not by who has the link too", async () => {
  const { place: { address: { sealKey } }, boxKey } = ada;
  const queue = randomBytes(16);
  const { card, devices: [{ own }] } = await newPerson("Bob");
  const request = {
    accountId: card.accountId,
    deviceId: 1,
    identityKey: own.identity.publicKey,
    message: { type: 3, bytes: randomBytes(5_900) },
  } as const;
  const envelope = await sealRequest(
    { sealKey, queue },
    boxKey.publicKey,
    request,
  );
  assert.equal(envelope.length, 8_160);
  assert.deepEqual(
    await openRequest({ sealKey, queue }, boxKey, envelope),
    request,
  );
  const others = await generateKeyPair();
  for (
    const [key, box] of [
      [{ sealKey, queue }, others],
      [{ sealKey: randomBytes(32), queue }, boxKey],
      [{ sealKey, queue: randomBytes(16) }, boxKey],
    ] as const
  ) await assert.rejects(openRequest(key, box, envelope), MalformedError);
});
