/** Commands that are complete in themselves: signed for the connection they go by. docs/protocol.md § Blobs. */
import {
  type Ed25519Pair,
  proofMessage,
  signEd25519,
  type Unsigned,
} from "../wire/mod.ts";
import { type Connection, RelayError } from "./link/mod.ts";

/** Sends a command of a blob or pool, signed for this connection. Rejects as `Connection.request` does. */
export async function ask(
  connection: Connection,
  command: Unsigned,
  pair: Ed25519Pair,
): Promise<Uint8Array> {
  const { challenge, relayKey } = connection.hello;
  const message = proofMessage(challenge, relayKey, command);
  const signature = await signEd25519(pair, message);
  return await connection.request({ ...command, signature });
}

/** Deletes a blob or a pool (16 bytes); one that is not there is fine. */
export async function drop(
  connection: Connection,
  about: "blob" | "pool",
  id: Uint8Array,
  own: Ed25519Pair,
): Promise<void> {
  try {
    await ask(connection, { type: "DROP", about, id }, own);
  } catch (error) {
    const gone = error instanceof RelayError && error.code === "no-such-blob";
    if (!gone) throw error;
  }
}
