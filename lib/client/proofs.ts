/** Commands that are complete in themselves: signed for the connection they go by. docs/protocol.md § Blobs. */
import {
  type Ed25519Pair,
  type Hello,
  proofMessage,
  signEd25519,
  type Unsigned,
} from "../wire/mod.ts";
import { RelayError, type Request } from "./link/mod.ts";

/** A relay that such a command reaches: the own one by its connection, or another by way of the own. */
export interface Reached {
  /** Asks what `make` makes of its HELLO. Resolves with the body of OK; rejects as `Connection.request` does. */
  ask(
    make: (
      hello: Hello,
    ) => Promise<Extract<Request, { type: "PUT" | "GET" | "DROP" | "TAKE" }>>,
  ): Promise<Uint8Array>;
  /** See `Connection.read`. */
  read<T>(parse: () => T): T;
}

/** Sends a command of a blob or pool, signed for that relay. Rejects as `Reached.ask` does. */
export function ask(
  relay: Reached,
  command: Unsigned,
  pair: Ed25519Pair,
): Promise<Uint8Array> {
  return relay.ask(async ({ challenge, relayKey }) => {
    const message = proofMessage(challenge, relayKey, command);
    return { ...command, signature: await signEd25519(pair, message) };
  });
}

/** Deletes a blob or a pool (16 bytes); one that is not there is fine. */
export async function drop(
  relay: Reached,
  about: "blob" | "pool",
  id: Uint8Array,
  own: Ed25519Pair,
): Promise<void> {
  try {
    await ask(relay, { type: "DROP", about, id }, own);
  } catch (error) {
    const gone = error instanceof RelayError && error.code === "no-such-blob";
    if (!gone) throw error;
  }
}
