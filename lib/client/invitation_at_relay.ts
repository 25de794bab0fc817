/** What lies at the relay for a link: put there before anybody gets the link, and taken away again. */
import { randomBytes } from "@noble/hashes/utils.js";
import { makeBlob, writeBlob } from "./blobs.ts";
import type { GivenRecord } from "./invitation_records.ts";
import {
  PLACE_SIZE,
  readPair,
  takePair,
  WHOSE_SIZE,
} from "./invitation/mod.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import { makePool } from "./pools.ts";
import { drop } from "./proofs.ts";
import { blobId, poolId } from "../wire/mod.ts";

/** Puts it there, `lifetime` seconds long; what is there already stays. Rejects as `Connection.request` does. */
export async function publish(
  connection: Connection,
  { secret, blob, own, write, pools }: GivenRecord,
  { whose, places }: NonNullable<GivenRecord["unpublished"]>,
  lifetime: number,
): Promise<void> {
  for (const [i, sealed] of places.entries()) {
    await makePool(connection, {
      takeKey: (await takePair(secret, i)).publicKey,
      own: pools[i],
      // A pool has one. Of ours nobody is to live on it: to who opens it, it says that no place is left.
      lastResort: randomBytes(PLACE_SIZE),
      bundles: sealed,
    });
  }
  await makeBlob(connection, {
    readKey: (await readPair(secret)).publicKey,
    own,
    writeKey: write.publicKey,
    epoch: 1,
    bytes: WHOSE_SIZE,
    lifetime,
  });
  try {
    await writeBlob(connection, blob, write, 0, whose);
  } catch (error) {
    // Only we can have written it: the answer to that was lost.
    const written = error instanceof RelayError && error.code === "conflict";
    if (!written) throw error;
  }
}

/** Takes it away. Rejects as `Connection.request` does. */
export async function withdraw(
  connection: Connection,
  { secret, own, pools }: GivenRecord,
): Promise<void> {
  const read = await readPair(secret);
  await drop(connection, "blob", blobId(read.publicKey, own.publicKey), own);
  for (const [i, pool] of pools.entries()) {
    const take = await takePair(secret, i);
    await drop(
      connection,
      "pool",
      poolId(take.publicKey, pool.publicKey),
      pool,
    );
  }
}
