import assert from "node:assert/strict";
import { glance } from "./glance.ts";

Deno.test("one emoji alone is shown big, two or three a little less", () => {
  assert.equal(glance("🌙"), "one-emoji");
  assert.equal(glance("👩‍👩‍👧‍👦"), "one-emoji");
  assert.equal(glance("🇩🇪"), "one-emoji");
  assert.equal(glance("👍🏽 👍🏽"), "few-emoji");
  assert.equal(glance("❤️🔥✨"), "few-emoji");
});

Deno.test("words, digits and rows of emoji are text", () => {
  assert.equal(glance("hello 🌙"), "text");
  assert.equal(glance("1"), "text");
  assert.equal(glance("#"), "text");
  assert.equal(glance("🙂🙂🙂🙂"), "text");
  assert.equal(glance("   "), "text");
  assert.equal(glance(""), "text");
});

Deno.test("a very long text is not searched", () => {
  assert.equal(glance("🙂".repeat(50_000)), "text");
});
