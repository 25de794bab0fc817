import assert from "node:assert/strict";
import { createHash, hkdfSync } from "node:crypto";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ristretto255 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { calculateGenerator, publicShare } from "./cpace.ts";
import { advance, receive } from "./handshake.ts";
import { channelOf, encodeOpening } from "./handshake_keys.ts";
import type { Handshake } from "./handshake_state.ts";
import { openAnswer } from "./joiner_steps.ts";

/** A run in which everything random is a constant, so that another client can check itself against it. */
const relayKey = new Uint8Array(32).fill(1);
const nameplate = 0x12345;
const secret = "K7M2QX";
const expiresAt = 1_790_000_300_000;
const sessionId = new Uint8Array(16).fill(2);
const scalarOf = (value: number) => {
  const scalar = new Uint8Array(32);
  scalar[0] = value;
  return scalar;
};
const common = {
  relayKey,
  nameplate,
  expiresAt,
  accountId: "00000000-0000-8000-8000-000000000000",
};

const opening = encodeOpening({
  version: 1,
  sessionId,
  expiresAt,
  share: publicShare(
    calculateGenerator(
      new TextEncoder().encode(secret),
      channelOf(relayKey, nameplate),
      sessionId,
    ),
    scalarOf(3),
  ),
});
const inviter: Handshake = {
  ...common,
  role: "inviter",
  at: "offered",
  run: {
    secret,
    scalar: scalarOf(3),
    kemSeed: new Uint8Array(32).fill(4),
    card: new Uint8Array(4096).fill(5),
  },
  sent: [opening],
};
const joiner: Handshake = {
  ...common,
  role: "joiner",
  at: "joining",
  run: {
    secret,
    scalar: scalarOf(6),
    kemSeed: new Uint8Array(64).fill(7),
    card: new Uint8Array(4096).fill(8),
  },
};

async function bytesOf(state: Handshake, index: number, bytes: Uint8Array) {
  const step = await advance(
    receive(state, { index, bytes }, expiresAt - 1).state,
  );
  assert.ok(step.send);
  return { state: step.state, bytes: step.send.bytes };
}

const EXPECTED = {
  opening:
    "0102020202020202020202020202020202703a5e0670e4172057eafaa9f8b5abe2cd4ee7bfd7db7a7d00c644799913053101a0c454ffe0",
  share: "e0ccc4e49520cfa5df6e16ba617f9b9a8e4fabe4548daa14b1f54a5ff5f59f70",
  joinerTag: "d7a7e87fba0a450451de0ecfaa06e38bda07a599f57a18cda8aee768c12ccf1a",
  inviterTag:
    "ac1cadc468b0b85c91fe55a826cbf33396330b2a0fd04adb6aae848940f5505a",
  // SHA-256 of the whole messages
  proof: "a9bbc3bc49b4934c4e7c1af1a0d6b8cb68aefdf9cc14f576a3cbe67928956750",
  answer: "19245bb0dbf2fee21d93b7eae2eaba4a4324069589a59a74c11a5349abaef21b",
  card: "d024f015e94eb0ac241a27d30ff15248131f4c0c3b510eb0f78e6d02c7df6432",
};

Deno.test("a run of constants sends what it always has: other clients depend on it", async () => {
  const proof = await bytesOf(joiner, 0, opening);
  const answer = await bytesOf(inviter, 0, proof.bytes);
  const confirmed = receive(
    proof.state,
    { index: 1, bytes: answer.bytes },
    0,
  ).state;
  if (confirmed.role !== "joiner" || confirmed.at !== "confirmed") {
    throw new Error("the answer is pinned");
  }
  const opened = openAnswer(confirmed);
  if (typeof opened === "string") throw new Error(opened);
  assert.deepEqual(opened.peerCard, new Uint8Array(4096).fill(5));
  assert.deepEqual({
    opening: bytesToHex(opening),
    share: bytesToHex(proof.bytes.slice(0, 32)),
    joinerTag: bytesToHex(proof.bytes.slice(-32)),
    inviterTag: bytesToHex(answer.bytes.slice(1088, 1120)),
    proof: bytesToHex(sha256(proof.bytes)),
    answer: bytesToHex(sha256(answer.bytes)),
    card: bytesToHex(sha256(opened.sealedCard)),
  }, EXPECTED);
});

/** docs/protocol.md § Invite codes once more, with other means: node:crypto for hashes, the draft's formula spelt out. */
function fromTheDocument(proof: Uint8Array, answer: Uint8Array) {
  const text = (value: string) => new TextEncoder().encode(value);
  const joined = (...parts: Uint8Array[]) =>
    Uint8Array.from(parts.flatMap((part) => [...part]));
  const lv = (...parts: Uint8Array[]) =>
    joined(...parts.flatMap((part) => [
      part.length < 128
        ? Uint8Array.of(part.length)
        : Uint8Array.of(part.length & 127 | 128, part.length >> 7),
      part,
    ]));
  const hash = (name: string, bytes: Uint8Array) =>
    Uint8Array.from(createHash(name).update(bytes).digest());
  const expand = (
    secret: Uint8Array,
    salt: Uint8Array,
    label: string,
    length: number,
  ) => new Uint8Array(hkdfSync("sha256", secret, salt, label, length));

  const plate = Uint8Array.of(0, 1, 0x23, 0x45);
  const channel = joined(text("whisper invite v1"), relayKey, plate);
  const expiry = opening.slice(-6);
  const [ya, yb] = [opening.slice(17, 49), proof.slice(0, 32)];
  const k = ristretto255.Point.fromBytes(yb).multiply(3n).toBytes();
  const isk = hash(
    "sha512",
    joined(
      lv(text("CPaceRistretto255_ISK"), sessionId, k),
      lv(ya, joined(Uint8Array.of(0, 1), expiry)),
      lv(yb, joined(Uint8Array.of(1, 1), expiry)),
    ),
  );
  const t1 = hash("sha256", lv(channel, opening, yb, proof.slice(32, 1216)));
  const t2 = hash(
    "sha256",
    lv(channel, opening, proof, answer.slice(0, 1088)),
  );
  const kem = ml_kem768.decapsulate(
    answer.slice(0, 1088),
    ml_kem768.keygen(new Uint8Array(64).fill(7)).secretKey,
  );
  const card = expand(
    joined(isk, kem),
    t2,
    "whisper invite v1 inviter card",
    56,
  );
  return {
    joinerTag: bytesToHex(expand(isk, t1, "whisper invite v1 joiner tag", 32)),
    inviterTag: bytesToHex(
      expand(isk, t2, "whisper invite v1 inviter tag", 32),
    ),
    card: xchacha20poly1305(card.slice(0, 32), card.slice(32))
      .decrypt(answer.slice(1120)),
  };
}

Deno.test("a reader who has only the document gets the same tags and the card", async () => {
  const proof = await bytesOf(joiner, 0, opening);
  const answer = await bytesOf(inviter, 0, proof.bytes);
  assert.deepEqual(fromTheDocument(proof.bytes, answer.bytes), {
    joinerTag: EXPECTED.joinerTag,
    inviterTag: EXPECTED.inviterTag,
    card: new Uint8Array(4096).fill(5),
  });
});
