import {
  type Ed25519Pair,
  type ErrorName,
  parseJoinOk,
  parseOpenOk,
  rendezvousMessage,
  signEd25519,
} from "../wire/mod.ts";
import type { Connection } from "./link/mod.ts";
import { withWork } from "./queues.ts";
import type { InviteFailure } from "./view.ts";

/** A place at a rendezvous, on one connection. */
export interface Place {
  readonly handle: number;
  readonly nameplate: number;
  /** ms since the epoch, by the relay's clock. */
  readonly expires: number;
}

/** Opens a rendezvous, or comes back to the one of the same key. Rejects as `Connection.request` does. */
export async function openRendezvous(
  connection: Connection,
  pair: Ed25519Pair,
): Promise<Place> {
  const { publicKey } = pair;
  const signature = await signPlace(connection, pair, "open", 0);
  const body = await withWork(
    connection,
    "OPEN",
    publicKey,
    (work) => connection.request({ type: "OPEN", publicKey, signature, work }),
  );
  return connection.read(() => parseOpenOk(body));
}

/** Joins a rendezvous, or comes back to it with the same key. Rejects as `Connection.request` does. */
export async function joinRendezvous(
  connection: Connection,
  pair: Ed25519Pair,
  nameplate: number,
): Promise<Place> {
  const { publicKey } = pair;
  const signature = await signPlace(connection, pair, "join", nameplate);
  const body = await withWork(
    connection,
    "JOIN",
    publicKey,
    (work) =>
      connection.request({
        type: "JOIN",
        nameplate,
        publicKey,
        signature,
        work,
      }),
  );
  return { nameplate, ...connection.read(() => parseJoinOk(body)) };
}

function signPlace(
  { hello }: Connection,
  pair: Ed25519Pair,
  side: "open" | "join",
  nameplate: number,
): Promise<Uint8Array> {
  const { challenge, relayKey } = hello;
  return signEd25519(
    pair,
    rendezvousMessage(challenge, relayKey, side, nameplate, pair.publicKey),
  );
}

/** What a refusal of the relay means for an invite. */
export function failureOf(code: ErrorName): InviteFailure {
  switch (code) {
    case "no-such-rendezvous":
    case "unknown-handle":
      return "expired";
    case "taken":
      return "used";
    case "full":
    case "rate":
    case "busy":
    case "work":
      return "busy";
    default:
      return "relay-misbehaved";
  }
}
