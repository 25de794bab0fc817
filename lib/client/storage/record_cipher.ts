/**
 * How one record lies on disk: under a blinded key, sealed, its length rounded up.
 *
 * key    = HMAC(blind key, table ‖ id), 16 bytes
 * value  = schema u16 ‖ nonce 24 ‖ XChaCha20-Poly1305(seal key, plaintext)
 * AD     = "whisper record" ‖ key ‖ schema
 * plaintext = table length u8 ‖ table ‖ id length u8 ‖ id ‖ value length u32 ‖ value ‖ zeros to a multiple of 128
 *
 * Table and id are repeated inside, because a key can't be turned back into
 * them and a migration or a change of the vault key has to.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { DamagedError } from "./errors.ts";

export interface VaultRecord {
  readonly table: string;
  readonly id: Uint8Array;
  readonly value: Uint8Array;
}

export interface OpenedRecord extends VaultRecord {
  /** The schema it was written under. */
  readonly schema: number;
}

export const BLINDED_KEY_LENGTH = 16;
const NONCE_LENGTH = 24;
const PADDING_STEP = 128;
const RECORD_LABEL = utf8ToBytes("whisper record");
/** Under what a cipher's keys are sealed; no record lies there. */
const FORMER = {
  key: utf8ToBytes("whisper vault former keys"),
  schema: 0,
  record: { table: "former keys", id: new Uint8Array() },
} as const;

export class RecordCipher {
  readonly #blindKey: Uint8Array;
  readonly #sealKey: Uint8Array;

  private constructor(blindKey: Uint8Array, sealKey: Uint8Array) {
    this.#blindKey = blindKey;
    this.#sealKey = sealKey;
  }

  /** `vaultKey`: 32 bytes. */
  static of(vaultKey: Uint8Array): RecordCipher {
    return new RecordCipher(
      hmac(sha256, vaultKey, utf8ToBytes("whisper vault blind v1")),
      hmac(sha256, vaultKey, utf8ToBytes("whisper vault seal v1")),
    );
  }

  /** This cipher's keys, for who has `newer`: records move from one to the other. */
  keysFor(newer: RecordCipher): Uint8Array {
    const keys = concatBytes(this.#blindKey, this.#sealKey);
    try {
      return newer.seal(FORMER.key, FORMER.schema, {
        ...FORMER.record,
        value: keys,
      });
    } finally {
      keys.fill(0);
    }
  }

  /** The cipher whose keys `keysFor` gave for this one. @throws {DamagedError} */
  former(keys: Uint8Array): RecordCipher {
    const { value } = this.open(FORMER.key, keys);
    return new RecordCipher(value.slice(0, 32), value.slice(32));
  }

  blind(table: string, id: Uint8Array): Uint8Array {
    return hmac(sha256, this.#blindKey, prefix(table, id)).slice(
      0,
      BLINDED_KEY_LENGTH,
    );
  }

  seal(key: Uint8Array, schema: number, record: VaultRecord): Uint8Array {
    const head = prefix(record.table, record.id);
    const length = head.length + 4 + record.value.length;
    const plaintext = new Uint8Array(
      Math.ceil(length / PADDING_STEP) * PADDING_STEP,
    );
    plaintext.set(head);
    new DataView(plaintext.buffer).setUint32(head.length, record.value.length);
    plaintext.set(record.value, head.length + 4);
    const version = u16(schema);
    const nonce = randomBytes(NONCE_LENGTH);
    const box = xchacha20poly1305(
      this.#sealKey,
      nonce,
      concatBytes(RECORD_LABEL, key, version),
    );
    return concatBytes(version, nonce, box.encrypt(plaintext));
  }

  /** @throws {DamagedError} when the bytes are not what `seal` made for this key. */
  open(key: Uint8Array, sealed: Uint8Array): OpenedRecord {
    const version = sealed.subarray(0, 2);
    const nonce = sealed.subarray(2, 2 + NONCE_LENGTH);
    if (nonce.length !== NONCE_LENGTH) {
      throw new DamagedError("a record is cut off");
    }
    let plaintext: Uint8Array;
    try {
      plaintext = xchacha20poly1305(
        this.#sealKey,
        nonce,
        concatBytes(RECORD_LABEL, key, version),
      )
        .decrypt(sealed.subarray(2 + NONCE_LENGTH));
    } catch (cause) {
      throw new DamagedError("a record does not open", { cause });
    }
    return {
      schema: version[0] << 8 | version[1],
      ...readPlaintext(plaintext),
    };
  }

  /** Overwrites the keys; the cipher can't be used afterwards. */
  erase(): void {
    this.#blindKey.fill(0);
    this.#sealKey.fill(0);
  }
}

/** The schema a sealed record was written under, readable (not yet trusted) without the key. */
export function schemaOf(sealed: Uint8Array): number {
  return sealed.length < 2 ? 0 : sealed[0] << 8 | sealed[1];
}

function prefix(table: string, id: Uint8Array): Uint8Array {
  const name = utf8ToBytes(table);
  if (name.length < 1 || name.length > 63) {
    throw new RangeError("a table's name has 1 to 63 bytes");
  }
  if (id.length > 255) {
    throw new RangeError("a record's id has at most 255 bytes");
  }
  return concatBytes(
    Uint8Array.of(name.length),
    name,
    Uint8Array.of(id.length),
    id,
  );
}

/** Authenticated, so it can only be malformed if this file is wrong: plain reads suffice. */
function readPlaintext(plaintext: Uint8Array): VaultRecord {
  const nameEnd = 1 + plaintext[0];
  const idEnd = nameEnd + 1 + plaintext[nameEnd];
  const view = new DataView(plaintext.buffer, plaintext.byteOffset);
  const valueStart = idEnd + 4;
  return {
    table: new TextDecoder().decode(plaintext.subarray(1, nameEnd)),
    id: plaintext.slice(nameEnd + 1, idEnd),
    value: plaintext.slice(valueStart, valueStart + view.getUint32(idEnd)),
  };
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
