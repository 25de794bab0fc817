import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AccessKey,
  formatAccessKey,
  newAccessKey,
  parseAccessKey,
} from "./access_key.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const other = (character: string, shift: number) =>
  ALPHABET[(ALPHABET.indexOf(character) + shift) % 32];

/** The text of a key without its hyphens, with some of its characters changed. */
function altered(text: string, changes: Map<number, string>): string {
  return [...text.replaceAll("-", "")].map((character, position) =>
    changes.get(position) ?? character
  ).join("");
}

const key = fc.uint8Array({ minLength: 19, maxLength: 19 }).map((bytes) => {
  bytes[18] &= 0xfc;
  return bytes as AccessKey; // 150 bits and two zero ones: what the brand says
});
const position = fc.integer({ min: 0, max: 31 });
const shift = fc.integer({ min: 1, max: 31 });

Deno.test("a key is eight groups of four and reads back as itself", () => {
  fc.assert(fc.property(key, (key) => {
    const text = formatAccessKey(key);
    assert.match(text, /^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/u);
    assert.deepEqual(parseAccessKey(text), { ok: true, key });
  }));
});

Deno.test("a key of zeros has zero check characters, and one bit moves both", () => {
  const zero = new Uint8Array(19) as AccessKey; // 150 zero bits are a key too
  assert.equal(formatAccessKey(zero), Array(8).fill("0000").join("-"));
  const one = new Uint8Array(19) as AccessKey;
  one[0] = 0b0000_1000; // symbol 0 is 1: its column is (1, 0)
  // check: c30 = 0 + 31·1, c31 = c30 + 1 → 31 and 30
  assert.equal(formatAccessKey(one), "1000-0000-0000-0000-0000-0000-0000-00ZY");
});

Deno.test("case, spaces, hyphens of any kind and look-alikes don't matter", () => {
  fc.assert(fc.property(
    key,
    fc.array(fc.constantFrom("", " ", "-", "\u2011", "\t", "\n", "\u00a0"), {
      minLength: 33,
      maxLength: 33,
    }),
    fc.array(fc.nat(2), { minLength: 32, maxLength: 32 }),
    (key, gaps, looks) => {
      const typed = [...formatAccessKey(key).replaceAll("-", "")].map(
        (character, index) => {
          const alikes = { "0": "0Oo", "1": "1Il" }[character] ??
            character + character.toLowerCase() + character;
          return gaps[index] + alikes[looks[index]];
        },
      ).join("") + gaps[32];
      assert.deepEqual(parseAccessKey(typed), { ok: true, key });
    },
  ));
});

Deno.test("every single wrong character, everywhere, is located", () => {
  const text = formatAccessKey(newAccessKey());
  const plain = text.replaceAll("-", "");
  for (let at = 0; at < 32; at++) {
    for (let by = 1; by < 32; by++) {
      const typed = altered(text, new Map([[at, other(plain[at], by)]]));
      assert.deepEqual(parseAccessKey(typed), {
        ok: false,
        reason: "mistyped",
        group: Math.floor(at / 4) + 1,
      });
    }
  }
});

Deno.test("a single character that is none of the alphabet is located too", () => {
  const text = formatAccessKey(newAccessKey());
  for (const foreign of ["U", "u", "!", "é", "💥", "_"]) {
    assert.deepEqual(parseAccessKey(altered(text, new Map([[17, foreign]]))), {
      ok: false,
      reason: "mistyped",
      group: 5,
    });
  }
  assert.deepEqual(
    parseAccessKey(altered(text, new Map([[17, "U"], [3, "U"]]))),
    { ok: false, reason: "malformed" },
  );
});

Deno.test("two wrong characters, of every pair of places, are never accepted", () => {
  const text = formatAccessKey(newAccessKey());
  const plain = text.replaceAll("-", "");
  for (let a = 0; a < 31; a++) {
    for (let b = a + 1; b < 32; b++) {
      for (const [by, and] of [[1, 1], [1, 2], [7, 19], [31, 16], [13, 13]]) {
        const typed = altered(
          text,
          new Map([[a, other(plain[a], by)], [b, other(plain[b], and)]]),
        );
        assert.equal(parseAccessKey(typed).ok, false);
      }
    }
  }
});

Deno.test("two wrong characters are never accepted, whatever they are", () => {
  fc.assert(
    fc.property(
      key,
      fc.uniqueArray(position, { minLength: 2, maxLength: 2 }),
      shift,
      shift,
      (key, [a, b], by, and) => {
        const plain = formatAccessKey(key).replaceAll("-", "");
        const typed = altered(
          plain,
          new Map([[a, other(plain[a], by)], [b, other(plain[b], and)]]),
        );
        assert.equal(parseAccessKey(typed).ok, false);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("two exchanged characters are malformed: no group is blamed that is right", () => {
  fc.assert(fc.property(
    key,
    fc.uniqueArray(position, { minLength: 2, maxLength: 2 }),
    (key, [a, b]) => {
      const plain = formatAccessKey(key).replaceAll("-", "");
      fc.pre(plain[a] !== plain[b]);
      const typed = altered(plain, new Map([[a, plain[b]], [b, plain[a]]]));
      assert.deepEqual(parseAccessKey(typed), {
        ok: false,
        reason: "malformed",
      });
    },
  ));
});

Deno.test("what is not 32 characters is malformed", () => {
  const plain = formatAccessKey(newAccessKey()).replaceAll("-", "");
  for (const text of ["", " ", "-", plain.slice(1), plain + "0", "not a key"]) {
    assert.deepEqual(parseAccessKey(text), { ok: false, reason: "malformed" });
  }
});

Deno.test("new keys differ and use every value of a character", () => {
  const seen = new Set<string>();
  const characters = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const text = formatAccessKey(newAccessKey());
    seen.add(text);
    for (const character of text.replaceAll("-", "")) characters.add(character);
  }
  assert.equal(seen.size, 200);
  assert.equal(characters.size, 32);
});
