import {
  type Address,
  type CiphertextMessage,
  decrypt,
  encrypt,
  generateKeyPair,
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  IdentityChangedError,
  initiateSession,
  type KeyPair,
  type KyberPreKey,
  type LocalDevice,
  parseSession,
  type PreKey,
  type PreKeyBundle,
  type PreKeySource,
  serializeSession,
  type Session,
  type SignedPreKey,
  type UsedPreKeys,
} from "../mod.ts";
import { type Party, randomAddress, START } from "./party.ts";

/** Our implementation. By default every step goes through the stored form of a session. */
export class OurParty implements Party {
  readonly #preKeys = new Map<number, PreKey>();
  readonly #signedPreKeys = new Map<number, SignedPreKey>();
  readonly #kyberPreKeys = new Map<number, KyberPreKey>();
  readonly #sessions = new Map<string, Uint8Array | Session>();
  readonly #identities = new Map<string, Uint8Array>();
  readonly #answered = new Set<string>();
  /** What every received first message used, in order. */
  readonly used: UsedPreKeys[] = [];
  now = START;
  stored = true;
  trustsNewKeys = true;
  identityChanges = 0;
  #nextId = 1;

  private constructor(readonly local: LocalDevice) {}

  static async create(
    address = randomAddress(),
    identity?: KeyPair,
  ): Promise<OurParty> {
    const registrationId = 1 + Math.floor(Math.random() * 16380);
    identity ??= await generateKeyPair();
    return new OurParty({ identity, registrationId, address });
  }

  get address(): Address {
    return this.local.address;
  }

  readonly preKeys: PreKeySource = {
    preKey: (id) => Promise.resolve(this.#preKeys.get(id)),
    signedPreKey: (id) => Promise.resolve(this.#signedPreKeys.get(id)),
    kyberPreKey: (id) => Promise.resolve(this.#kyberPreKeys.get(id)),
  };

  async publish({ oneTime }: { oneTime: boolean }): Promise<PreKeyBundle> {
    const { identity, registrationId, address } = this.local;
    const signed = await generateSignedPreKey(this.#nextId++, identity);
    const kyber = await generateKyberPreKey(this.#nextId++, identity);
    keepNewest(this.#signedPreKeys, signed);
    keepNewest(this.#kyberPreKeys, kyber);
    const preKey = oneTime ? await generatePreKey(this.#nextId++) : undefined;
    if (preKey) keepNewest(this.#preKeys, preKey);
    return {
      registrationId,
      deviceId: address.deviceId,
      identityKey: identity.publicKey,
      signedPreKey: {
        id: signed.id,
        publicKey: signed.keyPair.publicKey,
        signature: signed.signature,
      },
      kyberPreKey: {
        id: kyber.id,
        publicKey: kyber.publicKey,
        signature: kyber.signature,
      },
      preKey: preKey && { id: preKey.id, publicKey: preKey.keyPair.publicKey },
    };
  }

  async begin(remote: Address, bundle: PreKeyBundle): Promise<void> {
    const { local, now } = this;
    const session = this.session(remote);
    const begun = await this.#meet(
      remote,
      (identityKey) =>
        initiateSession({ local, remote, bundle, session, identityKey, now }),
    );
    this.#identities.set(name(remote), bundle.identityKey);
    this.keep(remote, begun);
  }

  async send(
    remote: Address,
    plaintext: Uint8Array,
  ): Promise<CiphertextMessage> {
    const { local, now } = this;
    const session = this.session(remote);
    if (session === undefined) throw new Error("no session");
    const sent = await encrypt({ local, remote, session, plaintext, now });
    this.keep(remote, sent.session);
    return sent.message;
  }

  async receive(
    remote: Address,
    message: CiphertextMessage,
  ): Promise<Uint8Array> {
    const { local, preKeys } = this;
    const session = this.session(remote);
    const received = await this.#meet(
      remote,
      (identityKey) =>
        decrypt({ local, remote, session, identityKey, message, preKeys }),
    );
    this.#identities.set(name(remote), received.identityKey);
    if (received.used) this.#use(received.used);
    this.keep(remote, received.session);
    return received.plaintext;
  }

  /** Every Kyber prekey is a last-resort one: it does not answer the same first message twice. */
  #use(used: UsedPreKeys): void {
    const { preKeyId, signedPreKeyId, kyberPreKeyId, baseKey } = used;
    const use = `${kyberPreKeyId} ${signedPreKeyId} ${baseKey.toHex()}`;
    if (this.#answered.has(use)) throw new Error("repeated first message");
    this.#answered.add(use);
    if (preKeyId !== undefined) this.#preKeys.delete(preKeyId);
    this.used.push(used);
  }

  /** Runs `call` with the identity key known of `remote`, and once more with a new one that is trusted. */
  async #meet<T>(
    remote: Address,
    call: (identityKey: Uint8Array | undefined) => Promise<T>,
  ): Promise<T> {
    try {
      return await call(this.#identities.get(name(remote)));
    } catch (error) {
      if (!(error instanceof IdentityChangedError) || !this.trustsNewKeys) {
        throw error;
      }
      const result = await call(error.identityKey);
      this.#identities.set(name(remote), error.identityKey);
      this.identityChanges++;
      return result;
    }
  }

  forget(remote: Address): void {
    this.#sessions.delete(name(remote));
  }

  dropPreKey(
    kind: "preKey" | "signedPreKey" | "kyberPreKey",
    id: number,
  ): void {
    const keys = {
      preKey: this.#preKeys,
      signedPreKey: this.#signedPreKeys,
      kyberPreKey: this.#kyberPreKeys,
    };
    keys[kind].delete(id);
  }

  wait(milliseconds: number): void {
    this.now += milliseconds;
  }

  session(remote: Address): Session | undefined {
    const kept = this.#sessions.get(name(remote));
    return kept instanceof Uint8Array ? parseSession(kept) : kept;
  }

  keep(remote: Address, session: Session): void {
    this.#sessions.set(
      name(remote),
      this.stored ? serializeSession(session) : session,
    );
  }
}

/** Nobody uses a prekey that old. */
const MAX_PREKEYS = 100;

function keepNewest<T extends { readonly id: number }>(
  keys: Map<number, T>,
  key: T,
): void {
  keys.set(key.id, key);
  if (keys.size > MAX_PREKEYS) keys.delete(keys.keys().next().value!);
}

function name({ serviceId, deviceId }: Address): string {
  return `${serviceId}.${deviceId}`;
}
