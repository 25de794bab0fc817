import {
  type Ed25519Pair,
  type ErrorName,
  parseJoinOk,
  parseOpenOk,
  rendezvousMessage,
  signEd25519,
} from "../wire/mod.ts";
import type { Connection, Push } from "./link/mod.ts";
import { withWork } from "./queues.ts";
import type { InviteFailure } from "./view.ts";

/** A place at a rendezvous, on one connection. What is asked rejects as `Connection.request` does. */
export interface Place {
  readonly nameplate: number;
  /** ms since the epoch, by the relay's clock. */
  readonly expires: number;
  /** Gives all that the other side passes (PASS), and that it has closed (CLOSE). */
  listen(listener: (push: Push) => void): void;
  pass(message: { index: number; bytes: Uint8Array }): Promise<void>;
  close(): Promise<void>;
  /** Nobody listens any more. */
  leave(): void;
}

/** A place that the own relay gave a handle for. */
function placeAt(
  connection: Connection,
  { handle, nameplate, expires }: {
    handle: number;
    nameplate: number;
    expires: number;
  },
): Place {
  return {
    nameplate,
    expires,
    listen: (listener) => connection.listen(handle, listener),
    pass: async ({ index, bytes }) => {
      await connection.request({ type: "PASS", handle, index, bytes });
    },
    close: async () => {
      await connection.request({ type: "CLOSE", handle });
    },
    leave: () => connection.listen(handle, () => {}),
  };
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
  return placeAt(connection, connection.read(() => parseOpenOk(body)));
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
  return placeAt(connection, {
    nameplate,
    ...connection.read(() => parseJoinOk(body)),
  });
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
    case "access":
      return "access";
    case "full":
    case "rate":
    case "busy":
    case "work":
      return "busy";
    case "unreachable":
      return "unreachable";
    case "forbidden":
      return "other-relay";
    default:
      return "relay-misbehaved";
  }
}
