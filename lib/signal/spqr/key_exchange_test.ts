import assert from "node:assert/strict";
import { MAX_CHUNK_INDEX } from "./erasure_code.ts";
import type { SpqrErrorCode } from "./error.ts";
import { receiveStep, sendStep, startStage } from "./key_exchange.ts";
import type { Payload } from "./message.ts";
import type { Stage } from "./stage.ts";

const refusal = (code: SpqrErrorCode) => ({ name: "SpqrError", code });
const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));
const secret = new Uint8Array(32).fill(8);

type Sent = { epoch: number; payload: Payload };

/** One side, and what it went through. */
class Side {
  stage: Stage;
  /** Every stage it entered, as it was then. */
  readonly history: Stage[];
  readonly secrets: Uint8Array[] = [];

  constructor(role: "A2B" | "B2A") {
    this.stage = startStage(secret, role);
    this.history = [this.stage];
  }

  send(): Sent {
    const { stage, payload, secret } = sendStep(this.stage, random);
    this.#note(stage, secret);
    return { epoch: stage.epoch, payload };
  }

  receive({ epoch, payload }: Sent): void {
    const { stage, secret } = receiveStep(this.stage, epoch, payload);
    this.#note(stage, secret);
  }

  get kinds(): string[] {
    return this.history.map(({ kind }) => kind);
  }

  #note(stage: Stage, secret: Uint8Array | undefined): void {
    if (stage.kind !== this.stage.kind) this.history.push(stage);
    this.stage = stage;
    if (secret) this.secrets.push(secret);
  }
}

function sides(): { alice: Side; bob: Side } {
  return { alice: new Side("A2B"), bob: new Side("B2A") };
}

/** Both send in turn until `done`; `meddle` may change or withhold a message. */
function talk(
  { alice, bob }: { alice: Side; bob: Side },
  done: () => boolean,
  meddle: (sent: Sent, from: Side) => Sent | undefined = (sent) => sent,
): void {
  for (let round = 0; !done(); round++) {
    assert.ok(
      round < 1_000,
      `stuck at ${alice.stage.kind} and ${bob.stage.kind}`,
    );
    for (const [from, to] of [[alice, bob], [bob, alice]]) {
      const sent = meddle(from.send(), from);
      if (sent) to.receive(sent);
    }
  }
}

/** The message with one bit of its chunk turned, if it carries one of the types. */
function spoil(sent: Sent, ...types: Payload["type"][]): Sent {
  const { epoch, payload } = sent;
  if (!("chunk" in payload) || !types.includes(payload.type)) return sent;
  const bytes = payload.chunk.bytes.slice();
  bytes[0] ^= 1;
  const chunk = { index: payload.chunk.index, bytes };
  return { epoch, payload: { ...payload, chunk } };
}

const SENDS_KEY = [
  "KeysUnsampled",
  "KeysSampled",
  "HeaderSent",
  "Ct1Received",
  "EkSentCt1Received",
];
const SENDS_CIPHERTEXT = [
  "NoHeaderReceived",
  "HeaderReceived",
  "Ct1Sampled",
  "Ct1Acknowledged",
  "Ct2Sampled",
];

Deno.test("two sides go through the stages, agree on a secret and swap parts", () => {
  const pair = sides();
  talk(pair, () => pair.alice.stage.epoch === 3 && pair.bob.stage.epoch === 3);
  const { alice, bob } = pair;
  assert.deepEqual(alice.kinds.slice(0, 10), [
    ...SENDS_KEY,
    ...SENDS_CIPHERTEXT,
  ]);
  assert.deepEqual(bob.kinds.slice(0, 10), [...SENDS_CIPHERTEXT, ...SENDS_KEY]);
  assert.equal(alice.secrets.length, 2);
  assert.deepEqual(alice.secrets, bob.secrets);
  assert.notDeepEqual(alice.secrets[0], alice.secrets[1]);
});

Deno.test("the key may be complete before the first half of the ciphertext has arrived", () => {
  const pair = sides();
  const { alice, bob } = pair;
  let turn = 0;
  talk(
    pair,
    () => alice.stage.epoch === 2 && bob.stage.epoch === 2,
    (sent, from) => from === bob && turn++ % 2 === 0 ? undefined : sent,
  );
  assert.deepEqual(bob.kinds.slice(0, 5), [
    "NoHeaderReceived",
    "HeaderReceived",
    "Ct1Sampled",
    "EkReceivedCt1Sampled",
    "Ct2Sampled",
  ]);
  assert.deepEqual(alice.secrets, bob.secrets);
});

Deno.test("the encapsulation's randomness is forgotten as soon as the key is complete", () => {
  const pair = sides();
  talk(pair, () => pair.bob.stage.kind === "Ct1Sampled");
  assert.ok("m" in pair.bob.stage);
  talk(pair, () => pair.bob.stage.kind === "Ct2Sampled");
  assert.ok(!("m" in pair.bob.stage) && !("header" in pair.bob.stage));
});

Deno.test("the secret key is forgotten with the end of its epoch", () => {
  const pair = sides();
  talk(pair, () => pair.alice.stage.kind === "NoHeaderReceived");
  assert.ok(!("secretKey" in pair.alice.stage));
});

Deno.test("a changed header is refused", () => {
  const pair = sides();
  assert.throws(
    () => talk(pair, () => false, (sent) => spoil(sent, "Hdr")),
    refusal("invalid-mac"),
  );
  assert.equal(pair.bob.stage.kind, "NoHeaderReceived");
});

Deno.test("a changed key is refused", () => {
  const pair = sides();
  assert.throws(
    () => talk(pair, () => false, (sent) => spoil(sent, "Ek", "EkCt1Ack")),
    refusal("invalid-key"),
  );
  assert.equal(pair.bob.secrets.length, 1);
  assert.equal(pair.alice.secrets.length, 0);
});

for (const half of ["Ct1", "Ct2"] as const) {
  Deno.test(`a ciphertext changed in ${half} is refused`, () => {
    const pair = sides();
    assert.throws(
      () => talk(pair, () => false, (sent) => spoil(sent, half)),
      refusal("invalid-mac"),
    );
    assert.equal(pair.alice.stage.kind, "EkSentCt1Received");
    assert.equal(pair.alice.secrets.length, 0);
  });
}

Deno.test("sides that began with different secrets get nowhere", () => {
  const alice = new Side("A2B");
  const bob = new Side("B2A");
  bob.stage = startStage(new Uint8Array(32), "B2A");
  assert.throws(
    () => talk({ alice, bob }, () => false),
    refusal("invalid-mac"),
  );
});

Deno.test("what is late or early for a stage changes nothing, a later epoch is refused", () => {
  const pair = sides();
  const { alice, bob } = pair;
  const seen = new Map<string, Sent>();
  talk(pair, () => alice.stage.epoch === 3 && bob.stage.epoch === 3, (sent) => {
    if (sent.epoch === 1) seen.set(sent.payload.type, sent);
    return sent;
  });
  const stages = [...alice.history, ...bob.history].filter(({ epoch }) =>
    epoch === 2
  );
  assert.deepEqual([...seen.keys()].sort(), [
    "Ct1",
    "Ct1Ack",
    "Ct2",
    "Ek",
    "EkCt1Ack",
    "Hdr",
    "None",
  ]);
  const welcome: Record<string, string[]> = {
    KeysSampled: ["Ct1"],
    HeaderSent: ["Ct1"],
    Ct1Received: ["Ct2"],
    EkSentCt1Received: ["Ct2"],
    NoHeaderReceived: ["Hdr"],
    Ct1Sampled: ["Ek", "EkCt1Ack", "Ct1Ack"],
    Ct1Acknowledged: ["Ek", "EkCt1Ack"],
  };
  assert.deepEqual(
    stages.map(({ kind }) => kind).sort(),
    [...SENDS_KEY, ...SENDS_CIPHERTEXT].sort(),
  );
  for (const stage of stages) {
    for (const { payload } of seen.values()) {
      assert.equal(receiveStep(stage, 1, payload).stage, stage);
      assert.throws(
        () => receiveStep(stage, 4, payload),
        refusal("unknown-epoch"),
      );
      if (stage.kind !== "Ct2Sampled") {
        assert.throws(
          () => receiveStep(stage, 3, payload),
          refusal("unknown-epoch"),
        );
      }
      if (welcome[stage.kind]?.includes(payload.type)) continue;
      assert.deepEqual(receiveStep(stage, 2, payload), { stage });
    }
  }
});

Deno.test("a side whose messages never arrive begins again with the first chunk", () => {
  const alice = new Side("A2B");
  alice.send();
  assert.equal(alice.stage.kind, "KeysSampled");
  alice.stage = { ...alice.stage, nextChunk: MAX_CHUNK_INDEX };
  const indices = [alice.send(), alice.send()].map(({ payload }) =>
    "chunk" in payload && payload.chunk.index
  );
  assert.deepEqual(indices, [MAX_CHUNK_INDEX, 0]);
});
