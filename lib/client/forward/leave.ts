import { equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import {
  type Ed25519Pair,
  type Hello,
  type OneShotCommand,
  oneShotMessage,
  parseCollectOk,
  parseReplacedDetail,
  signEd25519,
  type UnsignedOneShot,
} from "../../wire/mod.ts";
import { readHeader } from "../backup/seal.ts";
import { readBlob } from "../blobs.ts";
import type { Desk } from "../desk.ts";
import { keepFormerBackups } from "../former_backups.ts";
import { ed25519PairOf, parseQueue } from "../keys/mod.ts";
import type { LeavingEvents } from "../leaving.ts";
import { RelayError } from "../link/mod.ts";
import { drop } from "../proofs.ts";
import { generationAfter } from "../queues.ts";
import {
  backupKeysTable,
  backupTable,
  discardedTable,
  queueTable,
  SELF,
} from "../records.ts";
import type { LeftThere } from "./left_there.ts";
import type { RemoteRelay } from "./remote_relay.ts";

/** How often a queue is taken over from a device that was left behind, before it is left for later. */
const TRIES = 4;

/**
 * Does what is to be done at a relay that the account has left. Each step is noted on disk when that relay has
 * it, and can be done again. Rejects as `RemoteRelay.ask` does.
 */
export async function leave(
  remote: RemoteRelay,
  desk: Desk,
  there: LeftThere,
  events: LeavingEvents,
): Promise<void> {
  await remote.greet();
  for (const { id, seed } of there.condemned) {
    await remove(remote, id, await ed25519PairOf(seed));
    await noLonger(desk, { condemned: id });
  }
  for (const name of there.discarded) {
    const record = await desk.ledger.reader.get(queueTable, name);
    if (!record) continue;
    const { remove: pair } = await parseQueue(record.credentials);
    await remove(remote, hexToBytes(name), pair);
    await noLonger(desk, { discarded: name });
  }
  for (const name of there.read) await collectAll(remote, desk, name, events);
  await dropBackups(remote, desk, there);
}

/** Reads what waits in an own queue until nothing does. What was read is on disk before it goes there. */
async function collectAll(
  remote: RemoteRelay,
  desk: Desk,
  name: string,
  { collected }: LeavingEvents,
): Promise<void> {
  const record = await desk.ledger.reader.get(queueTable, name);
  if (!record) return;
  const { receive } = await parseQueue(record.credentials);
  let generation = 1;
  let tries = 1;
  for (let seq = 0;;) {
    const queue = hexToBytes(name);
    const command = { type: "COLLECT", queue, generation, seq } as const;
    try {
      const body = await remote.ask((hello) => signed(hello, receive, command));
      const waiting = remote.read(() => parseCollectOk(body));
      if (waiting.length === 0) return;
      await collected(name, waiting);
      seq = waiting[waiting.length - 1].seq;
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (error.code === "no-such-queue") return;
      if (error.code !== "replaced" || tries++ === TRIES) throw error;
      const { detail } = error;
      const held = remote.read(() => parseReplacedDetail(detail));
      generation = generationAfter(held.generation);
    }
  }
}

/** Deletes a queue; one that is not there is fine. */
async function remove(
  remote: RemoteRelay,
  queue: Uint8Array,
  pair: Ed25519Pair,
): Promise<void> {
  try {
    await remote.ask((hello) => signed(hello, pair, { type: "REMOVE", queue }));
  } catch (error) {
    const gone = error instanceof RelayError && error.code === "no-such-queue";
    if (!gone) throw error;
  }
}

/** The backup there goes once there is one here. */
async function dropBackups(
  remote: RemoteRelay,
  { ledger }: Desk,
  { backups }: LeftThere,
): Promise<void> {
  const { reader } = ledger;
  const keys = await reader.get(backupKeysTable, SELF);
  const here = await reader.get(backupTable, SELF);
  // 0: as it was found there.
  if (!keys || !here || here.written.at === 0) return;
  for (const { blob, ownSeed, left } of backups) {
    if (!left) continue;
    try {
      const read = await ed25519PairOf(left.readSeed);
      const { contents } = await readBlob(remote, blob, read);
      // Who moved back there meanwhile has begun a later one, of which there may be nothing yet.
      const earlier = contents.length > 0 &&
        readHeader(contents).epoch < keys.key.epoch;
      const pair = await ed25519PairOf(ownSeed);
      if (earlier) await drop(remote, "blob", blob, pair);
    } catch (error) {
      const gone = error instanceof RelayError && error.code === "no-such-blob";
      if (!gone) throw error;
    }
    await ledger.run((entry) =>
      keepFormerBackups(
        entry,
        ({ left, blob: other }) => !left || !equalBytes(other, blob),
      )
    );
  }
}

function noLonger(
  { ledger }: Desk,
  gone: { readonly condemned: Uint8Array } | { readonly discarded: string },
): Promise<void> {
  return ledger.run(async (entry) => {
    const { queues = [], condemned = [] } =
      await entry.get(discardedTable, SELF) ?? {};
    if ("discarded" in gone) {
      entry.delete(queueTable, gone.discarded);
      const left = queues.filter((name) => name !== gone.discarded);
      return entry.put(discardedTable, SELF, { queues: left, condemned });
    }
    const left = condemned.filter(({ id }) => !equalBytes(id, gone.condemned));
    entry.put(discardedTable, SELF, { queues, condemned: left });
  });
}

async function signed(
  { challenge, relayKey }: Hello,
  pair: Ed25519Pair,
  unsigned: Extract<UnsignedOneShot, { type: "COLLECT" | "REMOVE" }>,
): Promise<OneShotCommand> {
  const message = oneShotMessage(challenge, relayKey, unsigned);
  return { ...unsigned, signature: await signEd25519(pair, message) };
}
