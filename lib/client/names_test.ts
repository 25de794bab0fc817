import assert from "node:assert/strict";
import { toldApart } from "./names.ts";

function shown(...names: string[]): string[] {
  return [...toldApart(names.map((name, i) => [String(i), name])).values()];
}

Deno.test("a name that looks like one before it gets a number, whatever letters it is made of", () => {
  for (
    const [name, like] of [
      ["Anna", "Anna"],
      ["Anna", "anna"],
      ["Anna", "An\u200bna"],
      ["Anna", "Anna\u2060"],
      ["Anna", "Аnnа"], // Cyrillic А, а
      ["Bob", "Вοb"], // Cyrillic В, Greek ο
      ["Ida", "lda"],
      ["Tom", "Torn"],
      ["Zoe", "Zoë"],
      ["Zoë", "Zoe\u0308"],
      ["Olga", "0lga"],
      ["Ada Lovelace", "Ada\u00a0 Lovelace"],
      ["Ａda", "Ada"],
      ["Ольга", "0льга"],
    ]
  ) {
    assert.deepEqual(shown(name, like), [name, `${like} (2)`]);
    assert.deepEqual(shown(like, name), [like, `${name} (2)`]);
  }
});

Deno.test("names that nobody takes for each other stay as they are", () => {
  const names = [
    "Ada",
    "Adam",
    "Ida",
    "李小龍",
    "李小红",
    "Ольга",
    "Олег",
    "🌙",
    "🌞",
    "Anna B.",
    "Anna C.",
  ];
  assert.deepEqual(shown(...names), names);
});

Deno.test("nobody has the number of somebody else", () => {
  assert.deepEqual(
    shown("Anna (2)", "Anna", "Anna", "Anna"),
    ["Anna (2)", "Anna", "Anna (3)", "Anna (4)"],
  );
});
