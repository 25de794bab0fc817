import * as L from "@signalapp/libsignal-client";
import {
  type Address,
  type CiphertextMessage,
  type PreKeyBundle,
  WHISPER,
} from "../mod.ts";
import { type Party, randomAddress } from "./party.ts";

/** The official library, native. Its records go through their stored form, as they would in an application. */
export class LibsignalParty implements Party {
  readonly identity = L.PrivateKey.generate();
  readonly registrationId = 1 + Math.floor(Math.random() * 16380);
  readonly stores: Stores;
  now = new Date(Date.UTC(2026, 10, 23));
  #nextId = 1;

  /** @param name another name than the address says, for tests of address binding */
  constructor(
    readonly address: Address = randomAddress(),
    readonly name = address.serviceId,
  ) {
    this.stores = new Stores(this.identity, this.registrationId);
  }

  publish({ oneTime }: { oneTime: boolean }): Promise<PreKeyBundle> {
    const { identity, stores } = this;
    const signedId = this.#nextId++;
    const signed = L.PrivateKey.generate();
    const signedPublic = signed.getPublicKey();
    const signedSignature = identity.sign(signedPublic.serialize());
    stores.signedPreKeys.set(
      signedId,
      L.SignedPreKeyRecord.new(
        signedId,
        0,
        signedPublic,
        signed,
        signedSignature,
      ).serialize(),
    );
    const kyberId = this.#nextId++;
    const kyber = L.KEMKeyPair.generate();
    const kyberPublic = kyber.getPublicKey().serialize();
    const kyberSignature = identity.sign(kyberPublic);
    stores.kyberPreKeys.set(
      kyberId,
      L.KyberPreKeyRecord.new(kyberId, 0, kyber, kyberSignature).serialize(),
    );
    return Promise.resolve({
      registrationId: this.registrationId,
      deviceId: this.address.deviceId,
      identityKey: identity.getPublicKey().serialize(),
      signedPreKey: {
        id: signedId,
        publicKey: signedPublic.serialize(),
        signature: signedSignature,
      },
      kyberPreKey: {
        id: kyberId,
        publicKey: kyberPublic,
        signature: kyberSignature,
      },
      preKey: oneTime ? this.#oneTimePreKey() : undefined,
    });
  }

  #oneTimePreKey(): { id: number; publicKey: Uint8Array } {
    const id = this.#nextId++;
    const key = L.PrivateKey.generate();
    const record = L.PreKeyRecord.new(id, key.getPublicKey(), key);
    this.stores.preKeys.set(id, record.serialize());
    return { id, publicKey: key.getPublicKey().serialize() };
  }

  async begin(peer: Address, bundle: PreKeyBundle): Promise<void> {
    const { signedPreKey, kyberPreKey, preKey } = bundle;
    await L.processPreKeyBundle(
      L.PreKeyBundle.new(
        bundle.registrationId,
        bundle.deviceId,
        preKey?.id ?? null,
        preKey ? L.PublicKey.deserialize(owned(preKey.publicKey)) : null,
        signedPreKey.id,
        L.PublicKey.deserialize(owned(signedPreKey.publicKey)),
        owned(signedPreKey.signature),
        L.PublicKey.deserialize(owned(bundle.identityKey)),
        kyberPreKey.id,
        L.KEMPublicKey.deserialize(owned(kyberPreKey.publicKey)),
        owned(kyberPreKey.signature),
      ),
      protocolAddress(peer),
      this.#local(),
      this.stores.sessionStore,
      this.stores.identityStore,
      this.now,
    );
  }

  async send(peer: Address, plaintext: Uint8Array): Promise<CiphertextMessage> {
    const message = await L.signalEncrypt(
      owned(plaintext),
      protocolAddress(peer),
      this.#local(),
      this.stores.sessionStore,
      this.stores.identityStore,
      this.now,
    );
    // One-to-one sessions yield these two types only.
    return { type: message.type() as 2 | 3, bytes: message.serialize() };
  }

  async receive(
    peer: Address,
    message: CiphertextMessage,
  ): Promise<Uint8Array> {
    const {
      sessionStore,
      identityStore,
      preKeyStore,
      signedPreKeyStore,
      kyberPreKeyStore,
    } = this.stores;
    const bytes = owned(message.bytes);
    const from = protocolAddress(peer);
    if (message.type === WHISPER) {
      const parsed = L.SignalMessage.deserialize(bytes);
      return await L.signalDecrypt(
        parsed,
        from,
        this.#local(),
        sessionStore,
        identityStore,
      );
    }
    return await L.signalDecryptPreKey(
      L.PreKeySignalMessage.deserialize(bytes),
      from,
      this.#local(),
      sessionStore,
      identityStore,
      preKeyStore,
      signedPreKeyStore,
      kyberPreKeyStore,
    );
  }

  #local(): L.ProtocolAddress {
    return L.ProtocolAddress.new(this.name, this.address.deviceId);
  }
}

function protocolAddress({ serviceId, deviceId }: Address): L.ProtocolAddress {
  return L.ProtocolAddress.new(serviceId, deviceId);
}

/** libsignal's types ask for bytes of their own, not a view of possibly shared memory. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

type Records = Map<number, Uint8Array<ArrayBuffer>>;

/** libsignal's stores over maps of serialised records. */
class Stores {
  readonly sessions = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly preKeys: Records = new Map();
  readonly signedPreKeys: Records = new Map();
  readonly kyberPreKeys: Records = new Map();
  readonly sessionStore: L.SessionStore;
  readonly identityStore: L.IdentityKeyStore;
  readonly preKeyStore: L.PreKeyStore;
  readonly signedPreKeyStore: L.SignedPreKeyStore;
  readonly kyberPreKeyStore: L.KyberPreKeyStore;

  constructor(identity: L.PrivateKey, registrationId: number) {
    this.sessionStore = new MapSessionStore(this.sessions);
    this.identityStore = new TrustingIdentityStore(identity, registrationId);
    this.preKeyStore = new MapPreKeyStore(this.preKeys);
    this.signedPreKeyStore = new MapSignedPreKeyStore(this.signedPreKeys);
    this.kyberPreKeyStore = new MapKyberPreKeyStore(this.kyberPreKeys);
  }
}

class MapSessionStore extends L.SessionStore {
  constructor(readonly records: Map<string, Uint8Array<ArrayBuffer>>) {
    super();
  }
  override saveSession(
    address: L.ProtocolAddress,
    record: L.SessionRecord,
  ): Promise<void> {
    this.records.set(address.toString(), record.serialize());
    return Promise.resolve();
  }
  override getSession(
    address: L.ProtocolAddress,
  ): Promise<L.SessionRecord | null> {
    const bytes = this.records.get(address.toString());
    return Promise.resolve(bytes ? L.SessionRecord.deserialize(bytes) : null);
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

/** Trusts every identity: whom to trust is not this layer's question. */
class TrustingIdentityStore extends L.IdentityKeyStore {
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
  override saveIdentity(): Promise<L.IdentityChange> {
    return Promise.resolve(L.IdentityChange.NewOrUnchanged);
  }
  override isTrustedIdentity(): Promise<boolean> {
    return Promise.resolve(true);
  }
  override getIdentity(): Promise<L.PublicKey | null> {
    return Promise.resolve(null);
  }
}

function lookUp(records: Records, id: number): Uint8Array<ArrayBuffer> {
  const bytes = records.get(id);
  if (bytes === undefined) throw new Error(`no prekey ${id}`);
  return bytes;
}

class MapPreKeyStore extends L.PreKeyStore {
  constructor(readonly records: Records) {
    super();
  }
  override savePreKey(id: number, record: L.PreKeyRecord): Promise<void> {
    this.records.set(id, record.serialize());
    return Promise.resolve();
  }
  // Async, so that a missing one rejects instead of throwing through the native frame.
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
  constructor(readonly records: Records) {
    super();
  }
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

class MapKyberPreKeyStore extends L.KyberPreKeyStore {
  constructor(readonly records: Records) {
    super();
  }
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
  override markKyberPreKeyUsed(): Promise<void> {
    return Promise.resolve(); // they all answer any number of times here
  }
}
