import assert from "node:assert/strict";
import fc from "fast-check";
import { piecesOf } from "./links.ts";

/** The text with each link in angle brackets, which no link holds. */
const marked = (text: string) =>
  piecesOf(text)
    .map((piece) => piece.kind === "link" ? `<${piece.text}>` : piece.text)
    .join("");

const links = (text: string) =>
  piecesOf(text).flatMap((piece) => piece.kind === "link" ? [piece.href] : []);

Deno.test("a text without an address is one piece, an empty one none", () => {
  assert.deepEqual(piecesOf("see you at eight"), [
    { kind: "text", text: "see you at eight" },
  ]);
  assert.deepEqual(piecesOf(""), []);
});

Deno.test("an address is found alone, in a sentence, in several lines, and more than once", () => {
  assert.equal(marked("https://example.org"), "<https://example.org>");
  assert.equal(
    marked("look: http://a.example/b?c=d&e=f#g and\nHTTPS://B.EXAMPLE/x"),
    "look: <http://a.example/b?c=d&e=f#g> and\n<HTTPS://B.EXAMPLE/x>",
  );
  assert.equal(marked("(https://a.example)"), "(<https://a.example>)");
  assert.equal(
    marked("查看https://a.example/路径。"),
    "查看<https://a.example/路径>。",
  );
});

Deno.test("what ends a sentence does not belong to the address", () => {
  for (
    const after of [
      ".",
      ",",
      "!",
      "?!",
      "…",
      "...",
      ":",
      ";",
      "'",
      '"',
      "’",
      "”",
      "»",
      ").",
      "]",
      "**",
      "_",
      "|",
    ]
  ) {
    assert.equal(
      marked(`x https://a.example/y${after} z`),
      `x <https://a.example/y>${after} z`,
    );
  }
  assert.equal(marked("<https://a.example/y>"), "<<https://a.example/y>>");
  assert.equal(marked("https://a.example/?q=1."), "<https://a.example/?q=1>.");
});

Deno.test("a bracket that was opened in the address stays in it", () => {
  assert.equal(
    marked("(https://a.example/Whisper_(novel))"),
    "(<https://a.example/Whisper_(novel)>)",
  );
  assert.equal(
    marked("https://a.example/x_(y)."),
    "<https://a.example/x_(y)>.",
  );
  assert.equal(marked("http://[::1]:8000/a"), "<http://[::1]:8000/a>");
});

Deno.test("nothing but http and https is a link", () => {
  for (
    const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      "ftp://a.example",
      "www.example.org",
      "a@example.org",
      "https://",
      "https:// a.example",
      "http:///",
      "https://.",
      "xhttps://a.example",
      "https:a.example",
    ]
  ) {
    assert.deepEqual(links(text), [], text);
  }
});

Deno.test("an address that misleads is left as text, or ends before what misleads", () => {
  assert.deepEqual(links("https://bank.example@evil.example/"), []);
  assert.deepEqual(links("https://user:pass@a.example/"), []);
  assert.equal(
    marked("https://a.example\\@evil.example"),
    "<https://a.example>\\@evil.example",
  );
  // A right-to-left override would show the rest backwards.
  assert.equal(
    marked("https://a.example/\u202egnp.exe"),
    "<https://a.example/>\u202egnp.exe",
  );
  assert.equal(
    marked("https://a.exa\u200bmple/"),
    "<https://a.exa>\u200bmple/",
  );
});

Deno.test("whatever is written, no character is lost and every link is http or https", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.constantFrom(" ", "\n", ")", ".", "https://", "http://", "@", "\u202e"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const text = parts.join("");
      const pieces = piecesOf(text);
      assert.equal(pieces.map((piece) => piece.text).join(""), text);
      for (const href of links(text)) {
        const url = new URL(href);
        assert.match(url.protocol, /^https?:$/);
        assert.equal(url.username + url.password, "");
      }
    }),
  );
});

Deno.test("a long text of nothing but brackets after an address is cut in a moment's work", () => {
  const tail = ")".repeat(28_000);
  assert.equal(
    marked(`https://a.example/${tail}`),
    `<https://a.example/>${tail}`,
  );
});
