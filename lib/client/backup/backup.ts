import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import {
  type AccessKey,
  accountIdOf,
  deriveAccount,
  ed25519PairOf,
  MalformedError,
  parseQueue,
  wipe,
  wipeAccount,
} from "../keys/mod.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "../link/mod.ts";
import { keepFormerBackups } from "../former_backups.ts";
import { isListed } from "../own_devices.ts";
import { createQueue } from "../queues.ts";
import {
  backupKeysTable,
  type BackupRecord,
  backupTable,
  formerBackupsTable,
  queueTable,
  SELF,
} from "../records.ts";
import type {
  BackupStanding,
  BackupState,
  FailedBackup,
  RemovalOutcome,
} from "../view.ts";
import { dropBlob, readBlob, writeBlob } from "../blobs.ts";
import {
  beginEpoch,
  type BlobKeys,
  openBlobKeys,
  ReplacedError,
} from "./blob_keys.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { type Cells, merge } from "./cells.ts";
import { believedCells, follows, MOST_VERSIONS } from "./believed.ts";
import { heldBy } from "./held_by_device.ts";
import { Adopter, type AdopterEvents } from "./adopt.ts";
import { type Held, lookedAt, restate, type Restated } from "./restate.ts";
import type { AtRelay } from "./epoch_at_relay.ts";
import { Removal } from "./removal.ts";
import type { RemovalEvents } from "./removal_steps.ts";
import {
  BackupError,
  BackupTooLargeError,
  openBackup,
  readHeader,
  sealBackup,
} from "./seal.ts";

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

/** What is at the relay. */
interface Theirs {
  readonly version: number;
  /** What it says, for who can read it. */
  readonly said?: { readonly cells: Cells; readonly deviceList: Uint8Array };
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
  /** Something changed after it was last looked at what there is. */
  #changedSince = false;
  readonly #before: number;
  /** What was wrong with the one at the relay, when it was last read or written. */
  #lost: "gone" | "replaced" | undefined;
  /** Queues by which other own devices reach this one, of those that were made anew, that the relay has had. */
  readonly #made = new Set<string>();
  readonly #events: Pick<AdopterEvents, "replaced">;
  readonly #adopter: Adopter;
  readonly #removal: Removal;

  constructor(
    desk: Desk,
    state: BackupState,
    events: AdopterEvents & RemovalEvents,
  ) {
    this.#desk = desk;
    this.#events = events;
    this.#name = accountIdOf(desk.account.accountKey);
    this.#before = desk.backupVersion();
    this.#adopter = new Adopter(desk, events);
    this.#removal = new Removal(desk, {
      name: this.#name,
      look: async (connection, keys) => {
        const record = await this.#look(keys);
        await this.#makeOwnQueues(connection);
        return record;
      },
      read: (connection, keys) => this.#read(connection, keys),
      takeIn: (keys, found) => this.#takeIn(keys, found),
    }, events);
    this.state = signal(state);
  }

  /** The last version that this device has written, or else was told by the relay; 0: none. */
  get version(): number {
    return this.#written ?? this.#before;
  }

  /** Something changed that may belong into it. */
  changed(): void {
    this.#changedSince = true;
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
      if (!this.#fails(error)) throw error;
    }
  }

  /** Reads what others wrote and writes what is missing; false when that can't be done now. */
  async isCurrent(connection: Connection): Promise<boolean> {
    const written = await ifItPasses(async () => {
      await this.#removal.goOn(connection);
      const keys = await this.#keys();
      if (keys && !keys.record.ownSeed) {
        await this.#readAll(connection, keys).catch((error: unknown) => {
          this.#fails(error);
          throw error;
        });
      }
      await this.write(connection);
    });
    return written !== "no" && this.state.value.at === "saved";
  }

  /** Removes the device `id`. Wipes the key. See `DevicesView.remove`. */
  async remove(
    connection: Connection,
    id: number,
    key: AccessKey,
  ): Promise<RemovalOutcome> {
    const account = deriveAccount(key);
    wipe(key);
    try {
      const outcome = await ifItPasses(() =>
        this.#removal.remove(connection, id, account)
      );
      return outcome === "no" ? { ok: false, reason: "unreachable" } : outcome;
    } finally {
      wipeAccount(account);
    }
  }

  /** Says why, when it is what does not pass. */
  #fails(error: unknown): boolean {
    const reason = reasonOf(error);
    if (!reason) return false;
    if (reason === "gone" || reason === "replaced") this.#lost = reason;
    if (reason === "replaced") this.#events.replaced();
    this.#show({ at: "failed", reason });
    return true;
  }

  async #write(connection: Connection): Promise<void> {
    await this.#removal.goOn(connection);
    while (true) {
      // Each time: another epoch may have begun.
      const keys = await this.#keys();
      if (!keys) return this.#show({ at: "no-keys" });
      if (keys.record.ownSeed) {
        await this.#make(connection, keys, keys.record.ownSeed);
        continue;
      }
      this.#changedSince = false;
      const record = await this.#look(keys);
      const { wentBack } = record;
      this.state.value = { ...this.state.value, wentBack };
      if ((record.told ?? 0) > (record.read ?? 0)) {
        await this.#readAll(connection, keys);
        continue;
      }
      if (record.version === record.written.version) {
        await this.#dropFormer(connection);
        if (this.#changedSince) continue;
        // With nothing to write nobody would notice.
        const reason = this.#lost;
        return this.#show(reason ? { at: "failed", reason } : { at: "saved" });
      }
      this.#show({ at: "waiting" });
      await this.#send(connection, keys, record);
    }
  }

  async #keys(): Promise<BlobKeys | undefined> {
    const record = await this.#desk.ledger.reader.get(backupKeysTable, SELF);
    return record && await openBlobKeys(record);
  }

  /** Has the relay make the blob, and forgets the key that can. */
  async #make(
    connection: Connection,
    keys: BlobKeys,
    ownSeed: Uint8Array,
  ): Promise<void> {
    const { record } = keys;
    await beginEpoch(connection, keys, ownSeed);
    await this.#desk.ledger.run(async (entry) => {
      const now = await entry.get(backupKeysTable, SELF);
      if (now?.key.epoch !== record.key.epoch) return;
      const { ownSeed: _, ...kept } = now;
      entry.put(backupKeysTable, SELF, kept);
    });
  }

  /** What access keys before this one open is no more once there is another. */
  async #dropFormer(connection: Connection): Promise<void> {
    const { ledger } = this.#desk;
    const former = await ledger.reader.get(formerBackupsTable, SELF);
    if (!former) return;
    for (const { blob, ownSeed, left } of former.backups) {
      if (left) continue;
      try {
        await dropBlob(connection, blob, await ed25519PairOf(ownSeed));
      } catch (error) {
        const gone = error instanceof RelayError &&
          error.code === "no-such-blob";
        if (!gone) throw error;
      }
    }
    await ledger.run((entry) =>
      keepFormerBackups(entry, ({ left }) => left !== undefined)
    );
  }

  /** Puts what changed here into the backup that is to be written; a new version of it when there is any. */
  #look(keys: BlobKeys): Promise<BackupRecord> {
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
    keys: BlobKeys,
    record: BackupRecord,
  ): Promise<Restated> {
    const { clock, account, own } = this.#desk;
    // One that was removed has no part in it, and is giving up what it has.
    if (!isListed(own.in(entry))) throw new ReplacedError();
    const cells = parseCells(record.cells);
    const held = await this.#held(entry, keys);
    // Who just came back has what the cells say, and chose nothing.
    const before = record.glimpse.length > 0
      ? new Map(record.glimpse)
      : lookedAt(cells, new Map(), held);
    const stamp = { now: clock.now(), device: account.device.id };
    return restate(cells, before, held, stamp);
  }

  #held(
    entry: Entry,
    { record: { key, writeSeed } }: BlobKeys,
  ): Promise<Held[]> {
    const own = this.#desk.own.in(entry);
    return heldBy(entry, own, { epoch: key.epoch, seed: writeSeed });
  }

  /** Other own devices write to a queue as soon as the backup names it: it is at the relay before. */
  async #makeOwnQueues(connection: Connection): Promise<void> {
    const { own, ledger } = this.#desk;
    const { queue, renewed } = own.state.devices;
    const names = renewed ? [queue, ...renewed.own] : [];
    for (const name of names) {
      const record = this.#made.has(name)
        ? undefined
        : await ledger.reader.get(queueTable, name);
      if (!record) continue;
      await createQueue(connection, await parseQueue(record.credentials));
      this.#made.add(name);
    }
  }

  async #send(
    connection: Connection,
    keys: BlobKeys,
    { base, version, cells }: BackupRecord,
  ): Promise<void> {
    await this.#makeOwnQueues(connection);
    const { ledger, clock } = this.#desk;
    const { key } = keys.record;
    const backup = sealBackup(this.#name, key, version, cells);
    try {
      const { blob, write } = keys;
      const at = await writeBlob(connection, blob, write, base, backup);
      this.#lost = undefined;
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
      await this.#readAll(connection, keys);
    }
  }

  async #readAll(connection: Connection, keys: BlobKeys): Promise<void> {
    await this.#takeIn(keys, await this.#read(connection, keys));
  }

  async #read(
    connection: Connection,
    { blob, read }: BlobKeys,
  ): Promise<AtRelay> {
    // What is told of while it is read may have been written after it.
    const { told = 0 } =
      await this.#desk.ledger.reader.get(backupTable, SELF) ?? NOTHING_YET;
    return { ...await readBlob(connection, blob, read), told };
  }

  /**
   * Somebody else has written. What they chose is taken over here; what this device has besides
   * becomes part of what is to be written over it.
   */
  async #takeIn(keys: BlobKeys, found: AtRelay): Promise<void> {
    const { version: base, contents, told: toldBefore } = found;
    const opened = await this.#open(keys, contents);
    this.#lost = undefined;
    await this.#desk.ledger.run(async (entry) => {
      const record = await entry.get(backupTable, SELF) ?? NOTHING_YET;
      // What this device chose itself gets its stamps before it is compared with what others chose.
      const own = await this.#restate(entry, keys, record);
      const said = opened?.said && follows(
          { version: opened.version, cells: opened.said.cells },
          { version: record.version, cells: own.cells },
          this.#desk.clock.now(),
        )
        ? opened.said
        : undefined;
      const theirs = said?.cells;
      const cells = theirs ? merge(own.cells, theirs.values()) : own.cells;
      if (said) await this.#adopter.adopt(entry, cells, said.deviceList);
      const encoded = encodeCells(cells);
      // Versions never fall: who has a lower one than was written has an old one.
      const { written, told = 0, read: before = 0 } = record;
      // What can't be opened is believed no more than was told.
      const seen = opened && (theirs || !opened.said) ? opened.version : 0;
      const version = theirs
        ? seen
        : Math.min(seen, told, record.version + MOST_VERSIONS);
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
        wentBack: record.wentBack || toldBefore > read || old,
        read: Math.max(read, toldBefore),
      });
    });
  }

  /**
   * Undefined for what is empty, damaged, or nothing that an honest device writes: it is written over with
   * what this device has. So is what is of an epoch before, of which there is only its version: a device
   * that was removed may have written it.
   */
  async #open(
    { record: { key, writeSeed } }: BlobKeys,
    contents: Uint8Array,
  ): Promise<Theirs | undefined> {
    if (contents.length === 0) return undefined;
    try {
      const { epoch, version } = readHeader(contents);
      if (epoch > key.epoch) throw new ReplacedError();
      if (epoch < key.epoch) return { version };
      const opened = openBackup(this.#name, key, contents);
      const { accountKey } = this.#desk.account;
      const { cells, contents: { account } } = await believedCells(
        opened.contents,
        accountKey,
        epoch,
        { writeSeed },
      );
      const deviceList = account.deviceList.bytes;
      return { version, said: { cells, deviceList } };
    } catch (error) {
      const damaged = error instanceof MalformedError ||
        error instanceof BackupError && error.code === "damaged";
      if (!damaged) throw error;
      return undefined;
    }
  }

  /** Whether it went back stays said: the person may have put it away while the relay was asked. */
  #show(state: BackupStanding): void {
    const { wentBack } = this.state.value;
    this.state.value = { ...state, wentBack };
  }
}

/** What `work` gives, or "no" when the relay, or what it has, is in the way of it now. */
async function ifItPasses<T>(work: () => Promise<T>): Promise<T | "no"> {
  try {
    return await work();
  } catch (error) {
    const passes = error instanceof RelayError ||
      error instanceof ConnectionLostError || reasonOf(error) !== undefined;
    if (!passes) throw error;
    return "no";
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
