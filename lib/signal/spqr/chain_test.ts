import fc from "fast-check";
import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import {
  addEpoch,
  type Chain,
  MAX_JUMP,
  MAX_SKIPPED,
  nextSendKey,
  receiveKey,
  startChain,
} from "./chain.ts";
import type { SpqrErrorCode } from "./error.ts";

const refusal = (code: SpqrErrorCode) => ({ name: "SpqrError", code });

const secret = new Uint8Array(32).map((_, i) => i);
const alice = startChain(secret, "A2B");
const bob = startChain(secret, "B2A");
const fresh = (byte: number) => new Uint8Array(32).fill(byte);

/** HKDF from another implementation than the one under test. */
function hkdf(
  salt: Uint8Array,
  key: Uint8Array,
  info: Uint8Array | string,
  length: number,
) {
  return new Uint8Array(hkdfSync("sha256", key, salt, info, length));
}

function info(index: number): Uint8Array {
  const bytes = Buffer.from("....Signal PQ Ratchet V1 Chain Next");
  bytes.writeUInt32BE(index);
  return bytes;
}

Deno.test("keys are those of the protocol, from index 1", () => {
  const start = hkdf(fresh(0), secret, "Signal PQ Ratchet V1 Chain  Start", 96);
  const first = hkdf(fresh(0), start.slice(32, 64), info(1), 64);
  const second = hkdf(fresh(0), first.slice(0, 32), info(2), 64);
  const one = nextSendKey(alice, 0);
  const two = nextSendKey(one.chain, 0);
  assert.deepEqual([one.index, two.index], [1, 2]);
  assert.deepEqual(one.key, first.slice(32));
  assert.deepEqual(two.key, second.slice(32));
  const back = hkdf(fresh(0), start.slice(64), info(1), 64);
  assert.deepEqual(nextSendKey(bob, 0).key, back.slice(32));
});

Deno.test("an epoch's keys follow from its secret and all before it", () => {
  const start = hkdf(fresh(0), secret, "Signal PQ Ratchet V1 Chain  Start", 96);
  const added = hkdf(
    start.slice(0, 32),
    fresh(7),
    "Signal PQ Ratchet V1 Chain Add Epoch",
    96,
  );
  const first = hkdf(fresh(0), added.slice(32, 64), info(1), 64);
  const chain = addEpoch(alice, 1, fresh(7));
  assert.deepEqual(nextSendKey(chain, 1).key, first.slice(32));
  assert.deepEqual(
    receiveKey(addEpoch(bob, 1, fresh(7)), 1, 1).key,
    first.slice(32),
  );
});

Deno.test("whatever arrives, in whatever order, has its sender's key, once", () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 });
  const sent = sendMany(alice, 60);
  fc.assert(fc.property(arrivals, (indices) => {
    let chain = bob;
    const given = new Set<number>();
    for (const index of indices) {
      if (given.has(index)) {
        assert.throws(() => receiveKey(chain, 0, index), refusal("duplicate"));
        continue;
      }
      const received = receiveKey(chain, 0, index);
      assert.deepEqual(received.key, sent[index - 1]);
      given.add(index);
      chain = received.chain;
    }
  }));
});

Deno.test("a chain stays valid when a newer one was made of it", () => {
  const ahead = receiveKey(bob, 0, 5);
  const late = receiveKey(ahead.chain, 0, 3);
  assert.deepEqual(receiveKey(ahead.chain, 0, 3).key, late.key);
  assert.deepEqual(receiveKey(bob, 0, 5).key, ahead.key);
});

Deno.test("a key that was given is not kept by the chain", () => {
  const ahead = receiveKey(bob, 0, 5).chain;
  const late = receiveKey(ahead, 0, 3);
  late.key.fill(0);
  assert.notDeepEqual(receiveKey(ahead, 0, 3).key, late.key);
});

Deno.test("index 0 is no message's", () => {
  assert.throws(() => receiveKey(bob, 0, 0), refusal("duplicate"));
});

Deno.test("a message may be as far ahead as the limit, no further", () => {
  assert.throws(
    () => receiveKey(bob, 0, MAX_JUMP + 1),
    refusal("too-far-ahead"),
  );
  const far = receiveKey(bob, 0, MAX_JUMP).chain;
  assert.equal(far.links[0].receive.skipped.length, MAX_SKIPPED);
  assert.throws(
    () => receiveKey(far, 0, 2 * MAX_JUMP + 1),
    refusal("too-far-ahead"),
  );
});

Deno.test("a lower limit on how far ahead a message may be holds", () => {
  receiveKey(bob, 0, 10, 10);
  assert.throws(() => receiveKey(bob, 0, 11, 10), refusal("too-far-ahead"));
});

Deno.test("a key is kept until 2000 later ones have been used", () => {
  const ahead = receiveKey(bob, 0, 2 + MAX_SKIPPED).chain;
  assert.throws(() => receiveKey(ahead, 0, 1), refusal("expired"));
  assert.equal(receiveKey(ahead, 0, 2).key.length, 32);
  const further = receiveKey(ahead, 0, 3 + MAX_SKIPPED).chain;
  assert.throws(() => receiveKey(further, 0, 2), refusal("expired"));
  assert.equal(receiveKey(further, 0, 3).key.length, 32);
  const { skipped } = further.links[0].receive;
  assert.equal(skipped.length, MAX_SKIPPED - 1);
  assert.equal(skipped[0].index, 3);
  const away = receiveKey(further, 0, 10 + 2 * MAX_SKIPPED).chain;
  assert.equal(away.links[0].receive.skipped.length, MAX_SKIPPED);
});

Deno.test("epochs follow one another", () => {
  assert.throws(() => addEpoch(alice, 2, fresh(1)), refusal("unknown-epoch"));
  assert.throws(() => addEpoch(alice, 0, fresh(1)), refusal("unknown-epoch"));
  assert.throws(() => receiveKey(bob, 1, 1), refusal("unknown-epoch"));
  assert.throws(() => nextSendKey(alice, 1), refusal("unknown-epoch"));
});

Deno.test("the epoch we send in never falls, and older sending keys are gone", () => {
  const chain = nextSendKey(addEpoch(alice, 1, fresh(1)), 1).chain;
  assert.throws(() => nextSendKey(chain, 0), refusal("unknown-epoch"));
  assert.deepEqual(chain.links.map((link) => link.send.next === undefined), [
    true,
    false,
  ]);
});

Deno.test("one epoch before the one we send in can still be received, two not", () => {
  let chain = bob;
  for (const epoch of [1, 2]) {
    chain = nextSendKey(addEpoch(chain, epoch, fresh(epoch)), epoch).chain;
  }
  assert.throws(() => receiveKey(chain, 0, 1), refusal("expired"));
  const old = addEpoch(alice, 1, fresh(1));
  assert.deepEqual(receiveKey(chain, 1, 1).key, nextSendKey(old, 1).key);
  assert.equal(chain.links.length, 2);
});

Deno.test("no index comes twice: a sending chain ends before its counter overflows", () => {
  const { next } = alice.links[0].send;
  const send = { next, counter: 0xffffffff };
  const links = [{ ...alice.links[0], send }];
  assert.throws(
    () => nextSendKey({ ...alice, links }, 0),
    refusal("unknown-epoch"),
  );
});

function sendMany(chain: Chain, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const sent = nextSendKey(chain, 0);
    chain = sent.chain;
    return sent.key;
  });
}
