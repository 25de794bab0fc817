import { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { type Signer, verifyEd25519 } from "./ed25519.ts";
import { encodeUrl } from "./relay_url.ts";
import { WireError } from "./wire_error.ts";

export const PROTOCOL_VERSION = 1;

/** Bits of `features`; unknown ones are ignored. */
export const FEATURES = {
  /** The relay is private: what is anonymous wants ACCESS before it. */
  access: 1,
  /** It reaches other relays through Tor, and not at all without. */
  throughTor: 2,
} as const;

const LABEL = new TextEncoder().encode("whisper hello v1");
const FIXED = 194; // everything but the URL

/** The first thing a relay says on a connection, signed by its key. */
export type Hello = {
  features: number /* u32 */;
  relayKey: Uint8Array /* 32, Ed25519: who the relay is, for good */;
  challenge:
    Uint8Array /* 32: new for every connection, signed by BIND, OPEN and JOIN */;
  time: number /* ms since 1970, the relay's clock */;
  workBits: number;
  limits: {
    queuesPerConnection: number;
    messagesPerQueue: number;
    bytesPerQueue: number;
    messageLifetime: number /* seconds */;
  };
  dayKey: Uint8Array /* 32, X25519, to seal FWD to */;
  dayKeyValidUntil: number /* ms */;
  url: string /* the origin that people reach the relay by */;
};

function signedPart(body: Uint8Array): Uint8Array {
  const signed = new Uint8Array(LABEL.length + body.length);
  signed.set(LABEL);
  signed.set(body, LABEL.length);
  return signed;
}

/** The body of HELLO; `signer` must be the relay key's. */
export async function encodeHello(
  hello: Omit<Hello, "relayKey">,
  signer: Signer,
): Promise<Uint8Array> {
  const url = encodeUrl(hello.url);
  const writer = new ByteWriter(FIXED + url.length);
  writer.u8(PROTOCOL_VERSION).u32(hello.features).fixed(signer.publicKey, 32)
    .fixed(hello.challenge, 32)
    .u48(hello.time).u8(hello.workBits).u16(hello.limits.queuesPerConnection)
    .u32(hello.limits.messagesPerQueue)
    .u32(hello.limits.bytesPerQueue).u32(hello.limits.messageLifetime).fixed(
      hello.dayKey,
      32,
    )
    .u48(hello.dayKeyValidUntil).u16(url.length).raw(url);
  const unsigned = writer.bytes.subarray(0, FIXED + url.length - 64);
  return writer.raw(await signer.sign(signedPart(unsigned))).bytes;
}

/**
 * Parses the body of HELLO and verifies that the relay key signed it. Whether
 * that key is the *expected* one is for the caller to compare.
 * Throws `WireError`: "version", "malformed" or "signature".
 */
export async function parseHello(body: Uint8Array): Promise<Hello> {
  const reader = new ByteReader(body);
  if (reader.u8() !== PROTOCOL_VERSION) {
    throw new WireError("version", "the relay speaks another protocol version");
  }
  const features = reader.u32();
  const relayKey = reader.bytes(32);
  const challenge = reader.bytes(32);
  const time = reader.u48();
  const workBits = reader.u8();
  const limits = {
    queuesPerConnection: reader.u16(),
    messagesPerQueue: reader.u32(),
    bytesPerQueue: reader.u32(),
    messageLifetime: reader.u32(),
  };
  const dayKey = reader.bytes(32);
  const dayKeyValidUntil = reader.u48();
  const url = decodeUrl(reader.bytes(reader.u16()));
  const signature = reader.bytes(64);
  reader.end();
  if (
    !await verifyEd25519(
      relayKey,
      signedPart(body.subarray(0, body.length - 64)),
      signature,
    )
  ) {
    throw new WireError("signature", "HELLO is not signed by the key it names");
  }
  return {
    features,
    relayKey,
    challenge,
    time,
    workBits,
    limits,
    dayKey,
    dayKeyValidUntil,
    url,
  };
}

/** A relay's URL from its bytes. Throws `WireError` "malformed". */
export function decodeUrl(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new WireError("malformed", "the relay's URL is not UTF-8");
  }
}
