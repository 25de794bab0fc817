import assert from "node:assert/strict";
import fc from "fast-check";
import { countdown, groups } from "./code.ts";

Deno.test("a code falls into groups of equal size", () => {
  assert.deepEqual(groups("7K3QX9MPRT", 5), ["7K3QX", "9MPRT"]);
  assert.deepEqual(groups("ABCD-EFGH-JKMN", 4), ["ABCD", "EFGH", "JKMN"]);
  assert.deepEqual(groups("ABCDE", 4), ["ABCD", "E"]);
  assert.deepEqual(groups("", 4), []);
});

Deno.test("grouping loses no character and keeps the order", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."0123ABCD-") }),
      fc.integer({ min: 1, max: 9 }),
      (code, size) => {
        assert.equal(groups(code, size).join(""), code.replaceAll("-", ""));
      },
    ),
  );
});

Deno.test("the countdown shows minutes and two digits of seconds", () => {
  assert.equal(countdown(300_000, 0), "5:00");
  assert.equal(countdown(300_000, 1), "5:00");
  assert.equal(countdown(300_000, 1_000), "4:59");
  assert.equal(countdown(9_000, 0), "0:09");
});

Deno.test("the countdown stops at zero", () => {
  assert.equal(countdown(0, 1), "0:00");
  assert.equal(countdown(1_000, 90_000), "0:00");
});
