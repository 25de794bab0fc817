/** The vectors say what libsignal says, today's as well as freshly made ones. */
import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import { bytesToUtf8, utf8ToBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { PbfWriter } from "pbf";
import { PREKEY } from "../../mod.ts";
import { LibsignalParty } from "../libsignal_party.ts";
import { owned } from "../owned.ts";
import { refuses } from "../refusal.ts";
import { ANSWER, checkVectors, receive } from "./check.ts";
import { makeVectors } from "./make.ts";
import type { Beginning, Moment, Vectors } from "./vectors.ts";
import kept from "./vectors.json" with { type: "json" };

const bytes = (hex: string) => owned(hexToBytes(hex));
const publicKey = (hex: string) => L.PublicKey.deserialize(bytes(hex));
const privateKey = (hex: string) => L.PrivateKey.deserialize(bytes(hex));

/** Every statement of the vectors, from libsignal's mouth. */
async function libsignalAgrees(vectors: Vectors): Promise<void> {
  for (const vector of vectors.agreements) {
    const ours = privateKey(vector.privateKey);
    assert.equal(
      ours.getPublicKey().serialize().toHex(),
      vector.publicKey,
    );
    const secret = ours.agree(publicKey(vector.theirPublicKey));
    assert.equal(secret.toHex(), vector.secret);
  }
  for (const vector of vectors.signatures) {
    const verified = publicKey(vector.publicKey)
      .verify(bytes(vector.message), bytes(vector.signature));
    assert.equal(verified, vector.valid);
  }
  for (const vector of vectors.safetyNumbers) {
    const fingerprint = L.Fingerprint.new(
      5200,
      2,
      owned(utf8ToBytes(vector.localId)),
      publicKey(vector.localKey),
      owned(utf8ToBytes(vector.remoteId)),
      publicKey(vector.remoteKey),
    );
    assert.equal(
      fingerprint.displayableFingerprint().toString(),
      vector.displayable,
    );
    assert.equal(
      fingerprint.scannableFingerprint().toBuffer().toHex(),
      vector.scannable,
    );
  }
  for (const beginning of vectors.beginnings) await beginsLikeThat(beginning);
  for (const moment of vectors.conversations) await goesOnFrom(moment);
}

/** libsignal with the same prekeys makes the same of the first messages. */
async function beginsLikeThat(beginning: Beginning): Promise<void> {
  const { sender, recipient, identity, messages } = beginning;
  const device = new LibsignalParty(
    recipient,
    recipient.serviceId,
    privateKey(identity.privateKey),
  );
  const { signedPreKeys, kyberPreKeys, preKeys } = device.stores;
  const { signedPreKey, kyberPreKey, preKey } = beginning;
  await signedPreKeys.saveSignedPreKey(
    signedPreKey.id,
    L.SignedPreKeyRecord.new(
      signedPreKey.id,
      0,
      publicKey(signedPreKey.publicKey),
      privateKey(signedPreKey.privateKey),
      bytes(signedPreKey.signature),
    ),
  );
  kyberPreKeys.records.set(kyberPreKey.id, kyberRecord(kyberPreKey));
  if (preKey) {
    const record = L.PreKeyRecord.new(
      preKey.id,
      publicKey(preKey.publicKey),
      privateKey(preKey.privateKey),
    );
    await preKeys.savePreKey(preKey.id, record);
  }
  for (const { bytes, text } of messages) {
    const received = device.receive(sender, {
      type: PREKEY,
      bytes: hexToBytes(bytes),
    });
    if (text === undefined) await refuses(received);
    else assert.equal(bytesToUtf8(await received), text);
  }
}

/** libsignal's record of a Kyber prekey: the API makes new ones only. */
function kyberRecord(
  { id, seed, publicKey, signature }: Beginning["kyberPreKey"],
): Uint8Array<ArrayBuffer> {
  const { secretKey } = ml_kem1024.keygen(hexToBytes(seed));
  const writer = new PbfWriter();
  writer.writeVarintField(1, id);
  writer.writeBytesField(2, hexToBytes(publicKey));
  writer.writeBytesField(3, Uint8Array.of(8, ...secretKey));
  writer.writeBytesField(4, hexToBytes(signature));
  writer.writeFixed64Field(5, 0);
  return owned(writer.finish());
}

/** libsignal reads what we answer to the moment's message, out of the session that sent it. */
async function goesOnFrom(moment: Moment): Promise<void> {
  const { local, remote, theirs } = moment;
  const { answer } = await receive(moment);
  const device = new LibsignalParty(
    remote,
    remote.serviceId,
    privateKey(theirs.privateKey),
  );
  const name = L.ProtocolAddress.new(local.serviceId, local.deviceId);
  await device.stores.sessions.saveSession(
    name,
    L.SessionRecord.deserialize(bytes(theirs.record)),
  );
  assert.equal(bytesToUtf8(await device.receive(local, answer)), ANSWER);
}

// JSON is typed by what it happens to hold; that it holds this is what the tests find out.
const KEPT = kept as Vectors;

Deno.test("libsignal says what the vectors say, and answers to their conversations are read by it", async () => {
  assert.ok(KEPT.conversations.some(({ epoch }) => epoch > 1));
  await libsignalAgrees(KEPT);
});

Deno.test("vectors made now hold for libsignal and for us", async () => {
  const made = await makeVectors();
  await libsignalAgrees(made);
  const { compared } = await checkVectors(made);
  assert.equal(compared, (await checkVectors(KEPT)).compared);
});
