import assert from "node:assert/strict";
import { fingerprint, parsePlace } from "./navigation.ts";

Deno.test("a fingerprint is 32 bits, the same for the same id", () => {
  const id = "6f0f1c7e-3a55-8d5e-9d0a-5b1d0c6a2f11";
  assert.equal(fingerprint(id), fingerprint(id));
  assert.ok(Number.isInteger(fingerprint(id)));
  assert.ok(fingerprint(id) >= 0 && fingerprint(id) < 2 ** 32);
});

Deno.test("fingerprints of a thousand random ids differ", () => {
  const ids = Array.from({ length: 1000 }, () => crypto.randomUUID());
  assert.equal(new Set(ids.map(fingerprint)).size, 1000);
});

Deno.test("FNV-1a gives its published values", () => {
  assert.equal(fingerprint(""), 0x811c9dc5);
  assert.equal(fingerprint("a"), 0xe40c292c);
  assert.equal(fingerprint("foobar"), 0xbf9cf968);
});

Deno.test("whatever history holds, a place comes out", () => {
  const landing = { step: "landing", entered: false };
  assert.deepEqual(parsePlace(null), landing);
  assert.deepEqual(parsePlace("elsewhere"), landing);
  assert.deepEqual(parsePlace({ step: "admin", open: "x" }), landing);
  assert.deepEqual(parsePlace({ step: "create", entered: true }), {
    step: "create",
    entered: true,
  });
  assert.deepEqual(parsePlace({ open: 7, entered: true }), {
    step: "landing",
    open: 7,
    entered: true,
  });
});
