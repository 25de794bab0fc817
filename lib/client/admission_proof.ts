/** Proving the password of a private relay. Fetched where a relay wants one: most are for everybody. */
import { accessMessage, ed25519PairOf, signEd25519 } from "../wire/mod.ts";
import { accessSeed } from "../wire/access_seed.ts";
import type { Desk } from "./desk.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { withWork } from "./queues.ts";
import { relayTable, SELF } from "./records.ts";
import type { PasswordOutcome } from "./view.ts";

/** How we stand with what the vault has of the relay's password. */
export async function proveKept(
  desk: Desk,
  connection: Connection,
): Promise<"admitted" | "wanted" | "wrong"> {
  const kept = await desk.ledger.reader.get(relayTable, SELF);
  if (kept?.access === undefined) return "wanted";
  try {
    return await proves(connection, kept.access) ? "admitted" : "wrong";
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    // Too much is going on there to look at it, or it is gone: it can be entered again.
    return "wanted";
  }
}

/** Proves `password`, and keeps what it stands for when it is right. Takes about half a second. */
export async function proveNew(
  desk: Desk,
  connection: Connection,
  password: string,
): Promise<PasswordOutcome> {
  const { relayKey, url } = connection.hello;
  try {
    const seed = await accessSeed(password, relayKey);
    if (!await proves(connection, seed)) return "wrong";
    await desk.ledger.run(async (entry) => {
      const known = await entry.get(relayTable, SELF) ?? { url, key: relayKey };
      entry.put(relayTable, SELF, { ...known, access: seed });
    });
    return "accepted";
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return "later";
  }
}

/** What `password` stands for at the relay, proven there; undefined when it is wrong. Rejects as `withWork` does. */
export async function proveFirst(
  connection: Connection,
  password: string,
): Promise<Uint8Array | undefined> {
  const seed = await accessSeed(password, connection.hello.relayKey);
  return await proves(connection, seed) ? seed : undefined;
}

/** Whether the relay takes the pair of `seed` for its password's. Rejects as `withWork` does. */
async function proves(
  connection: Connection,
  seed: Uint8Array,
): Promise<boolean> {
  const { challenge, relayKey } = connection.hello;
  const pair = await ed25519PairOf(seed);
  const message = accessMessage(challenge, relayKey);
  const signature = await signEd25519(pair, message);
  try {
    await withWork(
      connection,
      "ACCESS",
      signature.slice(0, 32),
      (work) => connection.request({ type: "ACCESS", signature, work }),
    );
    return true;
  } catch (error) {
    const refused = error instanceof RelayError &&
      error.code === "unauthorised";
    if (!refused) throw error;
    return false;
  }
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof ConnectionLostError || error instanceof RelayError;
}
