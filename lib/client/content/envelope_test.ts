import assert from "node:assert/strict";
import fc from "fast-check";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { ENVELOPE_SIZES } from "../../wire/mod.ts";
import {
  ENVELOPE_WRAPPING,
  EnvelopeError,
  type EnvelopeErrorCode,
  MAX_SIGNAL_MESSAGE,
  openEnvelope,
  sealEnvelope,
} from "./envelope.ts";

const KEY = { sealKey: randomBytes(32), queue: randomBytes(16) };

function refuses(work: () => unknown, code: EnvelopeErrorCode): void {
  assert.throws(
    work,
    (error) => error instanceof EnvelopeError && error.code === code,
  );
}

/** An inner of a sender that does not keep to the rules. */
function sealedInner(inner: Uint8Array): Uint8Array {
  const nonce = randomBytes(24);
  const ad = concatBytes(utf8ToBytes("whisper envelope v1"), KEY.queue);
  return concatBytes(
    nonce,
    xchacha20poly1305(KEY.sealKey, nonce, ad).encrypt(inner),
  );
}

Deno.test("what is sealed for a queue opens there, and fills the smallest envelope that takes it", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 5_000 }),
      fc.integer({ min: 1, max: 127 }),
      fc.constantFrom(2 as const, 3 as const),
      (length, senderDevice, type) => {
        const message = { type, bytes: randomBytes(length) };
        const envelope = sealEnvelope(KEY, senderDevice, message);
        const fitting = ENVELOPE_SIZES.filter((size) =>
          size >= length + ENVELOPE_WRAPPING
        );
        assert.equal(envelope.length, Math.min(...fitting));
        assert.deepEqual(openEnvelope(KEY, envelope), {
          senderDevice,
          message,
        });
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("each size is used up to its last byte, and nothing beyond the largest is sealed", () => {
  for (const [i, size] of ENVELOPE_SIZES.entries()) {
    const full = {
      type: 2,
      bytes: new Uint8Array(size - ENVELOPE_WRAPPING).fill(1),
    } as const;
    assert.equal(sealEnvelope(KEY, 1, full).length, size);
    assert.deepEqual(
      openEnvelope(KEY, sealEnvelope(KEY, 1, full)).message,
      full,
    );
    const oneMore = {
      type: 2,
      bytes: new Uint8Array(full.bytes.length + 1),
    } as const;
    if (i + 1 < ENVELOPE_SIZES.length) {
      assert.equal(sealEnvelope(KEY, 1, oneMore).length, ENVELOPE_SIZES[i + 1]);
    } else {
      assert.equal(full.bytes.length, MAX_SIGNAL_MESSAGE);
      assert.throws(() => sealEnvelope(KEY, 1, oneMore), RangeError);
    }
  }
});

Deno.test("with another key, for another queue, or changed anywhere it does not open", () => {
  const envelope = sealEnvelope(KEY, 5, { type: 3, bytes: randomBytes(100) });
  refuses(
    () => openEnvelope({ ...KEY, sealKey: randomBytes(32) }, envelope),
    "unreadable",
  );
  refuses(
    () => openEnvelope({ ...KEY, queue: randomBytes(16) }, envelope),
    "unreadable",
  );
  for (let i = 0; i < envelope.length; i++) {
    refuses(
      () => openEnvelope(KEY, envelope.with(i, envelope[i] ^ 1)),
      "unreadable",
    );
  }
});

Deno.test("only the seven lengths are envelopes", () => {
  const envelope = sealEnvelope(KEY, 5, { type: 2, bytes: randomBytes(100) });
  for (
    const wrong of [
      new Uint8Array(),
      envelope.slice(1),
      concatBytes(envelope, envelope),
    ]
  ) {
    refuses(() => openEnvelope(KEY, wrong), "size");
  }
});

Deno.test("a contact's envelope that breaks the format is refused by name", () => {
  const inner = new Uint8Array(440);
  inner.set([1, 5, 0, 3, 2, 9, 9, 9]);
  assert.deepEqual(openEnvelope(KEY, sealedInner(inner)), {
    senderDevice: 5,
    message: { type: 2, bytes: Uint8Array.of(9, 9, 9) },
  });
  refuses(
    () => openEnvelope(KEY, sealedInner(inner.with(0, 2))),
    "unsupported",
  );
  refuses(() => openEnvelope(KEY, sealedInner(inner.with(1, 0))), "malformed");
  refuses(
    () => openEnvelope(KEY, sealedInner(inner.with(1, 128))),
    "malformed",
  );
  refuses(
    () => openEnvelope(KEY, sealedInner(inner.with(2, 0xff))),
    "malformed",
  );
  refuses(() => openEnvelope(KEY, sealedInner(inner.with(4, 1))), "malformed");
  refuses(
    () => openEnvelope(KEY, sealedInner(inner.with(439, 1))),
    "malformed",
  );
});

Deno.test("two envelopes of the same message have no byte in common but by chance", () => {
  const message = { type: 2, bytes: new Uint8Array(100) } as const;
  const count = 64;
  const envelopes = Array.from(
    { length: count },
    () => sealEnvelope(KEY, 1, message),
  );
  for (let i = 0; i < envelopes[0].length; i++) {
    // 64 equal bytes by chance at one of 480 places: once in 2^495.
    assert.ok(
      new Set(envelopes.map((envelope) => envelope[i])).size > 1,
      `byte ${i} is fixed`,
    );
  }
});
