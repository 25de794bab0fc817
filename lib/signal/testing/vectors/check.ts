/** Holds this platform's implementation to the vectors. Runs in Deno and in a page; no assertion library. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { bytesToUtf8, utf8ToBytes } from "@noble/ciphers/utils.js";
import {
  agree,
  type CiphertextMessage,
  decrypt,
  encrypt,
  type LocalDevice,
  parseSession,
  PREKEY,
  type PreKeySource,
  publicKeyOf,
  safetyNumber,
  type Session,
  SignalError,
  verify,
  WHISPER,
} from "../../mod.ts";
import { mlKem1024 } from "../../ml_kem.ts";
import { x25519 } from "../../x25519.ts";
import { ed25519Verifier } from "../../xeddsa.ts";
import type { Beginning, Moment, Vectors } from "./vectors.ts";

/** Where the implementations come from that this platform has chosen. */
export type Chosen = Readonly<
  Record<"x25519" | "ed25519" | "mlKem1024", "webcrypto" | "noble">
>;

/** How many comparisons were made, and which implementations made them. @throws Error at the first difference */
export async function checkVectors(
  vectors: Vectors,
): Promise<{ compared: number; chosen: Chosen }> {
  let compared = 0;
  const same = (found: unknown, expected: unknown, what: string) => {
    compared++;
    if (found !== expected) throw new Error(`${what}: ${found}, ${expected}`);
  };
  for (const vector of vectors.agreements) {
    const privateKey = hexToBytes(vector.privateKey);
    same(bytesToHex(publicKeyOf(privateKey)), vector.publicKey, "public key");
    const secret = await agree(privateKey, hexToBytes(vector.theirPublicKey));
    same(bytesToHex(secret), vector.secret, "agreement");
  }
  for (const { publicKey, message, signature, valid } of vectors.signatures) {
    const verified = await verify(
      hexToBytes(publicKey),
      hexToBytes(message),
      hexToBytes(signature),
    );
    same(verified, valid, `signature ${signature}`);
  }
  for (const vector of vectors.safetyNumbers) {
    const number = await safetyNumber({
      localId: vector.localId,
      localKey: hexToBytes(vector.localKey),
      remoteId: vector.remoteId,
      remoteKey: hexToBytes(vector.remoteKey),
    });
    same(number.displayable, vector.displayable, "safety number");
    same(bytesToHex(number.scannable), vector.scannable, "scannable");
  }
  for (const beginning of vectors.beginnings) {
    const expected = beginning.messages.map(({ text, refused }) =>
      text ?? refused
    );
    for (const [i, heard] of (await receiveAll(beginning)).entries()) {
      same(heard, expected[i], `first message ${i}`);
    }
  }
  for (const moment of vectors.conversations) {
    const { text } = await receive(moment);
    same(text, moment.text, `message of epoch ${moment.epoch}`);
  }
  const chosen = {
    x25519: (await x25519()).name,
    ed25519: (await ed25519Verifier()).name,
    mlKem1024: (await mlKem1024()).name,
  };
  return { compared, chosen };
}

/** What a device makes of each of its first messages. */
async function receiveAll(beginning: Beginning): Promise<string[]> {
  const { sender, recipient, identity } = beginning;
  const local: LocalDevice = {
    identity: keyPair(identity),
    registrationId: recipient.registrationId,
    address: recipient,
  };
  const preKeys = sourceOf(beginning);
  let session: Session | undefined;
  const heard: string[] = [];
  for (const { bytes } of beginning.messages) {
    const message: CiphertextMessage = {
      type: PREKEY,
      bytes: hexToBytes(bytes),
    };
    try {
      const received = await decrypt({
        local,
        remote: sender,
        session,
        message,
        preKeys,
      });
      session = received.session;
      heard.push(bytesToUtf8(received.plaintext));
    } catch (error) {
      if (!(error instanceof SignalError)) throw error;
      heard.push(error.code);
    }
  }
  return heard;
}

/** What the message says, and our answer to it. */
export async function receive(
  { local: device, remote, session, message }: Moment,
): Promise<{ text: string; answer: CiphertextMessage }> {
  const local: LocalDevice = {
    identity: keyPair(device.identity),
    registrationId: device.registrationId,
    address: device,
  };
  const received = await decrypt({
    local,
    remote,
    session: parseSession(hexToBytes(session)),
    message: { type: WHISPER, bytes: hexToBytes(message) },
    preKeys: NO_PREKEYS,
  });
  const answer = await encrypt({
    local,
    remote,
    session: received.session,
    plaintext: utf8ToBytes(ANSWER),
    now: 0,
  });
  return { text: bytesToUtf8(received.plaintext), answer: answer.message };
}

export const ANSWER = "an answer";

const none = () => Promise.resolve(undefined);
const NO_PREKEYS: PreKeySource = {
  preKey: none,
  signedPreKey: none,
  kyberPreKey: none,
};

function sourceOf({ signedPreKey, kyberPreKey, preKey }: Beginning) {
  const found = <T>(wanted: number, id: number, key: T) =>
    Promise.resolve(wanted === id ? key : undefined);
  const source: PreKeySource = {
    preKey: (id) =>
      preKey
        ? found(id, preKey.id, { id, keyPair: keyPair(preKey) })
        : Promise.resolve(undefined),
    signedPreKey: (id) =>
      found(id, signedPreKey.id, {
        id,
        keyPair: keyPair(signedPreKey),
        signature: hexToBytes(signedPreKey.signature),
      }),
    kyberPreKey: (id) =>
      found(id, kyberPreKey.id, {
        id,
        publicKey: hexToBytes(kyberPreKey.publicKey),
        secretKey: hexToBytes(kyberPreKey.seed),
        signature: hexToBytes(kyberPreKey.signature),
      }),
  };
  return source;
}

function keyPair(pair: { privateKey: string; publicKey: string }) {
  return {
    privateKey: hexToBytes(pair.privateKey),
    publicKey: hexToBytes(pair.publicKey),
  };
}
