import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ControlError } from "./control_error.ts";
import { type ControlReply, ReplyReader } from "./control_reply.ts";

const encode = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

const read = (...chunks: string[]) => {
  const reader = new ReplyReader();
  return chunks.flatMap((chunk) => reader.feed(encode(chunk)));
};

/** As Tor 0.4.9 says it. */
const SAID = [
  "250-PROTOCOLINFO 1\r\n",
  '250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="/var/lib/tor/control_auth_cookie"\r\n',
  '250-VERSION Tor="0.4.9.11"\r\n',
  "250 OK\r\n",
  "650 HS_DESC UPLOADED abc UNKNOWN $A~a\r\n",
  "250+config-text=\r\n",
  "ControlPort auto\r\n",
  "..dotted\r\n",
  ".\r\n",
  "250 OK\r\n",
  '552 Unrecognized key "nonsense"\r\n',
].join("");

const REPLIES: ControlReply[] = [
  {
    code: 250,
    lines: [
      "PROTOCOLINFO 1",
      'AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="/var/lib/tor/control_auth_cookie"',
      'VERSION Tor="0.4.9.11"',
      "OK",
    ],
  },
  { code: 650, lines: ["HS_DESC UPLOADED abc UNKNOWN $A~a"] },
  { code: 250, lines: ["config-text=\nControlPort auto\n.dotted", "OK"] },
  { code: 552, lines: ['Unrecognized key "nonsense"'] },
];

Deno.test("what Tor says is the same replies, wherever it is cut on its way", () => {
  deepEqual(read(SAID), REPLIES);
  fc.assert(
    fc.property(fc.array(fc.nat(SAID.length)), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), SAID.length];
      deepEqual(
        read(...at.slice(1).map((end, i) => SAID.slice(at[i], end))),
        REPLIES,
      );
    }),
  );
});

Deno.test("whatever else speaks there is told from a control port, and nothing else is thrown", () => {
  for (
    const text of [
      "HTTP/1.1 400 Bad Request\r\n",
      "\r\n",
      "99 x\r\n",
      "250\r\n",
    ]
  ) throws(() => read(text), ControlError);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
      const reader = new ReplyReader();
      try {
        for (const chunk of chunks) reader.feed(chunk);
      } catch (error) {
        equal(error instanceof ControlError, true, String(error));
      }
    }),
  );
});

Deno.test("it is not listened to without end, in one line or in many", () => {
  const mega = "x".repeat(1 << 20);
  throws(() => read("250 ", mega), ControlError);
  throws(() => read(...Array(20).fill(`250-${mega.slice(0, 65_536)}\r\n`)), {
    message: "it says too much at once",
  });
});
