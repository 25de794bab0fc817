import * as L from "@signalapp/libsignal-client";
import {
  type Address,
  type CiphertextMessage,
  type PreKeyBundle,
  WHISPER,
} from "../mod.ts";
import { LibsignalStores } from "./libsignal_stores.ts";
import { owned } from "./owned.ts";
import { type Party, randomAddress, START } from "./party.ts";

/** The official library, native. Its records go through their stored form, as they would in an application. */
export class LibsignalParty implements Party {
  readonly registrationId = 1 + Math.floor(Math.random() * 16380);
  readonly stores: LibsignalStores;
  #now = START;
  #nextId = 1;

  /** @param name another name than the address says, for tests of address binding */
  constructor(
    readonly address: Address = randomAddress(),
    readonly name = address.serviceId,
    readonly identity = L.PrivateKey.generate(),
  ) {
    this.stores = new LibsignalStores(this.identity, this.registrationId);
  }

  publish({ oneTime }: { oneTime: boolean }): Promise<PreKeyBundle> {
    const { identity, stores } = this;
    const signedId = this.#nextId++;
    const signed = L.PrivateKey.generate();
    const signedPublic = signed.getPublicKey();
    const signedSignature = identity.sign(signedPublic.serialize());
    stores.signedPreKeys.records.set(
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
    stores.kyberPreKeys.records.set(
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
    this.stores.preKeys.records.set(id, record.serialize());
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
      this.stores.sessions,
      this.stores.identities,
      new Date(this.#now),
    );
  }

  async send(peer: Address, plaintext: Uint8Array): Promise<CiphertextMessage> {
    const message = await L.signalEncrypt(
      owned(plaintext),
      protocolAddress(peer),
      this.#local(),
      this.stores.sessions,
      this.stores.identities,
      new Date(this.#now),
    );
    // One-to-one sessions yield these two types only.
    return { type: message.type() as 2 | 3, bytes: message.serialize() };
  }

  async receive(
    peer: Address,
    message: CiphertextMessage,
  ): Promise<Uint8Array> {
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } =
      this.stores;
    const bytes = owned(message.bytes);
    const from = protocolAddress(peer);
    if (message.type === WHISPER) {
      const parsed = L.SignalMessage.deserialize(bytes);
      return await L.signalDecrypt(
        parsed,
        from,
        this.#local(),
        sessions,
        identities,
      );
    }
    return await L.signalDecryptPreKey(
      L.PreKeySignalMessage.deserialize(bytes),
      from,
      this.#local(),
      sessions,
      identities,
      preKeys,
      signedPreKeys,
      kyberPreKeys,
    );
  }

  forget(peer: Address): void {
    this.stores.sessions.records.delete(protocolAddress(peer).toString());
  }

  dropPreKey(
    kind: "preKey" | "signedPreKey" | "kyberPreKey",
    id: number,
  ): void {
    this.stores[`${kind}s`].records.delete(id);
  }

  wait(milliseconds: number): void {
    this.#now += milliseconds;
  }

  get stored(): boolean {
    return this.stores.sessions.stored;
  }

  set stored(stored: boolean) {
    this.stores.sessions.stored = stored;
  }

  get trustsNewKeys(): boolean {
    return this.stores.identities.trustsNewKeys;
  }

  set trustsNewKeys(trusts: boolean) {
    this.stores.identities.trustsNewKeys = trusts;
  }

  get identityChanges(): number {
    return this.stores.identities.changes;
  }

  #local(): L.ProtocolAddress {
    return L.ProtocolAddress.new(this.name, this.address.deviceId);
  }
}

function protocolAddress({ serviceId, deviceId }: Address): L.ProtocolAddress {
  return L.ProtocolAddress.new(serviceId, deviceId);
}
