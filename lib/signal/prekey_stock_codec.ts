import type { PbfWriter } from "pbf";
import { DIGEST_LENGTH, MAX_ANSWERED } from "./answered.ts";
import { SignalError } from "./errors.ts";
import { type Fields, readFields } from "./fields.ts";
import { KeptBuffer } from "./kept_buffer.ts";
import { MAX_PREKEY_ID } from "./prekey_ids.ts";
import {
  type GivenPair,
  MAX_GIVEN,
  type OneTimePair,
  type PreKeyStock,
  type StandingPair,
  STOCK,
} from "./prekey_stock.ts";

/*
 * version (1 byte) ‖ Stock { 1 next id, 2 Standing*, 3 ready: (id u24 ‖ EC private key 32 ‖ Kyber seed 64)*,
 *                           4 given: (signed prekey id u24 ‖ id u24 ‖ EC private key 32 ‖ Kyber seed 64)* }
 * Standing { 1 id, 2 private key, 3 public key, 4 signature, 5 Kyber seed, 6 made, 7 replaced?, 8 answered: 16* }
 * A full stock is 10 kB.
 */

const VERSION = 1;
const ID_LENGTH = 3;
const PAIR_LENGTH = ID_LENGTH + 32 + 64;

const buffer = new KeptBuffer(32_768);

/** The stock as bytes, secrets included: to be stored encrypted. */
export function serializePreKeyStock(stock: PreKeyStock): Uint8Array {
  const ready = packPairs(stock.ready, []);
  const given = packPairs(
    stock.given,
    stock.given.map(({ signedPreKeyId }) => signedPreKeyId),
  );
  try {
    return buffer.write((writer) => {
      writer.writeVarint(VERSION); // one byte
      writer.writeVarintField(1, stock.nextId);
      for (const pair of stock.standing) {
        writer.writeMessage(2, writeStanding, pair);
      }
      writer.writeBytesField(3, ready);
      writer.writeBytesField(4, given);
    });
  } finally {
    ready.fill(0);
    given.fill(0);
  }
}

/** The result shares no memory with `bytes`. @throws SignalError `version`, `malformed` */
export function parsePreKeyStock(bytes: Uint8Array): PreKeyStock {
  if (bytes[0] !== VERSION) throw new SignalError("version");
  const fields = readFields(new Uint8Array(bytes).subarray(1));
  const stock: PreKeyStock = {
    nextId: readId(fields, 1),
    standing: fields.all(2).map((field) => readStanding(readFields(field))),
    ready: unpack(fields.bytes(3), PAIR_LENGTH, STOCK).map(readPair),
    given: unpack(fields.bytes(4), ID_LENGTH + PAIR_LENGTH, MAX_GIVEN)
      .map((record): GivenPair => ({
        ...readPair(record.subarray(ID_LENGTH)),
        signedPreKeyId: readU24(record),
      })),
  };
  check(stock);
  return stock;
}

function check({ standing, ready, given }: PreKeyStock): void {
  const signedIds = standing.map(({ signed }) => signed.id);
  const ids = [...signedIds, ...[...ready, ...given].map(({ id }) => id)];
  const names = new Set(ids);
  if (
    standing.length === 0 || standing[0].replaced !== undefined ||
    standing.slice(1).some(({ replaced }) => replaced === undefined) ||
    names.has(0) || names.size !== ids.length ||
    !given.every(({ signedPreKeyId }) => signedIds.includes(signedPreKeyId))
  ) {
    throw new SignalError("malformed", "prekey stock");
  }
}

function writeStanding(pair: StandingPair, writer: PbfWriter): void {
  const { signed, seed, made, replaced, answered } = pair;
  writer.writeVarintField(1, signed.id);
  writer.writeBytesField(2, signed.keyPair.privateKey);
  writer.writeBytesField(3, signed.keyPair.publicKey);
  writer.writeBytesField(4, signed.signature);
  writer.writeBytesField(5, seed);
  writer.writeVarintField(6, made);
  if (replaced !== undefined) writer.writeVarintField(7, replaced);
  writer.writeBytesField(8, answered);
}

function readStanding(fields: Fields): StandingPair {
  const answered = fields.bytes(8);
  unpack(answered, DIGEST_LENGTH, MAX_ANSWERED);
  const replaced = fields.optionalNumber(7, Number.MAX_SAFE_INTEGER);
  return {
    signed: {
      id: readId(fields, 1),
      keyPair: {
        privateKey: fields.bytes(2, 32),
        publicKey: fields.bytes(3, 33),
      },
      signature: fields.bytes(4, 64),
    },
    seed: fields.bytes(5, 64),
    made: fields.number(6, Number.MAX_SAFE_INTEGER),
    ...(replaced !== undefined && { replaced }),
    answered,
  };
}

function readId(fields: Fields, tag: number): number {
  const id = fields.number(tag, MAX_PREKEY_ID);
  if (id === 0) throw new SignalError("malformed", `field ${tag}`);
  return id;
}

/** @param before an id to write before each pair, if any */
function packPairs(
  pairs: readonly OneTimePair[],
  before: readonly number[],
): Uint8Array {
  const lead = before.length > 0 ? ID_LENGTH : 0;
  const packed = new Uint8Array(pairs.length * (lead + PAIR_LENGTH));
  pairs.forEach(({ id, privateKey, seed }, i) => {
    const at = i * (lead + PAIR_LENGTH);
    if (lead > 0) packed.set(u24(before[i]), at);
    packed.set(u24(id), at + lead);
    packed.set(privateKey, at + lead + ID_LENGTH);
    packed.set(seed, at + lead + ID_LENGTH + 32);
  });
  return packed;
}

function readPair(record: Uint8Array): OneTimePair {
  return {
    id: readU24(record),
    privateKey: record.subarray(ID_LENGTH, ID_LENGTH + 32),
    seed: record.subarray(ID_LENGTH + 32, PAIR_LENGTH),
  };
}

/** The records of `length` bytes that were packed, at most `limit`. */
function unpack(
  packed: Uint8Array,
  length: number,
  limit: number,
): Uint8Array[] {
  const count = packed.length / length;
  if (!Number.isInteger(count) || count > limit) {
    throw new SignalError("malformed", "packed records");
  }
  return Array.from(
    { length: count },
    (_, i) => packed.subarray(i * length, (i + 1) * length),
  );
}

function u24(id: number): Uint8Array {
  return Uint8Array.of(id >> 16, id >> 8, id);
}

function readU24(bytes: Uint8Array): number {
  return bytes[0] << 16 | bytes[1] << 8 | bytes[2];
}
