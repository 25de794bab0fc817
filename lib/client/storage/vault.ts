/**
 * Everything this device keeps, encrypted under one random key. The key itself
 * is stored wrapped twice: by the device key or, when one is set, by a lock
 * (while logged in), and sealed to the recovery public key that the access key
 * derives.
 */
import { randomBytes } from "@noble/hashes/utils.js";
import type { KeyPair } from "../../signal/mod.ts";
import { openSealed, SealedBoxError, sealToKey, wipe } from "../keys/mod.ts";
import { CachedStore } from "./cached_store.ts";
import {
  DamagedError,
  NewerVersionError,
  VaultClosedError,
  VaultStateError,
  WrongKeyError,
} from "./errors.ts";
import { encodeHeader, HEADER_KEY, type VaultHeader } from "./header.ts";
import { readHeader, storeHeader } from "./header_store.ts";
import { moveRecords, type Progress } from "./key_change.ts";
import { type Lock, lockUp, type NewLock, unlock } from "./lock.ts";
import { tryLock, type WrongSecret } from "./lock_try.ts";
import { type Migration, MIGRATIONS, upgradeStore } from "./migrations.ts";
import { RecordCipher, schemaOf } from "./record_cipher.ts";
import { Serial } from "./serial.ts";
import type { Platform, Store, StoreChange } from "./store.ts";
import {
  idBytes,
  type RecordId,
  type Table,
  type VaultChange,
} from "./table.ts";
import { type VaultReader, VaultTransaction } from "./transaction.ts";

const VAULT_KEY_LENGTH = 32;
const RECOVERY_PURPOSE = "vault key";
const NOBODY_WATCHES: Progress = () => {};

/** A vault that only its lock (or the access key) opens. */
export interface LockedVault {
  readonly lock: Lock;
}

export class Vault implements VaultReader {
  readonly #platform: Platform;
  readonly #store: Store;
  readonly #cipher: RecordCipher;
  /** The newest schema this program knows: what is stored is migrated to it before the vault is out. */
  readonly #schema: number;
  readonly #serial = new Serial();
  #header: VaultHeader;
  #closing = false;
  #closed = false;

  private constructor(
    platform: Platform,
    vaultKey: Uint8Array,
    header: VaultHeader,
    schema: number,
  ) {
    this.#platform = platform;
    this.#store = new CachedStore(platform.store);
    this.#cipher = RecordCipher.of(vaultKey);
    this.#header = header;
    this.#schema = schema;
  }

  /**
   * Makes a vault with its first records, in one commit: either all of it exists
   * afterwards, or nothing.
   * @param recovery.recoveryPublicKey 33 bytes, of the account that `deriveAccount` gives
   * @throws {VaultStateError} when there is one already
   */
  static async create(
    platform: Platform,
    recovery: { recoveryPublicKey: Uint8Array },
    firstChanges: readonly VaultChange[] = [],
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Vault> {
    const schema = newestSchema(migrations);
    if (await readHeader(platform.store, schema)) {
      throw new VaultStateError("exists");
    }
    const vaultKey = randomBytes(VAULT_KEY_LENGTH);
    const vault = new Vault(platform, vaultKey, {
      schema,
      migratingFrom: schema,
      deviceWrapping: await platform.deviceKey.wrap(vaultKey),
      recoveryBox: await sealToKey(
        recovery.recoveryPublicKey,
        vaultKey,
        RECOVERY_PURPOSE,
      ),
      lock: undefined,
      formerKeys: undefined,
    }, schema);
    wipe(vaultKey);
    await vault.#store.commit([
      { key: HEADER_KEY, value: encodeHeader(vault.#header) },
      ...vault.#sealed(firstChanges),
    ]);
    return vault;
  }

  /**
   * @returns "none" when nothing is stored, "logged-out" when only `recover` can open it
   * @throws {NewerVersionError} {@link DamagedError}, both without touching what is stored
   */
  static async open(
    platform: Platform,
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Vault | LockedVault | "none" | "logged-out"> {
    const header = await readHeader(platform.store, newestSchema(migrations));
    if (!header) return "none";
    if (header.lock) return { lock: header.lock };
    const vaultKey = header.deviceWrapping &&
      await platform.deviceKey.unwrap(header.deviceWrapping);
    if (!vaultKey) return "logged-out";
    return await Vault.#opened(platform, vaultKey, header, migrations);
  }

  /**
   * Opens a locked vault with its lock's secret, 32 bytes.
   * @returns what `tryLock` does when it was not the secret
   * @throws {VaultStateError} when there is no locked vault
   */
  static async unlock(
    platform: Platform,
    secret: Uint8Array,
    progress: Progress = NOBODY_WATCHES,
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Vault | WrongSecret | "erased"> {
    const header = await readHeader(platform.store, newestSchema(migrations));
    if (!header?.lock) throw new VaultStateError("none");
    const outcome = await tryLock(
      platform,
      { ...header, lock: header.lock },
      secret,
    );
    if (outcome === "erased" || "wrong" in outcome) return outcome;
    return await Vault.#opened(
      platform,
      outcome.vaultKey,
      outcome.header,
      migrations,
      progress,
    );
  }

  /**
   * Opens a vault with the recovery key of the account, and makes it one that
   * `open` opens on this device from here on: without a lock, if it had one.
   * @throws {WrongKeyError} when it is another account's; nothing changes
   * @throws {VaultStateError} when there is no vault
   */
  static async recover(
    platform: Platform,
    recovery: KeyPair,
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Vault> {
    const header = await readHeader(platform.store, newestSchema(migrations));
    if (!header) throw new VaultStateError("none");
    const vaultKey = await openRecoveryBox(recovery, header.recoveryBox);
    const deviceWrapping = await platform.deviceKey.wrap(vaultKey);
    const vault = await Vault.#opened(platform, vaultKey, header, migrations);
    await vault.#writeHeader({
      ...vault.#header,
      deviceWrapping,
      lock: undefined,
    });
    return vault;
  }

  static async #opened(
    platform: Platform,
    vaultKey: Uint8Array,
    header: VaultHeader,
    migrations: readonly Migration[],
    progress = NOBODY_WATCHES,
  ): Promise<Vault> {
    if (vaultKey.length !== VAULT_KEY_LENGTH) {
      throw new DamagedError("its key has a wrong length");
    }
    const vault = new Vault(
      platform,
      vaultKey,
      header,
      newestSchema(migrations),
    );
    wipe(vaultKey);
    await vault.#endKeyChange(progress);
    await vault.#migrate(migrations);
    return vault;
  }

  /** The lock that is set, if one is. */
  get lock(): Lock | undefined {
    return this.#header.lock;
  }

  /**
   * Sets a lock, or another one. Everything is written anew under a new vault key, because the key
   * before lay open on this disk, or under the secret before, and disks forget slowly. This vault is
   * closed; the one that is returned goes on. The lock holds from the first commit: a key change
   * that is cut off then is ended when the lock is opened.
   * @param recoveryPublicKey 33 bytes, as for `create`
   */
  async setLock(
    lock: NewLock,
    recoveryPublicKey: Uint8Array,
    progress: Progress = NOBODY_WATCHES,
  ): Promise<Vault> {
    if (this.#closing) throw new VaultClosedError();
    this.#closing = true;
    await this.#serial.idle();
    const vaultKey = randomBytes(VAULT_KEY_LENGTH);
    try {
      const vault = new Vault(this.#platform, vaultKey, {
        ...this.#header,
        deviceWrapping: undefined,
        recoveryBox: await sealToKey(
          recoveryPublicKey,
          vaultKey,
          RECOVERY_PURPOSE,
        ),
        lock: lockUp(lock, vaultKey),
        formerKeys: this.#cipher.keysFor(RecordCipher.of(vaultKey)),
      }, this.#schema);
      await vault.#writeHeader(vault.#header);
      await this.#platform.deviceKey.forget();
      await vault.#endKeyChange(progress);
      return vault;
    } finally {
      wipe(vaultKey);
      await this.close();
    }
  }

  /** Whether `secret` opens the lock that is set: asked before the lock is changed. */
  isOpenedBy(secret: Uint8Array): boolean {
    const vaultKey = this.lock && unlock(this.lock, secret);
    if (vaultKey) wipe(vaultKey);
    return vaultKey !== undefined;
  }

  /**
   * Takes the lock away: from here on this device opens the vault by itself.
   * @throws {WrongKeyError} when `secret` is not the lock's
   */
  async removeLock(secret: Uint8Array): Promise<void> {
    const vaultKey = this.lock && unlock(this.lock, secret);
    if (!vaultKey) throw new WrongKeyError();
    try {
      await this.#serial.run(async () => {
        const deviceWrapping = await this.#platform.deviceKey.wrap(vaultKey);
        await this.#writeHeader({
          ...this.#header,
          deviceWrapping,
          lock: undefined,
        });
      });
    } finally {
      wipe(vaultKey);
    }
  }

  /**
   * Commits `changes`, and from there on the vault is sealed to another recovery key, `next` (33 bytes):
   * both or neither.
   * @param recovery the one it is sealed to so far
   * @throws {WrongKeyError} when it is another
   */
  async changeRecovery(
    recovery: KeyPair,
    next: Uint8Array,
    changes: readonly VaultChange[],
  ): Promise<void> {
    if (this.#closing) throw new VaultClosedError();
    await this.#serial.run(async () => {
      const vaultKey = await openRecoveryBox(
        recovery,
        this.#header.recoveryBox,
      );
      const recoveryBox = await sealToKey(next, vaultKey, RECOVERY_PURPOSE);
      wipe(vaultKey);
      const header = { ...this.#header, recoveryBox };
      await this.#store.commit([
        { key: HEADER_KEY, value: encodeHeader(header) },
        ...this.#sealed(changes),
      ]);
      this.#header = header;
    });
  }

  /** Wrong passphrases in a row after which everything is erased; 0: never. */
  async setEraseAfter(eraseAfter: number): Promise<void> {
    await this.#serial.run(async () => {
      const { lock } = this.#header;
      if (!lock) throw new VaultStateError("none");
      await this.#writeHeader({
        ...this.#header,
        lock: { ...lock, eraseAfter, failures: 0 },
      });
    });
  }

  async get<T>(table: Table<T>, id: RecordId): Promise<T | undefined> {
    return (await this.getMany(table, [id]))[0];
  }

  /** Values in the order of `ids`, all of the same moment. @throws {DamagedError} */
  async getMany<T>(
    table: Table<T>,
    ids: readonly RecordId[],
  ): Promise<(T | undefined)[]> {
    if (this.#closed) throw new VaultClosedError();
    const keys = ids.map((id) => this.#cipher.blind(table.name, idBytes(id)));
    const values = await this.#store.get(keys);
    // Closing erases the cipher's keys, so what was read across it can't be opened.
    if (this.#closed) throw new VaultClosedError();
    return values.map((value, i) => value && this.#open(table, keys[i], value));
  }

  /**
   * Runs `work` with nothing else writing meanwhile, then commits what it put, at
   * once. When `work` or the commit fails, nothing is stored. Do not wait for
   * another `transact` or `commit` inside `work`: they come after it.
   * @throws {StorageFullError} {@link StorageUnavailableError} {@link TakenOverError} {@link VaultClosedError}
   */
  transact<T>(work: (t: VaultTransaction) => Promise<T> | T): Promise<T> {
    if (this.#closing) return Promise.reject(new VaultClosedError());
    return this.#serial.run(async () => {
      const transaction = new VaultTransaction(this);
      const result = await work(transaction);
      const changes = transaction.end();
      if (changes.length > 0) {
        await this.#store.commit(this.#sealed(changes));
      }
      return result;
    });
  }

  /** All changes in one commit, after the transactions handed in before it. */
  commit(changes: readonly VaultChange[]): Promise<void> {
    return this.transact((t) => t.apply(changes));
  }

  /**
   * Removes what opens the vault on this device, its lock too, after what is under
   * way, and closes. What is stored stays, sealed to the recovery key.
   */
  async logOut(): Promise<void> {
    if (this.#closing) throw new VaultClosedError();
    await this.#serial.run(() =>
      this.#writeHeader({
        ...this.#header,
        deviceWrapping: undefined,
        lock: undefined,
      })
    );
    await this.#platform.deviceKey.forget();
    await this.close();
  }

  /** Finishes what was handed in, then forgets the keys. Closing the store is for who opened it. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#serial.idle();
    if (this.#closed) return;
    this.#closed = true;
    this.#cipher.erase();
  }

  #open<T>(table: Table<T>, key: Uint8Array, sealed: Uint8Array): T {
    if (schemaOf(sealed) > this.#schema) throw new NewerVersionError();
    const { value } = this.#cipher.open(key, sealed);
    try {
      return table.codec.decode(value);
    } catch (cause) {
      throw new DamagedError(`a record of "${table.name}" can't be read`, {
        cause,
      });
    }
  }

  #sealed(changes: readonly VaultChange[]): StoreChange[] {
    return changes.map(({ table, id, value }) => {
      const key = this.#cipher.blind(table, id);
      return {
        key,
        value: value &&
          this.#cipher.seal(key, this.#schema, { table, id, value }),
      };
    });
  }

  /** Moves what still lies under the vault key before, if there is any. */
  async #endKeyChange(progress: Progress): Promise<void> {
    const { formerKeys } = this.#header;
    if (!formerKeys) return;
    const former = this.#cipher.former(formerKeys);
    try {
      const newer = this.#cipher;
      await moveRecords(this.#store, { former, newer }, progress);
    } finally {
      former.erase();
    }
    await this.#writeHeader({ ...this.#header, formerKeys: undefined });
  }

  async #writeHeader(header: VaultHeader): Promise<void> {
    await storeHeader(this.#store, header);
    this.#header = header;
  }

  async #migrate(migrations: readonly Migration[]): Promise<void> {
    const to = this.#schema;
    if (this.#header.migratingFrom === to) return;
    await this.#writeHeader({ ...this.#header, schema: to });
    await upgradeStore(this.#store, this.#cipher, migrations, to);
    await this.#writeHeader({ ...this.#header, migratingFrom: to });
  }
}

function newestSchema(migrations: readonly Migration[]): number {
  return 1 + migrations.length;
}

async function openRecoveryBox(
  recovery: KeyPair,
  box: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await openSealed(recovery, box, RECOVERY_PURPOSE);
  } catch (cause) {
    // The header's checksum held, so it is the key that does not fit.
    if (cause instanceof SealedBoxError) throw new WrongKeyError({ cause });
    throw cause;
  }
}
