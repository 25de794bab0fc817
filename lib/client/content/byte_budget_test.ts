/** Through the real Signal layer: what a text costs, at the worst that a session comes to. */
import assert from "node:assert/strict";
import {
  type Address,
  decrypt,
  encrypt,
  generateKeyPair,
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  initiateSession,
  type LocalDevice,
  type PreKeySource,
  type Session,
} from "../../signal/mod.ts";
import { type KnownBody, newContent, newContentId } from "./content.ts";
import { ANNOUNCEMENT, openEnvelope, sealEnvelope } from "./envelope.ts";
import { MAX_RECEIPT_IDS, MAX_TEXT_BYTES } from "./limits.ts";

const NOW = 1_795_000_000_000;
const KEY = {
  sealKey: new Uint8Array(32).fill(1),
  queue: new Uint8Array(16).fill(2),
};

/** Every number as long as it gets in decades: these make the longest contents. */
function longContent(body: KnownBody) {
  return newContent({
    conversation: newContentId(),
    id: newContentId(),
    time: 4_398_046_511_103, // the last of six bytes, in the year 2109
    expiry: 7 * 24 * 3600,
    deviceList: {
      version: 2_097_151,
      hash: crypto.getRandomValues(new Uint8Array(8)),
    },
    backupVersion: 2_097_151,
    knows: 127,
  }, body);
}

interface Side {
  readonly local: LocalDevice;
  readonly remote: Address;
  readonly preKeys: PreKeySource;
  session: Session | undefined;
}

async function pair(): Promise<{ joiner: Side; inviter: Side }> {
  const device = async (n: number): Promise<LocalDevice> => ({
    identity: await generateKeyPair(),
    registrationId: 16_383,
    address: {
      serviceId: `00000000-0000-8000-8000-00000000000${n}`,
      deviceId: 127,
    },
  });
  const [a, b] = [await device(1), await device(2)];
  const id = 0xff_ffff; // ids of prekeys: 24 bits at most
  const preKey = await generatePreKey(id);
  const signedPreKey = await generateSignedPreKey(id, b.identity);
  const kyberPreKey = await generateKyberPreKey(id, b.identity);
  const preKeys: PreKeySource = {
    preKey: () => Promise.resolve(preKey),
    signedPreKey: () => Promise.resolve(signedPreKey),
    kyberPreKey: () => Promise.resolve(kyberPreKey),
  };
  const session = await initiateSession({
    local: a,
    remote: b.address,
    now: NOW,
    bundle: {
      registrationId: b.registrationId,
      deviceId: b.address.deviceId,
      identityKey: b.identity.publicKey,
      signedPreKey: {
        id,
        publicKey: signedPreKey.keyPair.publicKey,
        signature: signedPreKey.signature,
      },
      kyberPreKey: {
        id,
        publicKey: kyberPreKey.publicKey,
        signature: kyberPreKey.signature,
      },
      preKey: { id, publicKey: preKey.keyPair.publicKey },
    },
  });
  return {
    joiner: { local: a, remote: b.address, preKeys, session },
    inviter: { local: b, remote: a.address, preKeys, session: undefined },
  };
}

async function sealed(side: Side, body: KnownBody): Promise<Uint8Array> {
  if (!side.session) throw new Error("no session yet");
  const { session, message } = await encrypt({
    local: side.local,
    remote: side.remote,
    session: side.session,
    plaintext: longContent(body).bytes,
    now: NOW,
  });
  side.session = session;
  return sealEnvelope(KEY, side.local.address.deviceId, message);
}

async function opened(side: Side, envelope: Uint8Array): Promise<void> {
  const { message } = openEnvelope(KEY, envelope);
  assert.ok(message.type !== ANNOUNCEMENT);
  const { session } = await decrypt({
    local: side.local,
    remote: side.remote,
    session: side.session,
    message,
    preKeys: side.preKeys,
  });
  side.session = session;
}

const textOf = (bytes: number): KnownBody => ({
  kind: "text",
  text: "x".repeat(bytes),
});

Deno.test("250 bytes of text are 480 on the wire, whatever the ratchets carry; a first message takes 2,016", async () => {
  const { joiner, inviter } = await pair();
  const first = await sealed(joiner, textOf(50));
  assert.equal(first.length, 2016);
  await opened(inviter, first);

  // Long enough for every kind of SPQR message, in both directions, with chains of some length.
  for (let round = 0; round < 60; round++) {
    for (const [from, to] of [[inviter, joiner], [joiner, inviter]]) {
      for (let i = 0; i < 1 + round % 3; i++) {
        const envelope = await sealed(from, textOf(250));
        assert.equal(envelope.length, 480);
        await opened(to, envelope);
      }
    }
  }
});

Deno.test("a receipt for sixteen messages is as short as a text", async () => {
  const { joiner, inviter } = await pair();
  await opened(inviter, await sealed(joiner, { kind: "hello" }));
  const ids = Array.from({ length: 16 }, newContentId);
  assert.equal(
    (await sealed(inviter, { kind: "receipt", state: "read", ids })).length,
    480,
  );
});

Deno.test("the longest text and the longest receipt fit, inside a first message too", async () => {
  const { joiner, inviter } = await pair();
  const ids = Array.from({ length: MAX_RECEIPT_IDS }, newContentId);
  const bodies: KnownBody[] = [
    textOf(MAX_TEXT_BYTES),
    { kind: "edit", target: newContentId(), text: "x".repeat(MAX_TEXT_BYTES) },
    { kind: "receipt", state: "read", ids },
  ];
  for (const side of [joiner, inviter]) {
    for (const body of bodies) {
      const envelope = await sealed(side, body);
      assert.ok(envelope.length <= 32_736);
      await opened(side === joiner ? inviter : joiner, envelope);
    }
  }
});
