/** Makes new vectors, with official libsignal as the other side and as the judge. */
import * as L from "@signalapp/libsignal-client";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { utf8ToBytes } from "@noble/ciphers/utils.js";
import {
  generateKeyPair,
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  type KeyPair,
  serializeSession,
  WHISPER,
} from "../../mod.ts";
import { epochOf } from "../../spqr/mod.ts";
import { parsePreKeyMessage, parseSignalMessage } from "../../messages.ts";
import { LibsignalParty } from "../libsignal_party.ts";
import { OurParty } from "../our_party.ts";
import { owned } from "../owned.ts";
import { introduce, randomAddress } from "../party.ts";
import { hear, say, write } from "../text.ts";
import type { Beginning, Moment, Vectors } from "./vectors.ts";

export async function makeVectors(): Promise<Vectors> {
  return {
    agreements: Array.from({ length: 8 }, agreement),
    signatures: Array.from({ length: 8 }, (_, i) => signatures(13 * i)).flat(),
    safetyNumbers: Array.from({ length: 3 }, safetyNumber),
    beginnings: [await beginning(true), await beginning(false)],
    conversations: [...await conversation(true), ...await conversation(false)],
  };
}

const random = (length: number) =>
  crypto.getRandomValues(new Uint8Array(length));

function agreement() {
  const ours = L.PrivateKey.generate();
  const theirs = L.PrivateKey.generate().getPublicKey();
  return {
    privateKey: ours.serialize().toHex(),
    publicKey: ours.getPublicKey().serialize().toHex(),
    theirPublicKey: theirs.serialize().toHex(),
    secret: ours.agree(theirs).toHex(),
  };
}

/** A signature, and ones that are none: of another message, altered, by another key. */
function signatures(length: number) {
  const key = L.PrivateKey.generate();
  const message = random(length);
  const signature = key.sign(message);
  const altered = owned(signature);
  altered[length % 64] ^= 1 << length % 8;
  const other = L.PrivateKey.generate().sign(message);
  const cases: [Uint8Array, Uint8Array][] = [
    [message, signature],
    [Uint8Array.of(...message, 0), signature],
    [message, altered],
    [message, other],
  ];
  return cases.map(([of, by]) => ({
    publicKey: key.getPublicKey().serialize().toHex(),
    message: of.toHex(),
    signature: by.toHex(),
    valid: key.getPublicKey().verify(owned(of), owned(by)),
  }));
}

function safetyNumber() {
  const [localId, remoteId] = [crypto.randomUUID(), crypto.randomUUID()];
  const [local, remote] = [1, 2].map(() =>
    L.PrivateKey.generate().getPublicKey()
  );
  const fingerprint = L.Fingerprint.new(
    5200,
    2,
    owned(utf8ToBytes(localId)),
    local,
    owned(utf8ToBytes(remoteId)),
    remote,
  );
  return {
    localId,
    localKey: local.serialize().toHex(),
    remoteId,
    remoteKey: remote.serialize().toHex(),
    displayable: fingerprint.displayableFingerprint().toString(),
    scannable: fingerprint.scannableFingerprint().toBuffer().toHex(),
  };
}

async function beginning(oneTime: boolean): Promise<Beginning> {
  const theirs = new LibsignalParty();
  const recipient = { ...randomAddress(2), registrationId: 4321 };
  const identity = await generateKeyPair();
  const signedPreKey = await generateSignedPreKey(7, identity);
  const kyberPreKey = await generateKyberPreKey(8, identity);
  const preKey = oneTime ? await generatePreKey(9) : undefined;
  await theirs.begin(recipient, {
    registrationId: recipient.registrationId,
    deviceId: recipient.deviceId,
    identityKey: identity.publicKey,
    signedPreKey: {
      id: signedPreKey.id,
      publicKey: signedPreKey.keyPair.publicKey,
      signature: signedPreKey.signature,
    },
    kyberPreKey,
    preKey: preKey && { id: preKey.id, publicKey: preKey.keyPair.publicKey },
  });
  const sent: Uint8Array[] = [];
  for (let i = 0; i < 4; i++) {
    sent.push((await write(theirs, recipient, `message ${i}`)).bytes);
  }
  const last = sent[3].length - 1;
  return {
    sender: theirs.address,
    recipient,
    identity: hexPair(identity),
    signedPreKey: {
      id: signedPreKey.id,
      ...hexPair(signedPreKey.keyPair),
      signature: signedPreKey.signature.toHex(),
    },
    kyberPreKey: {
      id: kyberPreKey.id,
      seed: kyberPreKey.secretKey.toHex(),
      publicKey: kyberPreKey.publicKey.toHex(),
      signature: kyberPreKey.signature.toHex(),
    },
    preKey: preKey && { id: preKey.id, ...hexPair(preKey.keyPair) },
    messages: [
      { bytes: sent[1].with(0, 0x34).toHex(), refused: "version" },
      ...sameSecretBaseKeys(sent[1]).map((bytes) => ({
        bytes: bytes.toHex(),
        refused: "invalid-key" as const,
      })),
      { bytes: sent[1].toHex(), text: "message 1" },
      { bytes: sent[3].subarray(0, last).toHex(), refused: "malformed" },
      { bytes: sent[3].toHex(), text: "message 3" },
      { bytes: sent[1].toHex(), refused: "duplicate" },
      { bytes: sent[0].toHex(), text: "message 0" },
      { bytes: sent[2].toHex(), text: "message 2" },
    ],
  };
}

/**
 * The message under base keys that agree to the same secrets and are no canonical point of the large subgroup: the
 * high bit set, and each point of small order added.
 */
function sameSecretBaseKeys(message: Uint8Array): Uint8Array[] {
  const withBaseKey = (change: (u: Uint8Array) => Uint8Array) => {
    const altered = Uint8Array.from(message);
    const { baseKey } = parsePreKeyMessage(altered); // a view
    baseKey.set(change(baseKey.slice(1)), 1);
    return altered;
  };
  const { Fp } = ed25519.Point;
  const added = ED25519_TORSION_SUBGROUP.slice(1).map((small) =>
    withBaseKey((bytes) => {
      const u = Fp.fromBytes(bytes);
      const y = Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE));
      const sum = ed25519.Point.fromBytes(Fp.toBytes(y))
        .add(ed25519.Point.fromHex(small)).toAffine().y;
      return Fp.toBytes(Fp.div(Fp.add(Fp.ONE, sum), Fp.sub(Fp.ONE, sum)));
    })
  );
  return [withBaseKey((u) => u.with(31, u[31] | 0x80)), ...added];
}

/** Now and then on the way through two epochs of SPQR, messages lost and late. */
async function conversation(weBegin: boolean): Promise<Moment[]> {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  const [initiator, responder] = weBegin ? [ours, theirs] : [theirs, ours];
  await introduce(initiator, responder);
  await say(initiator, responder, "hello");
  await say(responder, initiator, "hello you");
  const moments: Moment[] = [];
  for (let round = 0; moments.length < 4; round++) {
    await say(ours, theirs, "ping");
    const late = await write(theirs, ours.address, "late");
    if (round % 3 === 0) await write(theirs, ours.address, "lost");
    const text = `round ${round}`;
    const message = await write(theirs, ours.address, text);
    if (round % 26 === 5) {
      const [record] = theirs.stores.sessions.records.values();
      if (message.type !== WHISPER || !(record instanceof Uint8Array)) {
        throw new Error("a kept session was expected");
      }
      moments.push({
        epoch: epochOf(parseSignalMessage(message.bytes).pqRatchet),
        local: {
          ...ours.address,
          registrationId: ours.local.registrationId,
          identity: hexPair(ours.local.identity),
        },
        remote: theirs.address,
        session: serializeSession(ours.session(theirs.address)!).toHex(),
        message: message.bytes.toHex(),
        text,
        theirs: {
          privateKey: theirs.identity.serialize().toHex(),
          registrationId: theirs.registrationId,
          record: record.toHex(),
        },
      });
    }
    await hear(ours, theirs.address, message);
    if (round % 2 === 0) await hear(ours, theirs.address, late);
  }
  return moments;
}

function hexPair({ privateKey, publicKey }: KeyPair) {
  return { privateKey: privateKey.toHex(), publicKey: publicKey.toHex() };
}
