import assert from "node:assert/strict";
import {
  type DoubleRatchet,
  MAX_FORWARD_JUMPS,
  MAX_RECEIVING_CHAINS,
  MAX_SKIPPED_KEYS,
  receiveStep,
  sendStep,
} from "./double_ratchet.ts";
import { SignalError } from "./errors.ts";
import { generateKeyPair } from "./keys.ts";
import { publicKeyOf } from "./public_key.ts";

/** Two ends that share a root key; `a` owes an answer to `b`'s key. */
async function ends(): Promise<{ a: DoubleRatchet; b: DoubleRatchet }> {
  const rootKey = crypto.getRandomValues(new Uint8Array(32));
  const ratchetKeyPair = await generateKeyPair();
  const chain = { key: crypto.getRandomValues(new Uint8Array(32)), index: 0 };
  const common = { rootKey, previousCounter: 0 };
  const { publicKey } = ratchetKeyPair;
  return {
    a: {
      ...common,
      sending: { kind: "due", theirRatchetKey: publicKey },
      receiving: [{ ratchetKey: publicKey, chain, skipped: [] }],
    },
    b: {
      ...common,
      sending: { kind: "ready", ratchetKeyPair, chain },
      receiving: [],
    },
  };
}

Deno.test("both ends derive the same seeds, whoever speaks", async () => {
  let { a, b } = await ends();
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j <= i % 3; j++) {
      const sent = await sendStep(a);
      const received = await receiveStep(b, sent.header);
      assert.deepEqual(received.seed, sent.seed);
      assert.equal(sent.header.counter, j);
      [a, b] = [sent.ratchet, received.ratchet];
    }
    [a, b] = [b, a];
  }
  assert.equal(a.receiving.length, MAX_RECEIVING_CHAINS);
});

Deno.test("the previous counter is the last one sent before the step", async () => {
  const start = await ends();
  let [a, b] = [start.a, start.b];
  for (let i = 0; i < 4; i++) {
    const sent = await sendStep(a);
    a = sent.ratchet;
    b = (await receiveStep(b, sent.header)).ratchet;
  }
  const answer = await sendStep(b);
  a = (await receiveStep(a, answer.header)).ratchet;
  assert.equal((await sendStep(a)).ratchet.previousCounter, 3);
});

Deno.test("a further key while our answer is due is refused", async () => {
  const { a, b } = await ends();
  const { header } = await sendStep(a);
  const { ratchet } = await receiveStep(b, header);
  const { publicKey } = await generateKeyPair();
  await assert.rejects(
    receiveStep(ratchet, { ratchetKey: publicKey, counter: 0 }),
    new SignalError("invalid-mac"),
  );
});

Deno.test("a key pair made ahead answers one ratchet only", async () => {
  const ratchets = await Promise.all([1, 2, 3].map(async () => {
    const { a, b } = await ends();
    const { header } = await sendStep(a);
    return (await receiveStep(b, header)).ratchet; // here it is begun
  }));
  const answers = await Promise.all(ratchets.map(sendStep));
  const keys = answers.map(({ header }) => header.ratchetKey.toHex());
  assert.equal(new Set(keys).size, 3);
  for (const { ratchet: { sending } } of answers) {
    assert(sending.kind === "ready");
    const { privateKey, publicKey } = sending.ratchetKeyPair;
    assert.deepEqual(publicKey, publicKeyOf(privateKey));
  }
});

Deno.test(`${MAX_FORWARD_JUMPS} missing messages are the limit, but not to oneself`, async () => {
  const { a, b } = await ends();
  const sent = await sendStep(a);
  const at = (counter: number, maxJumps?: number) =>
    receiveStep(b, { ...sent.header, counter }, maxJumps);
  const { ratchet } = await at(MAX_FORWARD_JUMPS);
  assert.equal(ratchet.receiving[0].chain.index, MAX_FORWARD_JUMPS + 1);
  await assert.rejects(
    at(MAX_FORWARD_JUMPS + 1),
    new SignalError("too-far-ahead"),
  );
  await at(MAX_FORWARD_JUMPS + 1, Infinity);
});

Deno.test(`the newest ${MAX_SKIPPED_KEYS} seeds of missing messages are kept, each given once`, async () => {
  const start = await ends();
  let { a, b } = start;
  const seeds: Uint8Array[] = [];
  let ratchetKey = new Uint8Array();
  for (let i = 0; i < MAX_SKIPPED_KEYS + 10; i++) {
    const sent = await sendStep(a);
    a = sent.ratchet;
    seeds.push(sent.seed);
    ratchetKey = Uint8Array.from(sent.header.ratchetKey);
  }
  // Two jumps, so that what the first left behind is trimmed by the second.
  for (const counter of [1000, seeds.length - 1]) {
    b = (await receiveStep(b, { ratchetKey, counter })).ratchet;
  }
  const take = (counter: number) => receiveStep(b, { ratchetKey, counter });
  const oldestKept = seeds.length - 2 - MAX_SKIPPED_KEYS; // one in between had arrived
  for (const counter of [oldestKept, 999, 1001, seeds.length - 2]) {
    const { ratchet, seed } = await take(counter);
    assert.deepEqual(seed, seeds[counter]);
    b = ratchet;
    await assert.rejects(take(counter), new SignalError("duplicate"));
  }
  for (const counter of [0, oldestKept - 1, 1000]) {
    await assert.rejects(take(counter), new SignalError("duplicate"));
  }
});
