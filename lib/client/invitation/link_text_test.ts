import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatInvitation,
  looksLikeInvitation,
  parseInvitation,
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

Deno.test("a code is not taken for a link, what is left of a link is", () => {
  for (const code of ["7K3QX-9MPRT", "7k3qx9mprt@relay.example:8000"]) {
    assert.equal(looksLikeInvitation(code), false);
  }
  for (const text of ["https://relay.example/", "#invite=AQ"]) {
    assert.equal(looksLikeInvitation(text), true);
  }
});
