import assert from "node:assert/strict";
import {
  allowReset,
  confirmDelivered,
  decideResend,
  EMPTY_RESEND_LOG,
  type ListedDevice,
  MAX_REMEMBERED,
  MAX_RESEND_AGE_MS,
  MAX_RESENDS_OF_ONE,
  MAX_RESENDS_PER_HOUR,
  prune,
  rememberSent,
  type ResendLog,
  RESET_INTERVAL_MS,
} from "./resend.ts";

const NOW = Date.UTC(2026, 10, 26);
const key = (byte: number) => new Uint8Array(33).fill(byte);
const phone: ListedDevice = { id: 1, identityKey: key(1) };
const laptop: ListedDevice = { id: 2, identityKey: key(2) };
const LISTED = [phone, laptop];

function logOf(
  ...sent: [content: string, timestamp: number, devices: ListedDevice[]][]
): ResendLog {
  return sent.reduce(
    (log, [content, timestamp, devices]) =>
      rememberSent(log, { content, timestamp }, devices, timestamp).log,
    EMPTY_RESEND_LOG,
  );
}

function ask(
  log: ResendLog,
  device: ListedDevice,
  timestamp: number,
  { listed = LISTED, now = NOW }: {
    listed?: readonly ListedDevice[];
    now?: number;
  } = {},
) {
  return decideResend(log, { timestamp, deviceId: 1 }, device, listed, now);
}

const refused = (reason: string) => ({ kind: "refuse", reason });

Deno.test("a device has again what it was sent itself, and nothing else", () => {
  const log = logOf(["for both", NOW, LISTED], ["for one", NOW + 1, [phone]]);
  const content = (device: ListedDevice, timestamp: number) =>
    ask(log, device, timestamp).decision;
  assert.deepEqual(content(phone, NOW), {
    kind: "resend",
    content: "for both",
  });
  assert.deepEqual(content(laptop, NOW), {
    kind: "resend",
    content: "for both",
  });
  assert.deepEqual(content(phone, NOW + 1), {
    kind: "resend",
    content: "for one",
  });
  assert.deepEqual(content(laptop, NOW + 1), refused("not-sent"));
  assert.deepEqual(content(phone, NOW + 2), refused("not-sent"));
});

Deno.test("a device has it only while the list names it, id and identity", () => {
  const log = logOf(["text", NOW, [phone]]);
  const stranger = { id: 1, identityKey: key(9) };
  assert.deepEqual(
    ask(log, phone, NOW, { listed: [laptop] }).decision,
    refused("not-listed"),
  );
  // Another device got the id of the one that was removed: neither of the two has it.
  const listed = [stranger, laptop];
  assert.deepEqual(
    ask(log, phone, NOW, { listed }).decision,
    refused("not-listed"),
  );
  assert.deepEqual(
    ask(log, stranger, NOW, { listed }).decision,
    refused("not-sent"),
  );
});

Deno.test("what is too old is not sent again, and forgotten", () => {
  const log = logOf(["old", NOW, [phone]], ["newer", NOW + 1, [phone]]);
  const last = NOW + MAX_RESEND_AGE_MS;
  assert.equal(ask(log, phone, NOW, { now: last }).decision.kind, "resend");
  assert.deepEqual(
    ask(log, phone, NOW, { now: last + 1 }).decision,
    refused("not-sent"),
  );
  const { log: kept, forgotten } = prune(log, last + 1);
  assert.deepEqual(forgotten, ["old"]);
  assert.deepEqual(kept.sent.map(({ content }) => content), ["newer"]);
});

Deno.test("what a device has confirmed it cannot have again; what all have is forgotten", () => {
  const log = logOf(["text", NOW, LISTED]);
  const one = confirmDelivered(log, { deviceId: 1, timestamp: NOW }, NOW);
  assert.deepEqual(one.forgotten, []);
  assert.deepEqual(ask(one.log, phone, NOW).decision, refused("not-sent"));
  assert.equal(ask(one.log, laptop, NOW).decision.kind, "resend");
  const both = confirmDelivered(one.log, { deviceId: 2, timestamp: NOW }, NOW);
  assert.deepEqual(both.forgotten, ["text"]);
  assert.equal(both.log.sent.length, 0);
});

Deno.test("no more than a number of messages is remembered, the newest", () => {
  let log = EMPTY_RESEND_LOG;
  const forgotten: string[] = [];
  for (let i = 0; i < MAX_REMEMBERED + 3; i++) {
    const sent = { content: `${i}`, timestamp: NOW + i };
    const after = rememberSent(log, sent, [phone], NOW);
    log = after.log;
    forgotten.push(...after.forgotten);
  }
  assert.equal(log.sent.length, MAX_REMEMBERED);
  assert.deepEqual(forgotten, ["0", "1", "2"]);
});

Deno.test("one message goes out again a few times to each device, no more", () => {
  let log = logOf(["text", NOW, LISTED]);
  for (let i = 0; i < MAX_RESENDS_OF_ONE; i++) {
    const answer = ask(log, phone, NOW);
    assert.equal(answer.decision.kind, "resend");
    log = answer.log;
  }
  assert.deepEqual(ask(log, phone, NOW).decision, refused("again-and-again"));
  assert.equal(ask(log, laptop, NOW).decision.kind, "resend");
});

Deno.test("a device has so many messages again within an hour, and then more", () => {
  let log = EMPTY_RESEND_LOG;
  for (let i = 0; i <= MAX_RESENDS_PER_HOUR; i++) {
    const sent = { content: `${i}`, timestamp: NOW + i };
    log = rememberSent(log, sent, LISTED, NOW).log;
  }
  for (let i = 0; i < MAX_RESENDS_PER_HOUR; i++) {
    const answer = ask(log, phone, NOW + i);
    assert.equal(answer.decision.kind, "resend");
    log = answer.log;
  }
  const next = NOW + MAX_RESENDS_PER_HOUR;
  const hour = 60 * 60 * 1000;
  const refusal = refused("too-often");
  assert.deepEqual(ask(log, phone, next).decision, refusal);
  assert.deepEqual(
    ask(log, phone, next, { now: NOW + hour - 1 }).decision,
    refusal,
  );
  assert.equal(ask(log, laptop, next).decision.kind, "resend");
  assert.equal(
    ask(log, phone, next, { now: NOW + hour }).decision.kind,
    "resend",
  );
});

Deno.test("a session is given up at a device's word once in a while", () => {
  const log = allowReset(EMPTY_RESEND_LOG, 1, NOW);
  assert(log);
  assert.equal(allowReset(log, 1, NOW + RESET_INTERVAL_MS - 1), undefined);
  assert(allowReset(log, 2, NOW));
  assert(allowReset(log, 1, NOW + RESET_INTERVAL_MS));
});

Deno.test("a log is left as it was, and a refusal changes nothing", () => {
  const log = logOf(["text", NOW, [phone]]);
  const before = structuredClone(log);
  ask(log, phone, NOW);
  allowReset(log, 1, NOW);
  confirmDelivered(log, { deviceId: 1, timestamp: NOW }, NOW);
  assert.deepEqual(log, before);
  assert.equal(ask(log, laptop, NOW).log, log);
});
