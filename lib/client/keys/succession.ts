/**
 * When the access key is changed, the account key before signs the one after it. An account's id follows
 * from its first key and stays; whoever knows any key of the account follows the chain to the present
 * one. docs/protocol.md § Another access key.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { type KeyPair, sign, verify } from "../../signal/mod.ts";
import {
  accountIdFromBytes,
  accountIdOf,
  accountIdToBytes,
} from "./account_id.ts";
import { Fields, MalformedError, writeMessage } from "./protobuf.ts";

const LABEL = new TextEncoder().encode("whisper account succession v1");
const EC_KEY = 33;

/** How often the access key of an account can be changed: the statements of all go with every card. */
export const MAX_SUCCESSIONS = 16;

/** The statement that `next` (33 bytes) follows `before`. */
export function signSuccession(
  accountId: string,
  before: KeyPair,
  next: Uint8Array,
): Uint8Array {
  const content = writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeBytesField(2, accountIdToBytes(accountId));
    writer.writeBytesField(3, before.publicKey);
    writer.writeBytesField(4, next);
  });
  return writeMessage((writer) => {
    writer.writeBytesField(1, content);
    writer.writeBytesField(
      2,
      sign(before.privateKey, concatBytes(LABEL, content)),
    );
  });
}

/**
 * The account key that follows from `known`, one of the account's, by these statements, oldest first.
 * None of them is about it: then it is still the one.
 * @throws {MalformedError} for a chain that does not hold together
 */
export async function successorOf(
  known: { readonly accountId: string; readonly accountKey: Uint8Array },
  successions: readonly Uint8Array[],
): Promise<Uint8Array> {
  const read = successions.map(readSuccession);
  const from = read.findIndex(({ before }) =>
    equalBytes(before, known.accountKey)
  );
  if (from < 0) return known.accountKey;
  let key = known.accountKey;
  for (
    const { accountId, before, next, content, signature } of read.slice(from)
  ) {
    const follows = accountId === known.accountId && equalBytes(before, key) &&
      await verify(key, concatBytes(LABEL, content), signature);
    if (!follows) throw new MalformedError("succession");
    key = next;
  }
  return key;
}

/**
 * The id of the account whose key `accountKey` is, by these statements, oldest first.
 * @throws {MalformedError} when they do not lead from a first key to this one
 */
export async function accountIdBy(
  accountKey: Uint8Array,
  successions: readonly Uint8Array[],
): Promise<string> {
  if (successions.length === 0) return accountIdOf(accountKey);
  const { before } = readSuccession(successions[0]);
  const accountId = accountIdOf(before);
  const key = await successorOf({ accountId, accountKey: before }, successions);
  if (!equalBytes(key, accountKey)) throw new MalformedError("succession");
  return accountId;
}

function readSuccession(bytes: Uint8Array) {
  const fields = new Fields(bytes);
  const content = fields.bytes(1);
  const said = new Fields(content);
  said.uint(1, 1, 1);
  return {
    accountId: accountIdFromBytes(said.bytes(2, 16)),
    before: publicKey(said.bytes(3, EC_KEY)),
    next: publicKey(said.bytes(4, EC_KEY)),
    content,
    signature: fields.bytes(2, 64),
  };
}

function publicKey(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x05) throw new MalformedError("public key");
  return bytes;
}
