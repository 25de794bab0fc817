import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatInvitation,
  parseInvitation,
  whatIsEntered,
} from "./link_text.ts";

const bytes = (length: number, value: number) =>
  new Uint8Array(length).fill(value);
const link = { blob: bytes(16, 0xfb), secret: bytes(32, 0xff) };

Deno.test("a link is read back, alone and out of a message, with the server that it names", () => {
  const fragment = formatInvitation(link);
  assert.match(fragment, /^#invite=[\w-]{66}$/u);
  assert.deepEqual(parseInvitation(fragment), { ok: true, link });
  assert.deepEqual(
    parseInvitation(`Look: https://relay.example:8443/${fragment}, see you`),
    { ok: true, link, origin: "https://relay.example:8443" },
  );
});

Deno.test("a link that was cut, lengthened, altered in its version or made of other letters is none", () => {
  const fragment = formatInvitation(link);
  for (let length = 0; length < fragment.length; length++) {
    assert.deepEqual(parseInvitation(fragment.slice(0, length)), { ok: false });
  }
  for (
    const text of [
      `${fragment}A`,
      fragment.replace("#invite=A", "#invite=B"),
      fragment.replace("#invite=", "#invito="),
      fragment.replace("=", "=*"),
      "",
    ]
  ) assert.deepEqual(parseInvitation(text), { ok: false }, text);
});

Deno.test("every link is read back", () => {
  const of = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(fc.property(of(16), of(32), (blob, secret) => {
    const reading = parseInvitation(formatInvitation({ blob, secret }));
    assert.deepEqual(reading, { ok: true, link: { blob, secret } });
  }));
});

Deno.test("a code, a link, what is left of one and a link to something else are told apart", () => {
  const fragment = formatInvitation(link);
  const entered = {
    "7K3QX-9MPRT": "code",
    "7k3qx9mprt@relay.example:8000": "code",
    "#1 of my friends": "code",
    [fragment]: "link",
    [`Look: https://relay.example/${fragment} !`]: "link",
    "#invite=AQ": "cut",
    [`https://relay.example/${fragment.slice(0, -1)}`]: "cut",
    "https://relay.example/": "other-link",
    "https://elsewhere.example/page#part": "other-link",
  };
  for (const [text, meant] of Object.entries(entered)) {
    assert.equal(whatIsEntered(text), meant, text);
  }
});
