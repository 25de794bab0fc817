import type { Address, CiphertextMessage, PreKeyBundle } from "../mod.ts";

/** Someone with one device who speaks the Signal Protocol; state in memory. For tests and benchmarks. */
export interface Party {
  readonly address: Address;
  /** Makes prekeys and a bundle of them. Kyber prekeys answer any number of times here. */
  publish(options: { oneTime: boolean }): Promise<PreKeyBundle>;
  begin(peer: Address, bundle: PreKeyBundle): Promise<void>;
  send(peer: Address, plaintext: Uint8Array): Promise<CiphertextMessage>;
  /** Rejects, with nothing changed, what is not an authentic new message. */
  receive(peer: Address, message: CiphertextMessage): Promise<Uint8Array>;
}

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
