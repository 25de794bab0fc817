/**
 * What somebody who has a link asks by. Who asks is known before the Signal message can be read,
 * which then proves it; so it is sealed to a key that only the inviter has.
 *
 * request = nonce 24 ‖ XChaCha20-Poly1305(seal key, nonce, padded), AD = "whisper request v1" ‖ queue id 16
 * padded  = length u16 ‖ box ‖ zeros, and the whole one of the lengths of an envelope
 * box     = (account id 16 ‖ device u8 ‖ identity key 33 ‖ PreKey message), sealed for "invitation request"
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { type KeyPair, PREKEY } from "../../signal/mod.ts";
import { ENVELOPE_SIZES } from "../../wire/mod.ts";
import type { EnvelopeKey, SignalMessage } from "../content/mod.ts";
import { publicKey } from "../invite/mod.ts";
import {
  accountIdFromBytes,
  accountIdToBytes,
  MalformedError,
  openSealed,
  SEALED_BOX_OVERHEAD,
  SealedBoxError,
  sealToKey,
} from "../keys/mod.ts";
import { pad, unpad } from "./sealed.ts";

export interface Request {
  readonly accountId: string;
  /** 1..127 */
  readonly deviceId: number;
  /** 33 bytes. */
  readonly identityKey: Uint8Array;
  /** A PreKey message from that device. */
  readonly message: SignalMessage;
}

const LABEL = utf8ToBytes("whisper request v1");
const PURPOSE = "invitation request";
const NONCE = 24;
const TAG = 16;
const LENGTH = 2;
const ACCOUNT = 16;
const IDENTITY = 33;
const HEADER = ACCOUNT + 1 + IDENTITY;

/** `queue` is that of the place, `boxKey` its box key. Throws `RangeError` for a message that is too long. */
export async function sealRequest(
  { sealKey, queue }: EnvelopeKey,
  boxKey: Uint8Array,
  { accountId, deviceId, identityKey, message }: Request,
): Promise<Uint8Array> {
  const box = await sealToKey(
    boxKey,
    concatBytes(
      accountIdToBytes(accountId),
      Uint8Array.of(deviceId),
      identityKey,
      message.bytes,
    ),
    PURPOSE,
  );
  const around = NONCE + TAG + LENGTH;
  const size = ENVELOPE_SIZES.find((size) => size >= box.length + around);
  if (size === undefined) throw new RangeError("a request is too long");
  const nonce = randomBytes(NONCE);
  const cipher = xchacha20poly1305(sealKey, nonce, concatBytes(LABEL, queue));
  return concatBytes(nonce, cipher.encrypt(pad(box, size - NONCE - TAG)));
}

/** @throws {MalformedError} for what is no request to this place. Who it is from, the message has to prove. */
export async function openRequest(
  { sealKey, queue }: EnvelopeKey,
  boxKey: KeyPair,
  envelope: Uint8Array,
): Promise<Request> {
  const opened = await openBox(
    boxKey,
    openSeal(sealKey, queue, envelope),
  );
  const deviceId = opened[ACCOUNT];
  if (deviceId < 1 || deviceId > 127) throw new MalformedError("device");
  return {
    accountId: accountIdFromBytes(opened.slice(0, ACCOUNT)),
    deviceId,
    identityKey: publicKey(opened.slice(ACCOUNT + 1, HEADER)),
    message: { type: PREKEY, bytes: opened.slice(HEADER) },
  };
}

function openSeal(
  sealKey: Uint8Array,
  queue: Uint8Array,
  envelope: Uint8Array,
): Uint8Array {
  try {
    const nonce = envelope.subarray(0, NONCE);
    return unpad(
      xchacha20poly1305(sealKey, nonce, concatBytes(LABEL, queue))
        .decrypt(envelope.subarray(NONCE)),
    );
  } catch (error) {
    if (error instanceof MalformedError) throw error;
    throw new MalformedError("seal");
  }
}

async function openBox(
  boxKey: KeyPair,
  box: Uint8Array,
): Promise<Uint8Array> {
  if (box.length <= SEALED_BOX_OVERHEAD + HEADER) {
    throw new MalformedError("length");
  }
  try {
    return await openSealed(boxKey, box, PURPOSE);
  } catch (error) {
    if (error instanceof SealedBoxError) throw new MalformedError("box");
    throw error;
  }
}
