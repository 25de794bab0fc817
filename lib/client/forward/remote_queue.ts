import {
  type Hello,
  type OneShotCommand,
  oneShotMessage,
  queueId,
  signEd25519,
} from "../../wire/mod.ts";
import type { Address } from "../keys/mod.ts";
import { RelayError } from "../link/mod.ts";
import type { Send } from "../way.ts";
import type { RemoteRelay } from "./remote_relay.ts";

/** The way to a queue at another relay. Rejects as `RemoteRelay.greet` does. */
export async function openRemoteWay(
  remote: RemoteRelay,
  address: Address,
): Promise<Send> {
  await remote.greet();
  return ({ id, envelope }) =>
    remote.ask((hello) => post(hello, address, id, envelope));
}

/** Whether another relay has the queue of an address. Rejects as `RemoteRelay.ask` does. */
export async function hasQueue(
  remote: RemoteRelay,
  address: Address,
): Promise<boolean> {
  const nothing = new Uint8Array();
  const id = new Uint8Array(16);
  try {
    await remote.ask((hello) => post(hello, address, id, nothing));
    return true;
  } catch (error) {
    const gone = error instanceof RelayError && error.code === "no-such-queue";
    if (!gone) throw error;
    return false;
  }
}

async function post(
  { challenge, relayKey }: Hello,
  { send }: Address,
  id: Uint8Array,
  envelope: Uint8Array,
): Promise<OneShotCommand> {
  const queue = queueId(send.publicKey);
  const unsigned = { type: "POST", queue, id, envelope } as const;
  const message = oneShotMessage(challenge, relayKey, unsigned);
  return { ...unsigned, signature: await signEd25519(send, message) };
}
