/** An address: what a contact gets, to send to one queue. Whoever has it can send. */
import { type Ed25519Pair, ed25519PairOf } from "../../wire/mod.ts";
import { Fields, MalformedError, writeMessage } from "./protobuf.ts";
import type { QueueCredentials } from "./queue.ts";

export interface Address {
  /** The relay's public URL, an http or https origin without a trailing slash. */
  readonly relayUrl: string;
  /** The relay's Ed25519 identity, 32 bytes: a relay at that URL with another key is another relay. */
  readonly relayKey: Uint8Array;
  /** Send credential; the queue's id follows from its public key. */
  readonly send: Ed25519Pair;
  /** 32 bytes. */
  readonly sealKey: Uint8Array;
}

const MAX_URL = 255;

/** The address of an own queue at a relay. */
export function addressOf(
  queue: QueueCredentials,
  relay: { url: string; key: Uint8Array },
): Address {
  return {
    relayUrl: relay.url,
    relayKey: relay.key,
    send: queue.send,
    sealKey: queue.sealKey,
  };
}

/**
 * Protobuf: 1 version, 2 relay URL, 3 relay key, 4 send seed, 5 seal key.
 * @throws {MalformedError} when the relay's URL is not an origin
 */
export function encodeAddress(address: Address): Uint8Array {
  checkOrigin(address.relayUrl);
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeStringField(2, address.relayUrl);
    writer.writeBytesField(3, address.relayKey);
    writer.writeBytesField(4, address.send.seed);
    writer.writeBytesField(5, address.sealKey);
  });
}

/** @throws {MalformedError} */
export async function parseAddress(bytes: Uint8Array): Promise<Address> {
  const fields = new Fields(bytes);
  fields.uint(1, 1, 1);
  const relayUrl = fields.text(2);
  checkOrigin(relayUrl);
  return {
    relayUrl,
    relayKey: fields.bytes(3, 32),
    send: await ed25519PairOf(fields.bytes(4, 32)),
    sealKey: fields.bytes(5, 32),
  };
}

/**
 * An address names a relay and nothing on it: no path, query, user or fragment that could carry a mark.
 * @throws {MalformedError}
 */
export function checkOrigin(url: string): void {
  const parsed = url.length <= MAX_URL ? URL.parse(url) : null;
  const web = parsed?.protocol === "https:" || parsed?.protocol === "http:";
  if (!web || parsed.origin !== url) throw new MalformedError("relay URL");
}
