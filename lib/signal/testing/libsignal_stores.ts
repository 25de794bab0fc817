import * as L from "@signalapp/libsignal-client";
import { owned } from "./owned.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Records = Map<number, Bytes>;

/** libsignal's stores over maps of serialised records. */
export class LibsignalStores {
  readonly sessions: MapSessionStore = new MapSessionStore();
  readonly identities: MapIdentityStore;
  readonly preKeys: MapPreKeyStore = new MapPreKeyStore();
  readonly signedPreKeys: MapSignedPreKeyStore = new MapSignedPreKeyStore();
  readonly kyberPreKeys: MapKyberPreKeyStore = new MapKyberPreKeyStore();

  constructor(identity: L.PrivateKey, registrationId: number) {
    this.identities = new MapIdentityStore(identity, registrationId);
  }
}

class MapSessionStore extends L.SessionStore {
  readonly records = new Map<string, Bytes | L.SessionRecord>();
  /** Whether sessions are kept as bytes, as an application would. */
  stored = true;

  override saveSession(
    address: L.ProtocolAddress,
    record: L.SessionRecord,
  ): Promise<void> {
    const kept = this.stored ? record.serialize() : record;
    this.records.set(address.toString(), kept);
    return Promise.resolve();
  }

  override getSession(
    address: L.ProtocolAddress,
  ): Promise<L.SessionRecord | null> {
    const kept = this.records.get(address.toString()) ?? null;
    return Promise.resolve(
      kept instanceof Uint8Array ? L.SessionRecord.deserialize(kept) : kept,
    );
  }

  override async getExistingSessions(
    addresses: L.ProtocolAddress[],
  ): Promise<L.SessionRecord[]> {
    const records = await Promise.all(
      addresses.map((address) => this.getSession(address)),
    );
    return records.filter((record) => record !== null);
  }
}

/** Knows everyone by the key they had last. */
class MapIdentityStore extends L.IdentityKeyStore {
  readonly known = new Map<string, Bytes>();
  /** How often somebody known came with another key, and was accepted. */
  changes = 0;
  trustsNewKeys = true;

  constructor(
    readonly identity: L.PrivateKey,
    readonly registrationId: number,
  ) {
    super();
  }

  override getIdentityKey(): Promise<L.PrivateKey> {
    return Promise.resolve(this.identity);
  }

  override getLocalRegistrationId(): Promise<number> {
    return Promise.resolve(this.registrationId);
  }

  override saveIdentity(
    address: L.ProtocolAddress,
    key: L.PublicKey,
  ): Promise<L.IdentityChange> {
    const changed = this.#isChange(address, key);
    this.known.set(address.toString(), key.serialize());
    if (changed) this.changes++;
    return Promise.resolve(
      changed
        ? L.IdentityChange.ReplacedExisting
        : L.IdentityChange.NewOrUnchanged,
    );
  }

  override isTrustedIdentity(
    address: L.ProtocolAddress,
    key: L.PublicKey,
  ): Promise<boolean> {
    return Promise.resolve(this.trustsNewKeys || !this.#isChange(address, key));
  }

  override getIdentity(
    address: L.ProtocolAddress,
  ): Promise<L.PublicKey | null> {
    const known = this.known.get(address.toString());
    return Promise.resolve(known ? L.PublicKey.deserialize(known) : null);
  }

  #isChange(address: L.ProtocolAddress, key: L.PublicKey): boolean {
    const known = this.known.get(address.toString());
    return known !== undefined && !L.PublicKey.deserialize(known).equals(key);
  }
}

// The look-ups are async, so that a missing one rejects instead of throwing through the native frame.

class MapPreKeyStore extends L.PreKeyStore {
  readonly records: Records = new Map();

  override savePreKey(id: number, record: L.PreKeyRecord): Promise<void> {
    this.records.set(id, record.serialize());
    return Promise.resolve();
  }

  // deno-lint-ignore require-await
  override async getPreKey(id: number): Promise<L.PreKeyRecord> {
    return L.PreKeyRecord.deserialize(lookUp(this.records, id));
  }

  override removePreKey(id: number): Promise<void> {
    this.records.delete(id);
    return Promise.resolve();
  }
}

class MapSignedPreKeyStore extends L.SignedPreKeyStore {
  readonly records: Records = new Map();

  override saveSignedPreKey(
    id: number,
    record: L.SignedPreKeyRecord,
  ): Promise<void> {
    this.records.set(id, record.serialize());
    return Promise.resolve();
  }

  // deno-lint-ignore require-await
  override async getSignedPreKey(id: number): Promise<L.SignedPreKeyRecord> {
    return L.SignedPreKeyRecord.deserialize(lookUp(this.records, id));
  }
}

/** Every key is a last-resort one: it answers any number of times, but not the same first message twice. */
class MapKyberPreKeyStore extends L.KyberPreKeyStore {
  readonly records: Records = new Map();
  readonly #answered = new Set<string>();

  override saveKyberPreKey(
    id: number,
    record: L.KyberPreKeyRecord,
  ): Promise<void> {
    this.records.set(id, record.serialize());
    return Promise.resolve();
  }

  // deno-lint-ignore require-await
  override async getKyberPreKey(id: number): Promise<L.KyberPreKeyRecord> {
    return L.KyberPreKeyRecord.deserialize(lookUp(this.records, id));
  }

  // deno-lint-ignore require-await
  override async markKyberPreKeyUsed(
    kyberId: number,
    signedId: number,
    baseKey: L.PublicKey,
  ): Promise<void> {
    const use = `${kyberId} ${signedId} ${owned(baseKey.serialize()).toHex()}`;
    if (this.#answered.has(use)) throw new Error("repeated first message");
    this.#answered.add(use);
  }
}

function lookUp(records: Records, id: number): Bytes {
  const bytes = records.get(id);
  if (bytes === undefined) throw new Error(`unknown prekey ${id}`);
  return bytes;
}
