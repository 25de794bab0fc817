import assert from "node:assert/strict";
import { generateKeyPair, type KeyPair } from "../../signal/mod.ts";
import { accountIdOf } from "./account_id.ts";
import { MalformedError } from "./protobuf.ts";
import { accountIdBy, signSuccession, successorOf } from "./succession.ts";

async function chain(length: number) {
  const keys: KeyPair[] = [];
  for (let i = 0; i <= length; i++) keys.push(await generateKeyPair());
  const accountId = accountIdOf(keys[0].publicKey);
  const successions = keys.slice(1).map((next, i) =>
    signSuccession(accountId, keys[i], next.publicKey)
  );
  return { keys, accountId, successions };
}

Deno.test("whoever knows any key of an account follows to the present one, and the id stays that of the first", async () => {
  const { keys, accountId, successions } = await chain(3);
  const last = keys[3].publicKey;
  for (const { publicKey } of keys) {
    const known = { accountId, accountKey: publicKey };
    assert.deepEqual(await successorOf(known, successions), last);
  }
  assert.equal(await accountIdBy(last, successions), accountId);
  assert.equal(await accountIdBy(keys[0].publicKey, []), accountId);
});

Deno.test("a key that no statement is about stays the one that is known", async () => {
  const { accountId, successions } = await chain(2);
  const { publicKey: accountKey } = await generateKeyPair();
  assert.deepEqual(
    await successorOf({ accountId, accountKey }, successions),
    accountKey,
  );
  assert.deepEqual(
    await successorOf({ accountId, accountKey }, []),
    accountKey,
  );
});

Deno.test("a chain with a statement that is missing, of another order, forged or about another account is refused", async () => {
  const { keys, accountId, successions } = await chain(3);
  const [first, second, third] = successions;
  const stranger = await generateKeyPair();
  const elsewhere = accountIdOf(stranger.publicKey);
  const forged = first.slice();
  forged[forged.length - 1] ^= 1;
  const chains = [
    [first, third],
    [first, third, second],
    [forged, second, third],
    [first, signSuccession(accountId, stranger, keys[2].publicKey), third],
    [signSuccession(elsewhere, keys[0], keys[1].publicKey), second, third],
    [first.slice(0, -2), second, third],
    [new Uint8Array(), second],
  ];
  const known = { accountId, accountKey: keys[0].publicKey };
  for (const [i, each] of chains.entries()) {
    await assert.rejects(successorOf(known, each), MalformedError, String(i));
    await assert.rejects(
      accountIdBy(keys[3].publicKey, each),
      MalformedError,
      String(i),
    );
  }
});

Deno.test("a chain that ends at another key, or does not begin with the first, names no account", async () => {
  const { keys, successions } = await chain(3);
  await assert.rejects(
    accountIdBy(keys[2].publicKey, successions),
    MalformedError,
  );
  await assert.rejects(
    accountIdBy(keys[3].publicKey, successions.slice(1)),
    MalformedError,
  );
});
