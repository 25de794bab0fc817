import assert from "node:assert/strict";
import { initials } from "./initials.ts";

Deno.test("initials are the first letters of the first and last word", () => {
  assert.equal(initials("Ada King Lovelace"), "AL");
  assert.equal(initials("  anna  "), "A");
  assert.equal(initials("Ольга Петрова"), "ОП");
});

Deno.test("initials are whole graphemes", () => {
  assert.equal(initials("👩‍🚀 Kim"), "👩‍🚀");
  assert.equal(initials("e\u0301mile"), "E\u0301");
  assert.equal(initials("مريم علي"), "م");
});

Deno.test("a name without letters still gets something", () => {
  assert.equal(initials(""), "?");
  assert.equal(initials("   "), "?");
  assert.equal(initials("7of9"), "7");
});
