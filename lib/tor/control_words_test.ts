import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { quoted, wordsOf } from "./control_words.ts";

Deno.test("a line's words and values are found, as Tor says them", () => {
  const { plain, values } = wordsOf(
    'NOTICE BOOTSTRAP PROGRESS=45 TAG=loading_descriptors SUMMARY="Loading relay descriptors" EMPTY=',
  );
  deepEqual(plain, ["NOTICE", "BOOTSTRAP"]);
  deepEqual(Object.fromEntries(values), {
    PROGRESS: "45",
    TAG: "loading_descriptors",
    SUMMARY: "Loading relay descriptors",
    EMPTY: "",
  });
  const listeners = wordsOf(
    'net/listeners/socks="127.0.0.1:9050" "unix:/run/tor/socks"',
  );
  equal(listeners.values.get("net/listeners/socks"), "127.0.0.1:9050");
  deepEqual(listeners.plain, ["unix:/run/tor/socks"]);
});

Deno.test("quoted text comes back as it was, whatever is in it; C's escapes are read too", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    equal(wordsOf(`A KEY=${quoted(text)} B`).values.get("KEY"), text);
  }));
  equal(
    wordsOf(String.raw`F="a\\b\"c\n\t\303\244"`).values.get("F"),
    'a\\b"c\n\t\xc3\xa4',
  );
});

Deno.test("no line is too strange to be read", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (line) => {
    wordsOf(line);
  }));
});
