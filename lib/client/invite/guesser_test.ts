/** Someone who has a nameplate and guesses the rest: one try, on either side, and it is noticed. */
import assert from "node:assert/strict";
import { advance, isPinned, receive } from "./handshake.ts";
import { parseHandshake, serializeHandshake } from "./handshake_codec.ts";
import {
  alice,
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
  wrongCode,
} from "./test_run.ts";
import type { Handshake } from "./handshake_state.ts";

const reload = (state: Handshake) => parseHandshake(serializeHandshake(state));

Deno.test("a wrong guess burns the offer: the right one is not heard after it", async () => {
  const { state, send, code } = offer();
  const guess = await take(join(wrongCode(code), { card: mallory.card }), send);
  const burnt = await take(state, sent(guess));
  assert.deepEqual(burnt.outcome, { failed: "wrong" });
  const right = await take(join(code), send);
  const late = await take(burnt.state, sent(right));
  assert.equal(late.state, burnt.state);
  assert.equal(late.send, undefined);
});

Deno.test("nor after a reload, nor when the reload came before the guess was looked at", async () => {
  const { state, send, code } = offer();
  const guess = sent(await take(join(wrongCode(code)), send));
  const right = sent(await take(join(code), send));
  // The relay sees the guess delivered, makes the client reload, and offers another.
  const pinned = reload(receive(state, guess, NOW).state);
  assert.ok(isPinned(pinned));
  assert.equal(reasonOf(receive(pinned, right, NOW).state), "misbehaved");
  assert.equal(reasonOf((await advance(pinned)).state), "wrong");
  const burnt = reload((await advance(pinned)).state);
  assert.equal((await take(burnt, right)).send, undefined);
});

Deno.test("many guesses at one offer: the first is the only one, the right one after it is not heard", async () => {
  const { state, send, code } = offer();
  let inviter: Handshake = state;
  const answers = [];
  for (const guess of ["000000", "000001", code.secret, "000002"]) {
    if (guess === code.secret && answers.length === 0) continue;
    const proved = await take(
      join({ nameplate: NAMEPLATE, secret: guess }),
      send,
    );
    const step = await take(inviter, sent(proved));
    inviter = step.state;
    answers.push(step.send);
  }
  assert.ok(answers.every((answer) => answer === undefined));
});

Deno.test("someone who plays the inviter gets one guess too, and the joiner notices", async () => {
  const { code } = offer();
  const joining = join(code);
  const first = offerWithSecret("000000", mallory.card);
  const proved = await take(joining, first.send);
  const checked = await take(first.state, sent(proved));
  assert.equal(
    checked.send,
    undefined,
    "the proof shows that the guess is wrong",
  );
  // Another opening, with another guess, in the same run:
  const again = offerWithSecret(code.secret, mallory.card);
  assert.equal(
    reasonOf(receive(reload(proved.state), again.send, NOW).state),
    "misbehaved",
  );
});

Deno.test("a made-up answer convinces no joiner", async () => {
  const run = await honestRun();
  const bytes = crypto.getRandomValues(new Uint8Array(run.answer.bytes.length));
  const step = await take(run.proved, { index: 1, bytes });
  assert.deepEqual(step.outcome, { failed: "wrong" });
  assert.equal(step.send, undefined);
});

Deno.test("a recorded proof is no help in trying codes offline", async () => {
  // What a recorder has: opening and proof. Trying the right code against it
  // needs the scalar of one side; with a scalar of one's own the tag differs.
  const run = await honestRun();
  const own = offerWithSecret(run.code.secret, alice.card);
  const step = await take(own.state, run.proof);
  assert.equal(reasonOf(step.state), "wrong");
});
