/**
 * Everything this device keeps, encrypted under one random key. The key itself
 * is stored wrapped twice: by the device key (while logged in and no lock is
 * set) and sealed to the recovery public key that the access key derives.
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
import {
  encodeHeader,
  HEADER_KEY,
  parseHeader,
  type VaultHeader,
} from "./header.ts";
import { type Migration, MIGRATIONS, upgradeEntries } from "./migrations.ts";
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
const MIGRATION_BATCH = 200;

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
    this.#cipher = new RecordCipher(vaultKey);
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
    if (await readHeader(platform, schema)) throw new VaultStateError("exists");
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
  ): Promise<Vault | "none" | "logged-out"> {
    const header = await readHeader(platform, newestSchema(migrations));
    if (!header) return "none";
    const vaultKey = header.deviceWrapping &&
      await platform.deviceKey.unwrap(header.deviceWrapping);
    if (!vaultKey) return "logged-out";
    return await Vault.#opened(platform, vaultKey, header, migrations);
  }

  /**
   * Opens a vault with the recovery key of the account, and makes it one that
   * `open` opens on this device from here on.
   * @throws {WrongKeyError} when it is another account's; nothing changes
   * @throws {VaultStateError} when there is no vault
   */
  static async recover(
    platform: Platform,
    recovery: KeyPair,
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Vault> {
    const header = await readHeader(platform, newestSchema(migrations));
    if (!header) throw new VaultStateError("none");
    const vaultKey = await openRecoveryBox(recovery, header.recoveryBox);
    const deviceWrapping = await platform.deviceKey.wrap(vaultKey);
    const vault = await Vault.#opened(platform, vaultKey, header, migrations);
    await vault.#writeHeader({ ...vault.#header, deviceWrapping });
    return vault;
  }

  static async #opened(
    platform: Platform,
    vaultKey: Uint8Array,
    header: VaultHeader,
    migrations: readonly Migration[],
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
    await vault.#migrate(migrations);
    return vault;
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
   * Removes the wrapping that opens the vault on this device, after what is under
   * way, and closes. What is stored stays, sealed to the recovery key.
   */
  async logOut(): Promise<void> {
    if (this.#closing) throw new VaultClosedError();
    await this.#serial.run(() =>
      this.#writeHeader({ ...this.#header, deviceWrapping: undefined })
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

  async #writeHeader(header: VaultHeader): Promise<void> {
    await this.#store.commit([{
      key: HEADER_KEY,
      value: encodeHeader(header),
    }]);
    this.#header = header;
  }

  async #migrate(migrations: readonly Migration[]): Promise<void> {
    const to = this.#schema;
    if (this.#header.migratingFrom === to) return;
    await this.#writeHeader({ ...this.#header, schema: to });
    let after: Uint8Array | undefined;
    while (true) {
      const entries = await this.#store.scan(after, MIGRATION_BATCH);
      if (entries.length === 0) break;
      after = entries[entries.length - 1].key;
      const changes = upgradeEntries(entries, this.#cipher, migrations, to);
      if (changes.length > 0) await this.#store.commit(changes);
    }
    await this.#writeHeader({ ...this.#header, migratingFrom: to });
  }
}

function newestSchema(migrations: readonly Migration[]): number {
  return 1 + migrations.length;
}

async function readHeader(
  platform: Platform,
  schema: number,
): Promise<VaultHeader | undefined> {
  const [bytes] = await platform.store.get([HEADER_KEY]);
  return bytes && parseHeader(bytes, schema);
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
