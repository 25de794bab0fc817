/**
 * Writes `lib/signal/session_v<version>.json`: sessions as this version stores them, in every shape, each with a
 * message of the other side that it has not received yet. To be run once, when a version of the stored form is
 * released; later versions are tested to read it.
 *   deno run -A lib/signal/testing/write_session_fixture.ts
 */
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { type CiphertextMessage, serializeSession } from "../mod.ts";
import { OurParty } from "./our_party.ts";
import { introduce } from "./party.ts";
import { say, write } from "./text.ts";

/** Bytes are base64. */
export interface SessionFixture {
  readonly shape: string;
  readonly session: string;
  readonly local: {
    readonly publicKey: string;
    readonly privateKey: string;
    readonly registrationId: number;
    readonly serviceId: string;
    readonly deviceId: number;
  };
  readonly remote: { readonly serviceId: string; readonly deviceId: number };
  /** From the other side, not received yet. */
  readonly type: CiphertextMessage["type"];
  readonly message: string;
  readonly plaintext: string;
  /** What `describeSession` says of it. */
  readonly archivedStates: number;
  readonly unansweredSince?: number;
}

function fixture(
  shape: string,
  [own, other]: [OurParty, OurParty],
  message: CiphertextMessage,
  plaintext: string,
  rest: { archivedStates: number; unansweredSince?: number },
): SessionFixture {
  const session = own.session(other.address);
  if (!session) throw new Error("there is a session by now");
  const { identity, registrationId, address } = own.local;
  return {
    shape,
    session: serializeSession(session).toBase64(),
    local: {
      publicKey: identity.publicKey.toBase64(),
      privateKey: identity.privateKey.toBase64(),
      registrationId,
      ...address,
    },
    remote: other.address,
    type: message.type,
    message: message.bytes.toBase64(),
    plaintext,
    ...rest,
  };
}

async function* fixtures(): AsyncGenerator<SessionFixture> {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  await introduce(alice, bob);
  await say(alice, bob, "hello");
  const answer = await write(bob, alice.address, "answer");
  yield fixture("we wait for an answer", [alice, bob], answer, "answer", {
    archivedStates: 0,
    unansweredSince: alice.now,
  });
  yield fixture(
    "they wait for an answer",
    [bob, alice],
    await write(alice, bob.address, "hello again"),
    "hello again",
    { archivedStates: 0 },
  );
  await alice.receive(bob.address, answer);
  for (let turn = 0; turn < 60; turn++) {
    const lost = await write(alice, bob.address, `late ${turn}`);
    await say(alice, bob, `turn ${turn}`);
    if (turn % 12 === 11) {
      const shape = `turn ${turn}, with missing messages`;
      yield fixture(shape, [bob, alice], lost, `late ${turn}`, {
        archivedStates: 0,
      });
    }
    const next = await write(bob, alice.address, `back ${turn}`);
    if (turn % 12 === 5) {
      const shape = `turn ${turn}, an answer is due`;
      yield fixture(shape, [alice, bob], next, `back ${turn}`, {
        archivedStates: 0,
      });
    }
    await alice.receive(bob.address, next);
  }
  const late = await write(alice, bob.address, "of the first session");
  for (let renewed = 0; renewed < 3; renewed++) {
    await introduce(alice, bob);
    await say(alice, bob, "new session");
    await say(bob, alice, "understood");
  }
  yield fixture(
    "three replaced sessions",
    [bob, alice],
    late,
    "of the first session",
    { archivedStates: 3 },
  );
}

if (import.meta.main) {
  const all = await Array.fromAsync(fixtures());
  const version = Uint8Array.fromBase64(all[0].session)[0];
  const path = new URL(`../session_v${version}.json`, import.meta.url);
  await Deno.writeFile(
    path,
    utf8ToBytes(JSON.stringify(all, undefined, 2) + "\n"),
    { createNew: true },
  );
}
