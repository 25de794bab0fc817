import assert from "node:assert/strict";
import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import {
  decrypt,
  describeSession,
  encrypt,
  parseSession,
  type PreKeySource,
  serializeSession,
} from "./mod.ts";
import fixtures from "./session_v1.json" with { type: "json" };
import type { SessionFixture } from "./testing/write_session_fixture.ts";

/** A session of the fixture needs no prekeys any more. */
const preKeys: PreKeySource = {
  preKey: () => Promise.resolve(undefined),
  signedPreKey: () => Promise.resolve(undefined),
  kyberPreKey: () => Promise.resolve(undefined),
};

function localOf({ local }: SessionFixture) {
  const { serviceId, deviceId, registrationId } = local;
  return {
    identity: {
      publicKey: Uint8Array.fromBase64(local.publicKey),
      privateKey: Uint8Array.fromBase64(local.privateKey),
    },
    registrationId,
    address: { serviceId, deviceId },
  };
}

for (const fixture of fixtures as SessionFixture[]) {
  Deno.test(`a session stored by version 1 goes on: ${fixture.shape}`, async () => {
    const stored = Uint8Array.fromBase64(fixture.session);
    assert.equal(stored[0], 1);
    const session = parseSession(stored);
    const info = describeSession(session);
    assert.equal(info.archivedStates, fixture.archivedStates);
    assert.equal(info.unansweredSince, fixture.unansweredSince);
    assert.equal(info.closed, false);
    const rewritten = serializeSession(session);
    assert.equal(rewritten[0], 2);
    assert.deepEqual(serializeSession(parseSession(rewritten)), rewritten);
    const local = localOf(fixture);
    for (const read of [session, parseSession(rewritten)]) {
      const received = await decrypt({
        local,
        remote: fixture.remote,
        session: read,
        message: {
          type: fixture.type,
          bytes: Uint8Array.fromBase64(fixture.message),
        },
        preKeys,
      });
      assert.equal(bytesToUtf8(received.plaintext), fixture.plaintext);
      const sent = await encrypt({
        local,
        remote: fixture.remote,
        session: received.session,
        plaintext: new Uint8Array(1),
        now: fixture.unansweredSince ?? 0,
      });
      assert.equal(serializeSession(sent.session)[0], 2);
    }
  });
}
