import fc from "fast-check";
import assert from "node:assert/strict";
import { SpqrError, type SpqrErrorCode } from "./error.ts";
import {
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  expandSecretKey,
  headerOf,
  vectorOf,
} from "./kem.ts";
import { initialState, receive, send, type SpqrState } from "./spqr.ts";
import type { Stage } from "./stage.ts";
import { parse, serialize } from "./state_codec.ts";
import fixtures from "./state_v1.json" with { type: "json" };

const refusal = (code: SpqrErrorCode) => ({ name: "SpqrError", code });
const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));

/** A state of every stage, each in the midst of it where it lasts. */
function everyStage(): Map<Stage["kind"], SpqrState> {
  const states = new Map<Stage["kind"], SpqrState>();
  let alice = initialState(new Uint8Array(32), "A2B");
  let bob = initialState(new Uint8Array(32), "B2A");
  const note = (state: SpqrState) => {
    states.set(state.stage.kind, state);
    return state;
  };
  note(alice);
  note(bob);
  for (let round = 0; round < 300; round++) {
    const fromAlice = send(alice, random);
    alice = note(fromAlice.state);
    bob = note(receive(bob, fromAlice.message).state);
    const fromBob = send(bob, random);
    bob = note(fromBob.state);
    // Now and then a message is lost, so that keys are skipped and both orders of arrival occur.
    if (round % 5 !== 0 && (round < 150 || round % 2 === 0)) {
      alice = note(receive(alice, fromBob.message).state);
    }
  }
  return states;
}

const states = everyStage();
const stored = [...states.values()].map(serialize);

Deno.test("a state of any stage comes back as it was", () => {
  assert.equal(states.size, 11);
  for (const state of states.values()) {
    const bytes = serialize(state);
    assert.deepEqual(plain(parse(bytes)), plain(state));
    assert.deepEqual(serialize(parse(bytes)), bytes);
  }
});

Deno.test("a state without missing messages stays below 2.9 kB", () => {
  let alice = initialState(new Uint8Array(32), "A2B");
  let bob = initialState(new Uint8Array(32), "B2A");
  for (let round = 0; round < 100; round++) {
    const fromAlice = send(alice, random);
    const fromBob = send(receive(bob, fromAlice.message).state, random);
    alice = receive(fromAlice.state, fromBob.message).state;
    bob = fromBob.state;
    assert.ok(serialize(alice).length < 2_900 && serialize(bob).length < 2_900);
  }
});

Deno.test("states stored by version 1 are read, in every stage", () => {
  assert.equal(fixtures.length, 11);
  for (const { stage, epoch, state } of fixtures) {
    const bytes = Uint8Array.from(atob(state), (char) => char.charCodeAt(0));
    const read = parse(bytes);
    assert.equal(read.stage.kind, stage);
    assert.equal(read.stage.epoch, epoch);
    const rewritten = serialize(read);
    assert.deepEqual([...rewritten.subarray(0, 2)], [8, 2]);
    assert.deepEqual(plain(parse(rewritten)), plain(read));
    assert.equal(send(read, random).key.length, 32);
  }
});

Deno.test("a secret key that version 1 stored whole opens what was made for it", () => {
  for (const { stage, state } of fixtures) {
    const bytes = Uint8Array.from(atob(state), (char) => char.charCodeAt(0));
    const read = parse(bytes).stage;
    if (!("secretKey" in read)) continue;
    const m = random(32);
    const { ct1, sharedSecret } = encapsulateFirst(headerOf(read.secretKey), m);
    const key = expandSecretKey(read.secretKey);
    const ct2 = encapsulateSecond(headerOf(key), vectorOf(key), m, ct1);
    assert.deepEqual(decapsulate(key, ct1, ct2), sharedSecret);
    if ("vector" in read) assert.deepEqual(read.vector, vectorOf(key), stage);
  }
});

Deno.test("a state does not share memory with what it was read from", () => {
  for (const bytes of stored) {
    const copy = Buffer.from(bytes);
    const state = parse(copy);
    copy.fill(0);
    assert.deepEqual(serialize(state), bytes);
  }
});

Deno.test("a newer format is told from a broken one", () => {
  const newer = stored[0].slice();
  assert.deepEqual([...newer.subarray(0, 2)], [8, 2]);
  newer[1] = 3;
  assert.throws(() => parse(newer), refusal("version"));
  assert.throws(() => parse(new Uint8Array()), refusal("malformed"));
});

Deno.test("a chain whose epochs are not those of the stage is malformed", () => {
  for (const state of states.values()) {
    const { stage } = state;
    for (const epoch of [stage.epoch - 1, stage.epoch + 1]) {
      if (epoch === 0) continue;
      const moved = serialize({ ...state, stage: { ...stage, epoch } });
      assert.throws(() => parse(moved), refusal("malformed"));
    }
  }
});

Deno.test("a state cut short is malformed", () => {
  for (const bytes of stored) {
    for (let length = 0; length < bytes.length; length += 1 + length % 7) {
      assert.throws(
        () => parse(bytes.subarray(0, length)),
        (error) => error instanceof SpqrError,
      );
    }
  }
});

Deno.test("broken states are refused or can be used, and nothing else is thrown", () => {
  const edits = fc.array(
    fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }),
    { minLength: 1, maxLength: 4 },
  );
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...stored),
      edits,
      fc.boolean(),
      (bytes, edits, head) => {
        const broken = bytes.slice();
        // Half of the edits go where the structure is dense, not into the long byte fields.
        for (
          const { at, byte } of edits
        ) broken[at % (head ? 60 : broken.length)] = byte;
        try {
          const state = parse(broken);
          const sent = send(state, random);
          receive(sent.state, sent.message);
        } catch (error) {
          assert.ok(error instanceof SpqrError, String(error));
          refused++;
        }
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(refused > 100);
});

Deno.test("arbitrary bytes are refused", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.throws(() => parse(bytes), (error) => error instanceof SpqrError);
  }));
});

/** Bytes as plain arrays: one state's are views into a larger buffer. */
function plain(state: SpqrState): unknown {
  return JSON.parse(
    JSON.stringify(
      state,
      (_, value) => value instanceof Uint8Array ? [...value] : value,
    ),
  );
}
