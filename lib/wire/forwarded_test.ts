import assert from "node:assert/strict";
import { x25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import {
  decodeForwarded,
  decodeForwardedReply,
  encodeForwarded,
  encodeForwardedReply,
  ENVELOPE_SIZES,
  ERROR_CODES,
  type ErrorName,
  ForwardSeal,
  FRAME_SIZES,
  MAX_CHUNK,
  SEALED_SIZES,
  WireError,
} from "./mod.ts";
import { anyBlobCommand } from "./testing/any_blob_command.ts";
import { anyOneShotCommand } from "./testing/any_forward_command.ts";

const filled = (size: number, byte: number) => new Uint8Array(size).fill(byte);

const day = x25519.keygen();
const BINDING = {
  dayKey: day.publicKey,
  relayKey: filled(32, 1),
  challenge: filled(32, 2),
};

/** Both ends of one seal. */
function seals(binding = BINDING): [client: ForwardSeal, relay: ForwardSeal] {
  const one = x25519.keygen();
  const secret = x25519.getSharedSecret(one.secretKey, day.publicKey);
  return [
    new ForwardSeal(secret, one.publicKey, BINDING),
    new ForwardSeal(secret, one.publicKey, binding),
  ];
}

Deno.test("any command comes back from what is forwarded, which measures a frame less ten", () => {
  fc.assert(
    fc.property(fc.oneof(anyBlobCommand, anyOneShotCommand), (drawn) => {
      // fast-check draws objects without a prototype.
      const command = { ...drawn };
      const [client, relay] = seals();
      const sealed = client.sealCommand(encodeForwarded(command));
      assert.ok(SEALED_SIZES.includes(sealed.length), String(sealed.length));
      const plain = relay.openCommand(sealed);
      assert.ok(plain);
      assert.deepEqual(
        decodeForwarded(plain),
        "request" in command ? { ...command, request: 0 } : command,
      );
    }),
    { numRuns: 100 },
  );
});

Deno.test("an answer says nothing by its length but the class of what it carries", () => {
  // The keys of ERROR_CODES are exactly the error names.
  const errors = Object.keys(ERROR_CODES) as ErrorName[];
  const [client, relay] = seals();
  const empty = filled(0, 0);
  const small = [
    { type: "OK", body: empty } as const,
    { type: "OK", body: filled(400, 7) } as const,
    ...errors.map((code) => ({ type: "ERR", code, detail: empty }) as const),
  ];
  for (const reply of small) {
    const sealed = relay.sealReply(encodeForwardedReply(reply));
    assert.equal(sealed.length, 507, "with the header of OK: 512");
    const plain = client.openReply(sealed);
    assert.deepEqual(plain && decodeForwardedReply(plain), {
      request: 0,
      ...reply,
    });
  }
  const chunk = encodeForwardedReply({
    type: "OK",
    body: filled(14 + MAX_CHUNK, 7),
  });
  assert.equal(relay.sealReply(chunk).length, 32_763);
});

Deno.test("every envelope but those of the largest size can be forwarded", () => {
  const frames = ENVELOPE_SIZES.map((size) => {
    const post = {
      type: "POST",
      queue: filled(16, 1),
      id: filled(16, 2),
      envelope: filled(size, 3),
      signature: filled(64, 4),
    } as const;
    try {
      return seals()[0].sealCommand(encodeForwarded(post)).length + 10;
    } catch (error) {
      assert.ok(error instanceof WireError);
      return error.code;
    }
  });
  assert.deepEqual(frames, [...FRAME_SIZES.slice(1), 32_768, "too-large"]);
});

Deno.test("what is sealed opens for no other relay, no other challenge and no other day, nor when it was altered", () => {
  const other = [
    { ...BINDING, relayKey: filled(32, 9) },
    { ...BINDING, challenge: filled(32, 9) },
    { ...BINDING, dayKey: filled(32, 9) },
  ];
  const ping = encodeForwarded({ type: "PING" });
  for (const binding of other) {
    const [client, relay] = seals(binding);
    assert.equal(relay.openCommand(client.sealCommand(ping)), undefined);
    assert.equal(client.openReply(relay.sealReply(ping)), undefined);
  }
  const [client, relay] = seals();
  const sealed = client.sealCommand(ping);
  assert.ok(relay.openCommand(sealed));
  for (const at of [32, 33, sealed.length - 17, sealed.length - 1]) {
    const altered = sealed.slice();
    altered[at] ^= 1;
    assert.equal(relay.openCommand(altered), undefined, `byte ${at}`);
  }
  assert.equal(client.openReply(sealed.subarray(32)), undefined, "not back");
});

Deno.test("what is forwarded and is no command, or is padded with something, is refused", () => {
  const good = encodeForwarded({ type: "PING" });
  const refusal = (alter: (plain: Uint8Array) => void) => {
    const plain = good.slice();
    alter(plain);
    try {
      decodeForwarded(plain);
    } catch (error) {
      assert.ok(error instanceof WireError);
      return error.code;
    }
  };
  assert.equal(refusal(() => {}), undefined);
  assert.equal(refusal((plain) => plain[0] = 0xee), "unknown-command");
  assert.equal(refusal((plain) => plain[2] = 1), "malformed");
  assert.equal(refusal((plain) => plain[1] = 0xff), "malformed");
  assert.equal(refusal((plain) => plain[plain.length - 1] = 1), "malformed");
  assert.throws(() => decodeForwardedReply(good), WireError);
});

Deno.test("of what MEET does, only passing has bytes", () => {
  const meet = (act: "look" | "pass" | "close", bytes: Uint8Array) =>
    encodeForwarded({
      type: "MEET",
      nameplate: 1,
      publicKey: filled(32, 1),
      act,
      index: 0,
      bytes,
      signature: filled(64, 2),
    });
  const [some, none] = [filled(9, 3), new Uint8Array()];
  decodeForwarded(meet("pass", some));
  for (const act of ["look", "close"] as const) {
    decodeForwarded(meet(act, none));
    assert.throws(() => decodeForwarded(meet(act, some)), WireError);
  }
});
