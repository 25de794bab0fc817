import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import { blobId } from "../../wire/mod.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import {
  accountIdOf,
  type Ed25519Pair,
  ed25519PairOf,
  MalformedError,
} from "../keys/mod.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "../link/mod.ts";
import {
  type BackupKeysRecord,
  backupKeysTable,
  type BackupRecord,
  backupTable,
  formerBackupTable,
  SELF,
} from "../records.ts";
import type { BackupStanding, BackupState, FailedBackup } from "../view.ts";
import { dropBlob, makeBlob, readBlob, writeBlob } from "../blobs.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { type Cells, merge } from "./cells.ts";
import { heldBy } from "./held_by_device.ts";
import { Adopter, type AdopterEvents } from "./adopt.ts";
import { type Held, lookedAt, restate, type Restated } from "./restate.ts";
import {
  BackupError,
  BackupTooLargeError,
  MAX_BACKUP,
  openBackup,
  readHeader,
  sealBackup,
} from "./seal.ts";

const YEAR_S = 365 * 86_400;
/** Contents are written anew after this long, so that they never get as old as the relay keeps them. */
const RENEW_MS = 30 * 86_400_000;

const NOTHING_YET: BackupRecord = {
  cells: encodeCells(new Map()),
  glimpse: [],
  version: 0,
  base: 0,
  written: { version: 0, at: 0 },
  wentBack: false,
};

/** Another device has begun a later epoch: this one can't read or write the backup, unless it is told the keys. */
class ReplacedError extends Error {
  override readonly name = "ReplacedError";
  constructor() {
    super("another device has taken the backup over");
  }
}

/** What is at the relay. */
interface Theirs {
  readonly version: number;
  readonly cells?: Cells;
}

/** The keys, ready to be used. */
interface Keys {
  readonly record: BackupKeysRecord;
  readonly read: Ed25519Pair;
  readonly write: Ed25519Pair;
  readonly blob: Uint8Array;
}

/**
 * Writes the account's backup. What is to be written is on disk, under its version, before anything
 * is sent: a crash at any moment leaves either the old one at the relay or the new one, and writes
 * again. When somebody else has written meanwhile, theirs is merged in first.
 */
export class Backup {
  readonly #desk: Desk;
  readonly state: Signal<BackupState>;
  /** A backup belongs to a key: another access key begins another one. */
  readonly #name: string;
  #written: number | undefined;
  readonly #before: number;
  readonly #adopter: Adopter;

  constructor(desk: Desk, state: BackupState, events: AdopterEvents) {
    this.#desk = desk;
    this.#name = accountIdOf(desk.account.accountKey);
    this.#before = desk.backupVersion();
    this.#adopter = new Adopter(desk, events);
    this.state = signal(state);
  }

  /** The last version that this device has written, or else was told by the relay; 0: none. */
  get version(): number {
    return this.#written ?? this.#before;
  }

  /** Something changed that may belong into it. */
  changed(): void {
    if (this.state.value.at === "saved") this.#show({ at: "waiting" });
  }

  /**
   * Until what there is is at the relay, or the state says why it can't be. Rejects as
   * `Connection.request` does for what passes, and when the disk fails.
   */
  async write(connection: Connection): Promise<void> {
    try {
      await this.#write(connection);
    } catch (error) {
      const reason = reasonOf(error);
      if (!reason) throw error;
      this.#show({ at: "failed", reason });
    }
  }

  /** Reads what others wrote and writes what is missing; false when that can't be done now. */
  async isCurrent(connection: Connection): Promise<boolean> {
    try {
      const keys = await this.#keys();
      if (keys && !keys.record.ownSeed) await this.#takeIn(connection, keys);
      await this.write(connection);
    } catch (error) {
      const passes = error instanceof RelayError ||
        error instanceof ConnectionLostError || reasonOf(error) !== undefined;
      if (!passes) throw error;
      return false;
    }
    return this.state.value.at === "saved";
  }

  async #write(connection: Connection): Promise<void> {
    while (true) {
      // Each time: another epoch may have begun.
      const keys = await this.#keys();
      if (!keys) return this.#show({ at: "no-keys" });
      if (keys.record.ownSeed) {
        await this.#make(connection, keys, keys.record.ownSeed);
        continue;
      }
      const record = await this.#look(keys);
      const { wentBack } = record;
      if ((record.told ?? 0) > (record.read ?? 0)) {
        await this.#takeIn(connection, keys);
        continue;
      }
      if (record.version === record.written.version) {
        await this.#dropFormer(connection);
        return this.#show({ at: "saved" }, wentBack);
      }
      this.#show({ at: "waiting" }, wentBack);
      await this.#send(connection, keys, record);
    }
  }

  async #keys(): Promise<Keys | undefined> {
    const record = await this.#desk.ledger.reader.get(backupKeysTable, SELF);
    if (!record) return undefined;
    const [read, write] = await Promise.all(
      [record.readSeed, record.writeSeed].map(ed25519PairOf),
    );
    return { record, read, write, blob: blobId(read.publicKey, record.ownKey) };
  }

  /** Has the relay make the blob, and forgets the key that can. */
  async #make(
    connection: Connection,
    { record, read, write }: Keys,
    ownSeed: Uint8Array,
  ): Promise<void> {
    await makeBlob(connection, {
      readKey: read.publicKey,
      own: await ed25519PairOf(ownSeed),
      writeKey: write.publicKey,
      epoch: record.key.epoch,
      bytes: MAX_BACKUP,
      lifetime: YEAR_S,
    });
    await this.#desk.ledger.run(async (entry) => {
      const now = await entry.get(backupKeysTable, SELF);
      if (now?.key.epoch !== record.key.epoch) return;
      const { ownSeed: _, ...kept } = now;
      entry.put(backupKeysTable, SELF, kept);
    });
  }

  /** What the access key before this one opens is no more once there is another. */
  async #dropFormer(connection: Connection): Promise<void> {
    const { ledger } = this.#desk;
    const former = await ledger.reader.get(formerBackupTable, SELF);
    if (!former) return;
    try {
      const own = await ed25519PairOf(former.ownSeed);
      await dropBlob(connection, former.blob, own);
    } catch (error) {
      const gone = error instanceof RelayError && error.code === "no-such-blob";
      if (!gone) throw error;
    }
    await ledger.run((entry) => entry.delete(formerBackupTable, SELF));
  }

  /** Puts what changed here into the backup that is to be written; a new version of it when there is any. */
  #look(keys: Keys): Promise<BackupRecord> {
    const { ledger, clock } = this.#desk;
    return ledger.run(async (entry) => {
      const record = await entry.get(backupTable, SELF) ?? NOTHING_YET;
      const now = clock.now();
      const { cells, glimpse, changed } = await this.#restate(
        entry,
        keys,
        record,
      );
      // What is on its way may have reached the relay, so what changed is another version.
      const old = record.version === record.written.version &&
        now - record.written.at > RENEW_MS;
      if (!changed && !old) return record;
      const next: BackupRecord = {
        ...record,
        cells: encodeCells(cells),
        glimpse: [...glimpse],
        version: record.version + 1,
      };
      entry.put(backupTable, SELF, next);
      return next;
    });
  }

  async #restate(
    entry: Entry,
    keys: Keys,
    record: BackupRecord,
  ): Promise<Restated> {
    const { clock, account } = this.#desk;
    const cells = parseCells(record.cells);
    const held = await this.#held(entry, keys);
    // Who just came back has what the cells say, and chose nothing.
    const before = record.glimpse.length > 0
      ? new Map(record.glimpse)
      : lookedAt(cells, new Map(), held);
    const stamp = { now: clock.now(), device: account.device.id };
    return restate(cells, before, held, stamp);
  }

  #held(entry: Entry, { record: { key, writeSeed } }: Keys): Promise<Held[]> {
    const own = this.#desk.own.in(entry);
    return heldBy(entry, own, { epoch: key.epoch, seed: writeSeed });
  }

  async #send(
    connection: Connection,
    keys: Keys,
    { base, version, cells }: BackupRecord,
  ): Promise<void> {
    const { ledger, clock } = this.#desk;
    const { key } = keys.record;
    const backup = sealBackup(this.#name, key, version, cells);
    try {
      const { blob, write } = keys;
      const at = await writeBlob(connection, blob, write, base, backup);
      await ledger.run(async (entry) => {
        const now = await entry.get(backupTable, SELF) ?? NOTHING_YET;
        const written = { version, at: clock.now() };
        entry.put(backupTable, SELF, {
          ...now,
          base: at,
          written,
          own: version,
        });
        entry.after(() => this.#written = version);
        await this.#desk.tell(entry, { kind: "saved", version });
      });
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.#takeIn(connection, keys);
    }
  }

  /**
   * Somebody else has written. What they chose is taken over here; what this device has besides
   * becomes part of what is to be written over it.
   */
  async #takeIn(connection: Connection, keys: Keys): Promise<void> {
    const { version: base, contents } = await readBlob(
      connection,
      keys.blob,
      keys.read,
    );
    const opened = this.#open(keys, contents);
    const theirs = opened?.cells;
    await this.#desk.ledger.run(async (entry) => {
      const record = await entry.get(backupTable, SELF) ?? NOTHING_YET;
      // What this device chose itself gets its stamps before it is compared with what others chose.
      const own = await this.#restate(entry, keys, record);
      const cells = theirs ? merge(own.cells, theirs.values()) : own.cells;
      if (theirs) await this.#adopter.adopt(entry, cells);
      const encoded = encodeCells(cells);
      // Versions never fall: who has a lower one than was written has an old one.
      const { written, told = 0, read: before = 0 } = record;
      // What can't be opened is believed no more than was told.
      const seen = opened?.version ?? 0;
      const version = theirs ? seen : Math.min(seen, told);
      const read = seen === record.own ? before : Math.max(before, version);
      const old = theirs !== undefined && version < written.version;
      const same = theirs !== undefined && !old &&
        equalBytes(encoded, encodeCells(theirs));
      const held = await this.#held(entry, keys);
      entry.put(backupTable, SELF, {
        ...record,
        cells: encoded,
        glimpse: [...lookedAt(cells, own.glimpse, held)],
        version: same ? version : Math.max(record.version, version) + 1,
        base,
        ...same ? { written: { version, at: this.#desk.clock.now() } } : {},
        wentBack: record.wentBack || told > read || old,
        read: Math.max(read, told),
      });
    });
  }

  /**
   * Undefined for what is empty or damaged: it is written over with what this device has. So is what is
   * of an epoch before, of which there is only its version: a device that was removed may have written it.
   */
  #open(
    { record: { key } }: Keys,
    contents: Uint8Array,
  ): Theirs | undefined {
    if (contents.length === 0) return undefined;
    try {
      const { epoch, version } = readHeader(contents);
      if (epoch > key.epoch) throw new ReplacedError();
      if (epoch < key.epoch) return { version };
      const opened = openBackup(this.#name, key, contents);
      return { version, cells: parseCells(opened.contents) };
    } catch (error) {
      const damaged = error instanceof MalformedError ||
        error instanceof BackupError && error.code === "damaged";
      if (!damaged) throw error;
      return undefined;
    }
  }

  #show(state: BackupStanding, wentBack = this.state.value.wentBack): void {
    this.state.value = { ...state, wentBack };
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof RelayError && error.code === "conflict";
}

/** Why it can't be written for now, or undefined for what passes or is another's to say. */
function reasonOf(error: unknown): FailedBackup | undefined {
  if (error instanceof BackupTooLargeError) return "too-large";
  if (error instanceof BackupError) return "newer-version";
  if (error instanceof ReplacedError) return "replaced";
  if (!(error instanceof RelayError)) return undefined;
  switch (error.code) {
    case "no-such-blob":
      return "gone";
    case "replaced":
    case "unauthorised":
      return "replaced";
    // Another wrote while it was read, or the relay has no room at the moment, or wants its password.
    case "conflict":
    case "access":
    case "busy":
    case "rate":
    case "work":
      return undefined;
    default:
      return "refused";
  }
}
