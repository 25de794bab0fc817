import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
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
