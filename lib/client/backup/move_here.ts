/**
 * Moving to another relay: coming back there with the access key, while the backup is still at the relay
 * before. Until the account is stored here nothing changes anywhere; all that follows is done from the disk.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { blobId, FEATURES } from "../../wire/mod.ts";
import type { Adapters } from "../adapters.ts";
import type { Keeper } from "../keeper.ts";
import { type AccessKey, type Account, ed25519PairOf } from "../keys/mod.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import {
  discardedTable,
  formerBackupsTable,
  type LeftRelay,
  relayTable,
  SELF,
} from "../records.ts";
import { backupKeys } from "../new_device.ts";
import type { VaultChange } from "../storage/mod.ts";
import type { MoveOutcome } from "../view.ts";
import {
  begin,
  foundOf,
  queuesOfDevices,
  recordsOf,
  withAccount,
} from "./come_back.ts";
import { type Found, readFound } from "./found.ts";

const LABEL = 16;

/** The relay before, and what the one here may want. */
export interface Before {
  readonly url: string;
  /** Of the relay here, which forwards for its own people only if it is private. */
  readonly password: string | undefined;
}

/** Looks for the backup that `key` opens at the relay before. Changes nothing. Wipes the key. */
export function findElsewhere(
  adapters: Adapters,
  key: AccessKey,
  from: Before,
): Promise<MoveOutcome> {
  return withAccount(
    adapters,
    key,
    (connection, account) =>
      reaching(async () =>
        foundOf((await read(adapters, connection, account, from)).found)
      ),
  );
}

/** Makes this device the only one of the account, at the relay of this page. */
export function moveHere(
  adapters: Adapters,
  keeper: Keeper,
  accessKey: string,
  from: Before,
): Promise<MoveOutcome> {
  return begin(
    adapters,
    keeper,
    accessKey,
    (connection, account) =>
      reaching(() => recordsHere(adapters, connection, account, from)),
  );
}

/** What is at the relay before, and which one that is. */
async function read(
  { random, clock }: Adapters,
  connection: Connection,
  account: Account,
  { url, password }: Before,
): Promise<{ found: Found; left: LeftRelay; access: Uint8Array | undefined }> {
  const access = await admitted(connection, password);
  // A chunk of its own, which an open account fetches alone.
  const { RemoteRelay } = await import("../forward/mod.ts");
  const label = random.bytes(LABEL);
  const remote = new RemoteRelay(
    connection,
    { url, key: undefined },
    () => Promise.resolve(label),
    () => {},
  );
  const { relayKey: key } = await remote.greet();
  if (equalBytes(key, connection.hello.relayKey)) throw new SameRelayError();
  const found = await readFound(remote, account, clock.now());
  return { found, left: { url, key, since: clock.now() }, access };
}

/** Proves the password of a private relay; gives what it stands for, to be kept. */
async function admitted(
  connection: Connection,
  password: string | undefined,
): Promise<Uint8Array | undefined> {
  const { features } = connection.hello;
  if ((features & FEATURES.access) === 0) return undefined;
  if (password === undefined) throw new PasswordError("wanted");
  const { proveFirst } = await import("../admission_proof.ts");
  const access = await proveFirst(connection, password);
  if (!access) throw new PasswordError("wrong");
  return access;
}

/** The records of the device here, and what is to be done at the relay before. */
async function recordsHere(
  adapters: Adapters,
  connection: Connection,
  account: Account,
  from: Before,
): Promise<VaultChange[]> {
  const { found, left, access } = await read(
    adapters,
    connection,
    account,
    from,
  );
  const { hello } = connection;
  const condemned = await queuesOfDevices(account, found.contents);
  const { readSeed, ownSeed } = account.backup;
  const [reads, own] = await Promise.all(
    [readSeed, ownSeed].map(ed25519PairOf),
  );
  const moved = {
    ...found,
    // Here there is none yet.
    base: 0,
    keys: await backupKeys(account, undefined, found.key.epoch + 1),
    contents: {
      ...found.contents,
      contacts: found.contents.contacts.map((contact) => ({
        ...contact,
        accountQueues: contact.accountQueues.map((queue) => {
          const { left: where = left, ...rest } = queue;
          // Who moves back has queues here.
          const here = equalBytes(where.key, hello.relayKey);
          return here ? rest : { ...rest, left: where };
        }),
      })),
    },
  };
  return [
    ...await recordsOf(moved, connection, left.since),
    ...access
      ? [relayTable.put(SELF, { url: hello.url, key: hello.relayKey, access })]
      : [],
    discardedTable.put(SELF, {
      queues: [],
      condemned: condemned.map((queue) => ({ ...queue, left })),
    }),
    formerBackupsTable.put(SELF, {
      backups: [{
        blob: blobId(reads.publicKey, own.publicKey),
        ownSeed: ownSeed.slice(),
        left: { ...left, readSeed: readSeed.slice() },
      }],
    }),
  ];
}

class SameRelayError extends Error {
  override readonly name = "SameRelayError";
}

class PasswordError extends Error {
  override readonly name = "PasswordError";
  constructor(readonly standing: "wanted" | "wrong") {
    super(`the password of the relay is ${standing}`);
  }
}

/** Says what is in the way of reaching the other relay. Throws what is none of it. */
async function reaching<T>(
  work: () => Promise<T>,
): Promise<T | Extract<MoveOutcome, { reason: `server-${string}` }>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SameRelayError) {
      return { ok: false, reason: "server-is-this" };
    }
    if (error instanceof PasswordError) {
      return { ok: false, reason: "server-password", standing: error.standing };
    }
    if (error instanceof RelayError) {
      switch (error.code) {
        case "unreachable":
        case "busy":
          return { ok: false, reason: "server-unreachable" };
        case "forbidden":
          return { ok: false, reason: "server-refused" };
      }
    }
    throw error;
  }
}
