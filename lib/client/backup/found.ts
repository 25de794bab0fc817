/** The backup at the relay, for who has nothing but the access key. */
import type { Adapters } from "../adapters.ts";
import {
  type Account,
  type DeviceList,
  ed25519PairOf,
  MalformedError,
  verifyDeviceList,
} from "../keys/mod.ts";
import {
  type Connection,
  ConnectionLostError,
  Link,
  RelayError,
} from "../link/mod.ts";
import { blobId } from "../../wire/mod.ts";
import { readBlob } from "../blobs.ts";
import { believedCells } from "./believed.ts";
import type { Reached } from "../proofs.ts";
import type { Cells } from "./cells.ts";
import type { BackupContents } from "./contents.ts";
import type { BackupKey } from "./epoch_key.ts";
import { BackupError, openBackup, openBackupKey } from "./seal.ts";

/** How long the relay may take to be reached, in ms; circuits of Tor take up to 8 s. */
const PATIENCE_MS = 25_000;

export interface NotThere {
  readonly ok: false;
  readonly reason: "nothing-here" | "unreachable" | "damaged" | "newer-version";
}

export interface Found {
  /** The account of the access key, under the id that it has: that of its first key. */
  readonly owner: Account;
  readonly key: BackupKey;
  /** Of the backup. */
  readonly version: number;
  /** Of the blob. */
  readonly base: number;
  readonly cells: Cells;
  readonly contents: BackupContents;
  readonly list: DeviceList;
}

class NothingFoundError extends Error {
  override readonly name = "NothingFoundError";
}

/** Throws NothingFoundError, BackupError, MalformedError and what `Connection.request` does. `now`: ms since the epoch. */
export async function readFound(
  relay: Reached,
  account: Account,
  now: number,
): Promise<Found> {
  const { accountId, accountKey, backup } = account;
  const [readPair, own] = await Promise.all(
    [backup.readSeed, backup.ownSeed].map(ed25519PairOf),
  );
  const id = blobId(readPair.publicKey, own.publicKey);
  const blob = await readBlob(relay, id, readPair);
  if (blob.contents.length === 0) throw new NothingFoundError();
  const key = openBackupKey(accountId, backup.sealKey, blob.contents);
  const { version, contents } = openBackup(accountId, key, blob.contents);
  const { cells, contents: said } = await believedCells(
    contents,
    accountKey.publicKey,
    key.epoch,
    { now },
  );
  return {
    owner: { ...account, accountId: said.accountId },
    key,
    version,
    base: blob.version,
    cells,
    contents: said,
    list: await verifyDeviceList(said.account.deviceList.bytes, {
      accountId: said.accountId,
      accountKey: accountKey.publicKey,
    }),
  };
}

/** Does `work` on a connection of its own. What the relay or its backup have against it is the outcome. */
export async function atRelay<T>(
  adapters: Adapters,
  work: (connection: Connection) => Promise<T>,
): Promise<T | NotThere> {
  const { clock } = adapters;
  const over = Promise.withResolvers<T>();
  const unreachable = () => over.reject(new ConnectionLostError());
  const cancelTimer = clock.after(PATIENCE_MS, unreachable);
  const link = new Link({
    ...adapters,
    url: adapters.relaySocketUrl,
    relayKey: undefined,
    connected: (connection) => {
      cancelTimer();
      work(connection).then(over.resolve, over.reject);
    },
    lost: unreachable,
  });
  link.start();
  try {
    return await over.promise;
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    cancelTimer();
    link.stop();
  }
}

/** Throws what is none of these. */
function reasonOf(error: unknown): NotThere["reason"] {
  if (error instanceof NothingFoundError) return "nothing-here";
  if (error instanceof BackupError) {
    return error.code === "damaged" ? "damaged" : "newer-version";
  }
  if (error instanceof MalformedError) return "damaged";
  if (error instanceof ConnectionLostError) return "unreachable";
  if (error instanceof RelayError) {
    return error.code === "no-such-blob" ? "nothing-here" : "unreachable";
  }
  throw error;
}
