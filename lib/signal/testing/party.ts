import type { Address, CiphertextMessage, PreKeyBundle } from "../mod.ts";

/** Someone with one device who speaks the Signal Protocol; state in memory. For tests and benchmarks. */
export interface Party {
  readonly address: Address;
  /** Makes prekeys and a bundle of them. The Kyber prekey is a last-resort one. */
  publish(options: { oneTime: boolean }): Promise<PreKeyBundle>;
  begin(peer: Address, bundle: PreKeyBundle): Promise<void>;
  send(peer: Address, plaintext: Uint8Array): Promise<CiphertextMessage>;
  /** Rejects, with nothing changed, what is not an authentic new message. */
  receive(peer: Address, message: CiphertextMessage): Promise<Uint8Array>;
  /** Loses the session with a peer. Prekeys and what is known of identities stay. */
  forget(peer: Address): void;
  dropPreKey(kind: "preKey" | "signedPreKey" | "kyberPreKey", id: number): void;
  /** Lets time pass; it begins at START. */
  wait(milliseconds: number): void;
  /** Whether sessions are kept as bytes, as an application would (the default). */
  stored: boolean;
  /** Whether someone known may come with another identity key (the default). */
  trustsNewKeys: boolean;
  /** How often someone known came with another identity key, and was accepted. */
  readonly identityChanges: number;
}

/** When time begins for a party: milliseconds since 1970. */
export const START = Date.UTC(2026, 10, 23);

/** An address under a random name. */
export function randomAddress(deviceId = 1): Address {
  return { serviceId: crypto.randomUUID(), deviceId };
}

/** `peer` gets a bundle of `party` and begins; the first message has not been sent. */
export async function introduce(
  initiator: Party,
  responder: Party,
  { oneTime = true } = {},
): Promise<void> {
  await initiator.begin(
    responder.address,
    await responder.publish({ oneTime }),
  );
}
