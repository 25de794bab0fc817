/**
 * A relay that does what it likes with a run: it sees and holds every message
 * and can change, swap, replay, drop, reorder and make up any. It does not
 * know the code. Nobody may ever end up with a card that is not the other's.
 */
import assert from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import vectors from "./cpace_vectors.json" with { type: "json" };
import { encodeCard } from "./card.ts";
import { advance, receive, type Step } from "./handshake.ts";
import {
  cardKey,
  channelOf,
  confirmationTag,
  encodeOpening,
  KEM_CIPHERTEXT,
  openCard,
  readAnswer,
  readOpening,
  SHARE,
  transcript,
} from "./handshake_keys.ts";
import type { Handshake, Message } from "./handshake_state.ts";
import {
  alice,
  bob,
  EXPIRES,
  flipped,
  type HonestRun,
  honestRun,
  join,
  mallory,
  NAMEPLATE,
  NOW,
  offer,
  offerWithSecret,
  reasonOf,
  sent,
  take,
} from "./test_run.ts";
import { newPerson } from "./test_people.ts";

const run = await honestRun();
const second = await honestRun();
const message = (index: number, bytes: Uint8Array): Message => ({
  index,
  bytes,
});

/** Every place in a short message, and `count` places spread over a long one. */
const places = (length: number, count = 40) =>
  length <= 64
    ? Array.from({ length }, (_, at) => at)
    : Array.from({ length: count }, (_, k) => Math.floor(k * length / count));

const invalidPoints = [
  ...vectors.multiplication.invalid,
  ...vectors.badEncodings,
].map(hexToBytes);

Deno.test("whatever bit of the opening is turned, the run ends without a contact", async () => {
  for (const at of places(run.opening.bytes.length)) {
    const changed = message(0, flipped(run.opening.bytes, at, at % 8));
    const joiner = await take(run.joining, changed);
    if (joiner.state.at === "failed") {
      assert.match(joiner.state.reason, /^(version|misbehaved|expired)$/u);
      assert.equal(joiner.send, undefined);
      continue;
    }
    // The joiner can't know yet; its proof does not convince the inviter.
    const inviter = await take(run.offered, sent(joiner));
    assert.equal(reasonOf(inviter.state), "wrong", `byte ${at}`);
    assert.equal(inviter.send, undefined);
  }
});

Deno.test("a longer life given to a code by the relay ends the run", async () => {
  const opening = readOpening(run.opening.bytes);
  const bytes = encodeOpening({ ...opening, expiresAt: EXPIRES + 1 });
  const joiner = await take(run.joining, message(0, bytes), EXPIRES);
  assert.equal(joiner.state.at, "proved");
  const inviter = await take(run.offered, sent(joiner));
  assert.equal(reasonOf(inviter.state), "wrong");
});

Deno.test("whatever bit of the proof is turned, the inviter sends nothing", async () => {
  const { bytes } = run.proof;
  const share = Array.from({ length: SHARE }, (_, at) => at);
  const tag = Array.from({ length: 32 }, (_, k) => bytes.length - 32 + k);
  for (const at of [...share, ...places(bytes.length), ...tag]) {
    const step = await take(
      run.offered,
      message(0, flipped(bytes, at, at % 8)),
    );
    assert.match(reasonOf(step.state), /^(wrong|misbehaved)$/u);
    assert.equal(step.send, undefined);
  }
});

Deno.test("whatever bit of the answer is turned, the joiner sends no card", async () => {
  const { bytes } = run.answer;
  const tag = Array.from({ length: 32 }, (_, k) => KEM_CIPHERTEXT + k);
  for (const at of [...places(bytes.length), ...tag, bytes.length - 1]) {
    const step = await take(run.proved, message(1, flipped(bytes, at, at % 8)));
    const expected = at < KEM_CIPHERTEXT + 32 ? "wrong" : "misbehaved";
    assert.equal(reasonOf(step.state), expected, `byte ${at}`);
    assert.equal(step.send, undefined);
  }
});

Deno.test("whatever bit of the joiner's card is turned, the inviter takes none", async () => {
  const { bytes } = run.returned;
  for (const at of [...places(bytes.length), bytes.length - 1]) {
    const step = await take(
      run.answered,
      message(1, flipped(bytes, at, at % 8)),
    );
    assert.equal(reasonOf(step.state), "misbehaved");
  }
});

Deno.test("shares that are no points, or the identity, end the run on either side", async () => {
  for (const point of invalidPoints) {
    const opening = run.opening.bytes.slice();
    opening.set(point, 17);
    const joiner = await take(run.joining, message(0, opening));
    assert.equal(reasonOf(joiner.state), "misbehaved");
    assert.equal(joiner.send, undefined);

    const proof = run.proof.bytes.slice();
    proof.set(point, 0);
    const inviter = await take(run.offered, message(0, proof));
    assert.equal(reasonOf(inviter.state), "misbehaved");
    assert.equal(inviter.send, undefined);
  }
});

Deno.test("a point of the relay's choice in place of either share convinces nobody", async () => {
  const known = hexToBytes(vectors.multiplication.X);
  const opening = run.opening.bytes.slice();
  opening.set(known, 17);
  const joiner = await take(run.joining, message(0, opening));
  assert.equal(joiner.state.at, "proved");
  assert.equal(
    reasonOf((await take(run.offered, sent(joiner))).state),
    "wrong",
  );
  const proof = run.proof.bytes.slice();
  proof.set(known, 0);
  assert.equal(
    reasonOf((await take(run.offered, message(0, proof))).state),
    "wrong",
  );
});

Deno.test("messages of a wrong length or index end the run, unlooked at", () => {
  const states: [Handshake, Message][] = [
    [run.offered, run.proof],
    [run.joining, run.opening],
    [run.proved, run.answer],
    [run.answered, run.returned],
  ];
  for (const [state, { index, bytes }] of states) {
    for (
      const wrong of [
        message(index, bytes.subarray(1)),
        message(index, Uint8Array.of(...bytes, 0)),
        message(index, new Uint8Array(0)),
        message(index, new Uint8Array(16_000)),
        message(2, bytes),
        message(255, bytes),
        message(-1, bytes),
      ]
    ) {
      const step = receive(state, wrong, NOW);
      assert.equal(reasonOf(step.state), "misbehaved");
      assert.equal(step.send, undefined);
    }
  }
});

Deno.test("a second message under an index that was used ends the run", async () => {
  const pinned = receive(run.offered, run.proof, NOW).state;
  for (const state of [pinned, run.answered]) {
    const step = receive(state, second.proof, NOW);
    assert.equal(reasonOf(step.state), "misbehaved");
  }
  const invited = receive(run.joining, run.opening, NOW).state;
  for (const state of [invited, run.proved]) {
    const step = receive(state, second.opening, NOW);
    assert.equal(reasonOf(step.state), "misbehaved");
  }
  // The first one, had it not come, would have been looked at: it is pinned.
  assert.equal((await advance(pinned)).state.at, "answered");
});

Deno.test("a message ahead of its turn ends the run", () => {
  const pinned = receive(run.offered, run.proof, NOW).state;
  for (
    const [state, early] of [
      [run.offered, run.returned],
      [pinned, run.returned],
      [run.joining, run.answer],
      [receive(run.joining, run.opening, NOW).state, run.answer],
    ] as const
  ) {
    assert.equal(reasonOf(receive(state, early, NOW).state), "misbehaved");
  }
});

Deno.test("one's own messages, sent back, end the run", async () => {
  const own = message(1, run.answer.bytes);
  for (
    const [state, reflected] of [
      [run.offered, run.opening],
      [run.answered, own],
      [run.joining, run.proof],
      [run.proved, message(1, run.proof.bytes)],
    ] as const
  ) {
    assert.equal(reasonOf((await take(state, reflected)).state), "misbehaved");
  }
  // The inviter's own share, dressed up as a proof.
  const share = readOpening(run.opening.bytes).share;
  const proof = run.proof.bytes.slice();
  proof.set(share, 0);
  assert.equal(
    reasonOf((await take(run.offered, message(0, proof))).state),
    "misbehaved",
  );
  // The inviter's own tag and sealed card, cut to the size of the joiner's.
  const { sealedCard } = readAnswer(run.answer.bytes);
  assert.equal(
    reasonOf((await take(run.answered, message(1, sealedCard))).state),
    "misbehaved",
  );
});

Deno.test("two inviters, joined to each other by the relay, don't meet", async () => {
  const [one, two] = [offer(), offer()];
  for (
    const [{ state }, { send }] of [[one, two], [two, one]] as const
  ) assert.equal(reasonOf((await take(state, send)).state), "misbehaved");
});

Deno.test("messages of another run, of the same people at the same place, end the run", async () => {
  const wrong = async (state: Handshake, other: Message) =>
    reasonOf((await take(state, other)).state);
  assert.equal(await wrong(run.offered, second.proof), "wrong");
  assert.equal(await wrong(run.proved, second.answer), "wrong");
  assert.equal(await wrong(run.answered, second.returned), "misbehaved");
  const crossed = await take(run.joining, second.opening);
  assert.equal(await wrong(second.offered, sent(crossed)), "wrong");
  assert.equal(await wrong(run.offered, sent(crossed)), "wrong");
});

Deno.test("an old run replayed ends the new one, even with the same code", async () => {
  const again = offerWithSecret(run.code.secret);
  assert.equal(
    reasonOf((await take(again.state, run.proof)).state),
    "wrong",
  );
  const joiner = await take(join(run.code), run.opening);
  assert.equal(joiner.state.at, "proved");
  assert.equal(
    reasonOf((await take(joiner.state, run.answer)).state),
    "wrong",
  );
});

Deno.test("parts of two answers put together convince nobody", async () => {
  const again = offerWithSecret(run.code.secret);
  const proved = await take(join(run.code), again.send);
  const answered = await take(again.state, sent(proved));
  const mine = sent(answered).bytes;
  for (
    const bytes of [
      // this run's proof with another's card, and the other way round
      Uint8Array.of(...mine.slice(0, 1120), ...run.answer.bytes.slice(1120)),
      Uint8Array.of(...run.answer.bytes.slice(0, 1120), ...mine.slice(1120)),
      // another ciphertext
      Uint8Array.of(...run.answer.bytes.slice(0, 1088), ...mine.slice(1088)),
    ]
  ) {
    const step = await take(proved.state, message(1, bytes));
    assert.equal(step.state.at, "failed");
    assert.equal(step.send, undefined);
  }
});

Deno.test("a code of one relay or nameplate, carried to another, convinces nobody", async () => {
  const { state, send, code } = offer();
  const elsewhere = [
    join(code, { relayKey: new Uint8Array(32).fill(7) }),
    join({ ...code, nameplate: NAMEPLATE ^ 1 }),
  ];
  for (const joining of elsewhere) {
    const proved = await take(joining, send);
    const step = await take(state, sent(proved));
    assert.equal(reasonOf(step.state), "wrong");
    assert.equal(step.send, undefined);
  }
});

Deno.test("a run that has ended hears nothing more", async () => {
  const burnt = (await take(run.offered, second.proof)).state;
  const all = [run, second].flatMap((
    { opening, proof, answer, returned },
  ) => [opening, proof, answer, returned]);
  for (const late of all) {
    for (const state of [burnt, run.joinerMet.state, run.inviterMet.state]) {
      const step = await take(state, late);
      assert.equal(step.state, state);
      assert.equal(step.send, undefined);
      assert.equal(step.outcome, undefined);
    }
  }
});

Deno.test("who breaks the curve later still can't read a recorded card", () => {
  // The recorder's best case: it has computed ISK from the recorded shares.
  assert.equal(run.proved.at, "proved");
  if (run.proved.at !== "proved") return;
  const { kemCiphertext, sealedCard } = readAnswer(run.answer.bytes);
  const said = transcript(
    channelOf(run.proved.relayKey, NAMEPLATE),
    run.opening.bytes,
    run.proof.bytes,
    kemCiphertext,
  );
  for (const guess of [new Uint8Array(32), new Uint8Array(0)]) {
    const key = cardKey(run.proved.isk, guess, "inviter", said);
    assert.equal(openCard(key, sealedCard), undefined);
  }
});

Deno.test("an authenticated card that is none, or says nothing to start with, is refused", async () => {
  const wordless = await newPerson("W", { bundles: 0 });
  for (
    const card of [
      crypto.getRandomValues(new Uint8Array(4096)),
      new Uint8Array(4096),
      encodeCard(wordless.card),
    ]
  ) {
    const { state, send, code } = offer();
    if (state.at !== "offered") throw new Error("unreachable");
    const hostile = { ...state, run: { ...state.run, card } };
    const proved = await take(join(code), send);
    const answered = await take(hostile, sent(proved));
    const step = await take(proved.state, sent(answered));
    assert.equal(reasonOf(step.state), "misbehaved");
    assert.equal(step.send, undefined);
  }
});

Deno.test("a joiner whose ML-KEM key is none gets no answer", async () => {
  // All ones are coefficients of 4095, beyond ML-KEM's modulus of 3329.
  const { state, send, code } = offer();
  const joining = join(code);
  const proved = await take(joining, send);
  const proof = sent(proved).bytes.slice();
  proof.fill(0xff, SHARE, SHARE + 1184);
  // With its tag made anew by someone who knows the code:
  assert.equal(proved.state.at, "proved");
  if (proved.state.at !== "proved") return;
  const tag = confirmationTag(
    proved.state.isk,
    "joiner",
    transcript(
      channelOf(state.relayKey, NAMEPLATE),
      send.bytes,
      proof.slice(0, SHARE),
      proof.slice(SHARE, SHARE + 1184),
    ),
  );
  proof.set(tag, SHARE + 1184);
  const step = await take(state, message(0, proof));
  assert.equal(reasonOf(step.state), "misbehaved");
  assert.equal(step.send, undefined);
});

/** What the relay does next: hand someone any message it has, changed or not. */
const move = fc.record({
  to: fc.constantFrom("inviter", "joiner"),
  which: fc.nat(15),
  index: fc.option(fc.constantFrom(0, 1), { nil: undefined, freq: 3 }),
  flip: fc.option(fc.nat(20_000), { nil: undefined, freq: 2 }),
});

Deno.test("whatever a relay does in whatever order, who meets anyone meets the other", async () => {
  let met = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(move, { maxLength: 8 }),
      fc.boolean(),
      async (moves, honestly) => {
        const offered = offer();
        let inviter: Handshake = offered.state;
        let joiner: Handshake = join(offered.code);
        const seen: Message[] = [
          offered.send,
          run.opening,
          run.proof,
          run.answer,
          run.returned,
        ];
        const note = (step: Step) => {
          if (step.send) seen.push(step.send);
          return step.state;
        };
        const act = async ({ to, which, index, flip }: {
          to: string;
          which: number;
          index?: number;
          flip?: number;
        }) => {
          const chosen = seen[which % seen.length];
          const bytes = flip === undefined
            ? chosen.bytes
            : flipped(chosen.bytes, flip % chosen.bytes.length, flip % 8);
          const given = message(index ?? chosen.index, bytes);
          if (to === "inviter") inviter = note(await take(inviter, given));
          else joiner = note(await take(joiner, given));
        };
        // Half of the time the run is honest until the relay starts.
        if (honestly) await act({ to: "joiner", which: 0 });
        if (honestly) await act({ to: "inviter", which: 5 });
        for (const next of moves) await act(next);
        if (inviter.at === "met") {
          assert.deepEqual(inviter.peerCard, encodeCard(bob.card));
        }
        if (joiner.at === "met") {
          assert.deepEqual(joiner.peerCard, encodeCard(alice.card));
          met++;
        }
      },
    ),
    { numRuns: Deno.env.get("SLOW") ? 5000 : 150, seed: 1 },
  );
  assert.ok(
    met > 0,
    "some of these runs go through, or the test shows nothing",
  );
});

Deno.test("a relay that knew the code could sit in the middle: the attack is real, the code stops it", async () => {
  const attack = async (guess: string, honest: HonestRun) => {
    const middle = offerWithSecret(guess, mallory.card);
    const joiner = await take(join(honest.code), middle.send);
    const toJoiner = await take(middle.state, sent(joiner));
    return toJoiner.send
      ? (await take(joiner.state, toJoiner.send)).outcome
      : undefined;
  };
  assert.deepEqual(await attack(run.code.secret, run), { met: mallory.card });
  const other = run.code.secret.startsWith("0") ? "1" : "0";
  assert.equal(
    await attack(other + run.code.secret.slice(1), run),
    undefined,
  );
});
