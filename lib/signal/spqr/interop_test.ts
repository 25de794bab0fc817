/**
 * Against official libsignal, which shows its ratchet through whole sessions
 * only: a Double Ratchet just large enough to carry ours is the other end.
 * libsignal also accepts a peer that never ratchets, so what counts is the
 * epoch in libsignal's own messages.
 */
import * as libsignal from "@signalapp/libsignal-client";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { PbfReader, PbfWriter } from "pbf";
import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { authenticate, derive, label } from "./kdf.ts";
import {
  initialState,
  parse,
  receive,
  type Role,
  send,
  serialize,
  type SpqrState,
} from "./mod.ts";

const OURS = "11111111-1111-4111-8111-111111111111";
const THEIRS = "22222222-2222-4222-8222-222222222222";
const here = libsignal.ProtocolAddress.new(OURS, 1);
const there = libsignal.ProtocolAddress.new(THEIRS, 1);
const SEED = Uint8Array.of(1);
const NEXT = Uint8Array.of(2);

type SendingChain = {
  ratchet: libsignal.PrivateKey;
  chain: Uint8Array;
  counter: number;
};
type ReceivingChain = {
  chain: Uint8Array;
  counter: number;
  seeds: Map<number, Uint8Array>;
};

/** The least of a Signal session: no limits, no errors, nothing archived. */
class Driver {
  readonly receiving = new Map<string, ReceivingChain>();
  spqr: SpqrState;
  /** The epoch in the last message that libsignal made. */
  theirEpoch = 0;

  constructor(
    readonly identity: libsignal.PrivateKey,
    readonly peer: libsignal.PublicKey,
    public root: Uint8Array,
    public sending: SendingChain,
    pqr: Uint8Array,
    role: Role,
  ) {
    this.spqr = initialState(pqr, role);
  }

  encrypt(text: string): Uint8Array {
    const { state, message, key } = send(this.spqr, random);
    // Through storage every time: what a device keeps must be all there is.
    this.spqr = parse(serialize(state));
    const { ratchet, chain, counter } = this.sending;
    const keys = messageKeys(authenticate(chain, SEED), key);
    this.sending = {
      ratchet,
      chain: authenticate(chain, NEXT),
      counter: counter + 1,
    };
    const cipher = createCipheriv("aes-256-cbc", keys.cipher, keys.iv);
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return libsignal.SignalMessage._new(
      4,
      own(keys.mac),
      ratchet.getPublicKey(),
      counter,
      0,
      own(body),
      this.identity.getPublicKey(),
      this.peer,
      own(message),
    ).serialize();
  }

  decrypt(bytes: Uint8Array): string {
    const fields = fieldsOf(bytes.subarray(1, -8));
    const ratchetKey = bytesOf(fields, 1);
    const counter = Number(fields.get(2));
    this.theirEpoch = varintAt(bytesOf(fields, 5), 1);
    const chain = this.#receivingChain(ratchetKey);
    for (; chain.counter <= counter; chain.counter++) {
      chain.seeds.set(chain.counter, authenticate(chain.chain, SEED));
      chain.chain = authenticate(chain.chain, NEXT);
    }
    const seed = chain.seeds.get(counter);
    assert.ok(seed, "the driver is given each message once");
    chain.seeds.delete(counter);
    const { state, key } = receive(this.spqr, bytesOf(fields, 5));
    const keys = messageKeys(seed, key);
    const mac = authenticate(
      keys.mac,
      this.peer.serialize(),
      this.identity.getPublicKey().serialize(),
      bytes.subarray(0, -8),
    );
    assert.deepEqual(mac.slice(0, 8), new Uint8Array(bytes.subarray(-8)));
    this.spqr = parse(serialize(state));
    const decipher = createDecipheriv("aes-256-cbc", keys.cipher, keys.iv);
    return decipher.update(bytesOf(fields, 4), undefined, "utf8") +
      decipher.final("utf8");
  }

  #receivingChain(ratchetKey: Uint8Array): ReceivingChain {
    const name = Buffer.from(ratchetKey).toString("hex");
    const known = this.receiving.get(name);
    if (known) return known;
    const theirs = libsignal.PublicKey.deserialize(own(ratchetKey));
    const first = rootStep(this.root, this.sending.ratchet.agree(theirs));
    const chain = {
      chain: first.chain,
      counter: 0,
      seeds: new Map<number, Uint8Array>(),
    };
    this.receiving.set(name, chain);
    const ratchet = libsignal.PrivateKey.generate();
    const second = rootStep(first.root, ratchet.agree(theirs));
    this.root = second.root;
    this.sending = { ratchet, chain: second.chain, counter: 0 };
    return chain;
  }
}

for (const role of ["A2B", "B2A"] as const) {
  const name = role === "A2B" ? "initiator" : "responder";
  Deno.test(`as ${name}, libsignal advances through 12 epochs, messages lost and late`, async () => {
    const peer = new Peer();
    const driver = role === "A2B" ? await initiate(peer) : await respond(peer);
    const chance = dice(role === "A2B" ? 1 : 2);
    const late: (() => Promise<void>)[] = [];
    let count = 0, round = 0;
    const deliver = async (arrive: () => Promise<void>) => {
      const fate = chance();
      if (fate < 0.05) return;
      if (fate < 0.15) late.push(arrive);
      else await arrive();
    };
    while (driver.theirEpoch < 12) {
      for (let burst = chance() * 4; burst > 1; burst--) {
        const text = `to libsignal ${count++}`;
        const message = driver.encrypt(text);
        await deliver(async () =>
          assert.equal(await peer.decrypt(message), text)
        );
      }
      for (let burst = chance() * 4; burst > 1; burst--) {
        const text = `from libsignal ${count++}`;
        const message = await peer.encrypt(text);
        await deliver(() =>
          Promise.resolve(assert.equal(driver.decrypt(message), text))
        );
      }
      // libsignal forgets a chain five ratchet steps back, so none may be later than that.
      if (++round % 3 === 0) {
        for (const arrive of late.splice(0)) await arrive();
      }
      assert.ok(
        count < 5_000,
        `epoch ${driver.theirEpoch} after ${count} messages`,
      );
    }
  });
}

/** libsignal's side, with its stores in memory. */
class Peer {
  readonly identity = libsignal.IdentityKeyPair.generate();
  readonly sessions = new Sessions();
  readonly identities = new Identities(this.identity.privateKey);
  readonly signedPreKeys = new SignedPreKeys();
  readonly kyberPreKeys = new KyberPreKeys();

  async encrypt(text: string): Promise<Uint8Array> {
    const message = await this.encryptAny(text);
    assert.equal(message.type(), libsignal.CiphertextMessageType.Whisper);
    return message.serialize();
  }

  encryptAny(text: string): Promise<libsignal.CiphertextMessage> {
    const bytes = own(label(text));
    return libsignal.signalEncrypt(
      bytes,
      here,
      there,
      this.sessions,
      this.identities,
    );
  }

  async decrypt(bytes: Uint8Array): Promise<string> {
    const message = libsignal.SignalMessage.deserialize(own(bytes));
    return new TextDecoder().decode(
      await libsignal.signalDecrypt(
        message,
        here,
        there,
        this.sessions,
        this.identities,
      ),
    );
  }

  async decryptPreKey(bytes: Uint8Array): Promise<string> {
    return new TextDecoder().decode(
      await libsignal.signalDecryptPreKey(
        libsignal.PreKeySignalMessage.deserialize(own(bytes)),
        here,
        there,
        this.sessions,
        this.identities,
        new NoPreKeys(),
        this.signedPreKeys,
        this.kyberPreKeys,
      ),
    );
  }
}

async function initiate(peer: Peer): Promise<Driver> {
  const signedPreKey = libsignal.PrivateKey.generate();
  const spk = signedPreKey.getPublicKey();
  const kyber = libsignal.KEMKeyPair.generate();
  const sign = (bytes: Uint8Array) => peer.identity.privateKey.sign(own(bytes));
  await peer.signedPreKeys.saveSignedPreKey(
    1,
    libsignal.SignedPreKeyRecord.new(
      1,
      0,
      spk,
      signedPreKey,
      sign(spk.serialize()),
    ),
  );
  const kyberPublic = kyber.getPublicKey().serialize();
  await peer.kyberPreKeys.saveKyberPreKey(
    1,
    libsignal.KyberPreKeyRecord.new(1, 0, kyber, sign(kyberPublic)),
  );

  const identity = libsignal.PrivateKey.generate();
  const base = libsignal.PrivateKey.generate();
  const { cipherText, sharedSecret } = ml_kem1024.encapsulate(
    kyberPublic.subarray(1),
  );
  const { root, chain, pqr } = handshake(
    identity.agree(spk),
    base.agree(peer.identity.publicKey),
    base.agree(spk),
    kyberSecret(sharedSecret, cipherText),
  );
  const ratchet = libsignal.PrivateKey.generate();
  const step = rootStep(root, ratchet.agree(spk));
  const sending = { ratchet, chain: step.chain, counter: 0 };
  const driver = new Driver(
    identity,
    peer.identity.publicKey,
    step.root,
    sending,
    pqr,
    "A2B",
  );
  const first = { chain, counter: 0, seeds: new Map<number, Uint8Array>() };
  driver.receiving.set(Buffer.from(spk.serialize()).toString("hex"), first);

  const writer = new PbfWriter();
  writer.writeBytesField(2, base.getPublicKey().serialize());
  writer.writeBytesField(3, identity.getPublicKey().serialize());
  writer.writeBytesField(4, driver.encrypt("hello"));
  writer.writeVarintField(5, 77);
  writer.writeVarintField(6, 1);
  writer.writeVarintField(7, 1);
  writer.writeBytesField(8, Buffer.concat([Uint8Array.of(8), cipherText]));
  const message = Buffer.concat([Uint8Array.of(0x44), writer.finish()]);
  assert.equal(await peer.decryptPreKey(message), "hello");
  return driver;
}

async function respond(peer: Peer): Promise<Driver> {
  const identity = libsignal.PrivateKey.generate();
  const signedPreKey = libsignal.PrivateKey.generate();
  const spk = signedPreKey.getPublicKey();
  const kyber = ml_kem1024.keygen();
  const kyberPublic = Buffer.concat([Uint8Array.of(8), kyber.publicKey]);
  const bundle = libsignal.PreKeyBundle.new(
    77,
    1,
    null,
    null,
    1,
    spk,
    identity.sign(spk.serialize()),
    identity.getPublicKey(),
    1,
    libsignal.KEMPublicKey.deserialize(own(kyberPublic)),
    identity.sign(own(kyberPublic)),
  );
  await libsignal.processPreKeyBundle(
    bundle,
    here,
    there,
    peer.sessions,
    peer.identities,
  );
  const wrapped = fieldsOf(
    (await peer.encryptAny("hello")).serialize().subarray(1),
  );
  const base = libsignal.PublicKey.deserialize(own(bytesOf(wrapped, 2)));
  const cipherText = bytesOf(wrapped, 8).subarray(1);
  const { root, chain, pqr } = handshake(
    signedPreKey.agree(peer.identity.publicKey),
    identity.agree(base),
    signedPreKey.agree(base),
    kyberSecret(
      ml_kem1024.decapsulate(cipherText, kyber.secretKey),
      cipherText,
    ),
  );
  const sending = { ratchet: signedPreKey, chain, counter: 0 };
  const driver = new Driver(
    identity,
    peer.identity.publicKey,
    root,
    sending,
    pqr,
    "B2A",
  );
  assert.equal(driver.decrypt(bytesOf(wrapped, 4)), "hello");
  assert.equal(await peer.decrypt(driver.encrypt("answer")), "answer");
  return driver;
}

function handshake(...secrets: Uint8Array[]) {
  const input = Buffer.concat([new Uint8Array(32).fill(0xff), ...secrets]);
  const info = label("WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024");
  const okm = derive(input, info, 96);
  return {
    root: okm.slice(0, 32),
    chain: okm.slice(32, 64),
    pqr: okm.slice(64),
  };
}

function rootStep(root: Uint8Array, secret: Uint8Array) {
  const okm = derive(secret, label("WhisperRatchet"), 64, root);
  return { root: okm.slice(0, 32), chain: okm.slice(32) };
}

function messageKeys(seed: Uint8Array, salt: Uint8Array) {
  const okm = derive(seed, label("WhisperMessageKeys"), 80, salt);
  return {
    cipher: okm.slice(0, 32),
    mac: okm.slice(32, 64),
    iv: okm.slice(64),
  };
}

function kyberSecret(shared: Uint8Array, cipherText: Uint8Array): Uint8Array {
  return shake256(Buffer.concat([shared, sha3_256(cipherText)]), { dkLen: 32 });
}

function fieldsOf(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const reader = new PbfReader(new Uint8Array(bytes));
  const fields = new Map<number, number | Uint8Array>();
  for (
    let field = reader.nextField();
    field !== 0;
    field = reader.nextField()
  ) {
    fields.set(
      field,
      reader.type === 0 ? reader.readVarint() : reader.readBytes(),
    );
  }
  return fields;
}

function bytesOf(
  fields: Map<number, number | Uint8Array>,
  field: number,
): Uint8Array {
  const value = fields.get(field);
  assert.ok(value instanceof Uint8Array, `field ${field}`);
  return value;
}

function varintAt(bytes: Uint8Array, at: number): number {
  const reader = new PbfReader(bytes.subarray(at));
  return reader.readVarint();
}

/** libsignal's types ask for memory that is not shared. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Numbers in 0..1, the same in every run (mulberry32). */
function dice(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let x = Math.imul(seed ^ seed >>> 15, 1 | seed);
    x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x;
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32;
  };
}

class Sessions extends libsignal.SessionStore {
  readonly #records = new Map<string, libsignal.SessionRecord>();

  saveSession(
    name: libsignal.ProtocolAddress,
    record: libsignal.SessionRecord,
  ) {
    this.#records.set(name.toString(), record);
    return Promise.resolve();
  }

  getSession(name: libsignal.ProtocolAddress) {
    return Promise.resolve(this.#records.get(name.toString()) ?? null);
  }

  getExistingSessions(): Promise<libsignal.SessionRecord[]> {
    return Promise.resolve([...this.#records.values()]);
  }
}

class Identities extends libsignal.IdentityKeyStore {
  constructor(readonly key: libsignal.PrivateKey) {
    super();
  }

  getIdentityKey() {
    return Promise.resolve(this.key);
  }

  getLocalRegistrationId() {
    return Promise.resolve(88);
  }

  saveIdentity() {
    return Promise.resolve(libsignal.IdentityChange.NewOrUnchanged);
  }

  isTrustedIdentity() {
    return Promise.resolve(true);
  }

  getIdentity() {
    return Promise.resolve(null);
  }
}

class NoPreKeys extends libsignal.PreKeyStore {
  savePreKey() {
    return Promise.resolve();
  }

  getPreKey() {
    return Promise.reject(new Error("the bundle names no one-time key"));
  }

  removePreKey() {
    return Promise.resolve();
  }
}

class SignedPreKeys extends libsignal.SignedPreKeyStore {
  #record?: libsignal.SignedPreKeyRecord;

  saveSignedPreKey(_id: number, record: libsignal.SignedPreKeyRecord) {
    this.#record = record;
    return Promise.resolve();
  }

  getSignedPreKey() {
    assert.ok(this.#record);
    return Promise.resolve(this.#record);
  }
}

class KyberPreKeys extends libsignal.KyberPreKeyStore {
  #record?: libsignal.KyberPreKeyRecord;

  saveKyberPreKey(_id: number, record: libsignal.KyberPreKeyRecord) {
    this.#record = record;
    return Promise.resolve();
  }

  getKyberPreKey() {
    assert.ok(this.#record);
    return Promise.resolve(this.#record);
  }

  markKyberPreKeyUsed() {
    return Promise.resolve();
  }
}
