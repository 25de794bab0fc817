import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatInviteCode,
  isInviteSecret,
  newInviteSecret,
  parseInviteCode,
} from "./invite_code.ts";

const code = fc.record({
  nameplate: fc.nat(0xf_ffff),
  secret: fc.constantFrom(
    ...Array.from({ length: 64 }, () => newInviteSecret()),
  ),
}, { noNullPrototype: true });
const malformed = { ok: false, reason: "malformed" };

Deno.test("a code is ten characters: four of the nameplate, six of the secret", () => {
  assert.equal(
    formatInviteCode({ nameplate: 0, secret: "ABC123" }),
    "0000ABC123",
  );
  assert.equal(
    formatInviteCode({ nameplate: 0xf_ffff, secret: "ABC123" }),
    "ZZZZABC123",
  );
  assert.equal(
    formatInviteCode({
      nameplate: 1 << 15 | 2 << 10 | 3 << 5 | 31,
      secret: "000000",
    }),
    "123Z000000",
  );
});

Deno.test("whatever is written reads back, however it is typed", () => {
  fc.assert(fc.property(
    code,
    fc.array(fc.constantFrom("", "-", " ", "\u2013", "\n"), {
      minLength: 11,
      maxLength: 11,
    }),
    fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
    (code, gaps, lower) => {
      const typed = [...formatInviteCode(code)].map((character, index) => {
        const alike = { "0": "o", "1": "l" }[character] ?? character;
        return gaps[index] + (lower[index] ? alike.toLowerCase() : character);
      }).join("") + gaps[10];
      assert.deepEqual(parseInviteCode(typed), { ok: true, code });
    },
  ));
});

Deno.test("a code of another relay names it", () => {
  const code = { nameplate: 0x12345, secret: "K7M2QX" };
  const text = formatInviteCode(code);
  for (
    const [host, relay] of [
      ["relay.example", "relay.example"],
      [" Relay.Example ", "relay.example"],
      ["relay.example:8443", "relay.example:8443"],
      ["[::1]:8000", "[::1]:8000"],
      ["abc.onion", "abc.onion"],
    ]
  ) {
    assert.deepEqual(parseInviteCode(`${text}@${host}`), {
      ok: true,
      code,
      relay,
    });
  }
});

Deno.test("what is no code is malformed", () => {
  for (
    const text of [
      "",
      "@",
      "ABCDEFGHJ",
      "ABCDEFGHJKM",
      "ABCDEFGHJU",
      "ABCDE!GHJK",
      "ABCDEFGHJK@",
      "ABCDEFGHJK@a@b",
      "ABCDEFGHJK@relay.example/path",
      "ABCDEFGHJK@relay.example?x",
      "ABCDEFGHJK@user:pass",
      "ABCDEFGHJK@https://relay.example",
      "ABCDEFGHJK@relay example",
    ]
  ) assert.deepEqual(parseInviteCode(text), malformed, text);
});

Deno.test("whatever is typed is read or refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
      const reading = parseInviteCode(text);
      if (reading.ok) {
        assert.ok(isInviteSecret(reading.code.secret));
        assert.ok(reading.code.nameplate >= 0);
        assert.ok(reading.code.nameplate <= 0xf_ffff);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("secrets are six symbols and differ", () => {
  const secrets = new Set(
    Array.from({ length: 200 }, () => newInviteSecret()),
  );
  assert.ok(secrets.size > 195);
  for (const secret of secrets) assert.ok(isInviteSecret(secret));
  for (const other of ["", "ABC12", "ABC1234", "abc123", "ABC12U", "ABC12O"]) {
    assert.equal(isInviteSecret(other), false);
  }
});
