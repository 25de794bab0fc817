/**
 * Which messages are spoken of and have not arrived. What is kept of them is under their keys, to
 * which no place in the conversation leads: this list does, when the conversation is to be forgotten.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  writeMessage,
} from "../keys/mod.ts";
import { type Codec, table, type VaultWriter } from "../storage/mod.ts";
import { MAX_AWAITED } from "./limits.ts";
import { entries, entryId } from "./log_records.ts";
import type { MessageKey } from "./message_state.ts";

/** By the last byte of the content id: one more message rewrites little. */
export const AWAITED_BUCKETS = 256;

/** author 16 ‖ content id 16, each */
const codec: Codec<readonly MessageKey[]> = {
  encode: (messages) =>
    writeMessage((writer) => {
      for (const { author, id } of messages) {
        writer.writeBytesField(
          1,
          Uint8Array.of(...accountIdToBytes(author), ...hexToBytes(id)),
        );
      }
    }),
  decode: (encoded) =>
    new Fields(encoded).repeated(1, MAX_AWAITED).map((key) => ({
      author: accountIdFromBytes(key.subarray(0, 16)),
      id: bytesToHex(key.subarray(16)),
    })),
};

const buckets = table("log awaited", codec);

/** conversation 16 ‖ bucket 1 */
function bucketId(conversation: string, bucket: string): Uint8Array {
  return hexToBytes(conversation + bucket);
}

const bucketOf = (conversation: string, { id }: MessageKey) =>
  bucketId(conversation, id.slice(-2));

/** Something about a message is kept that has not arrived. */
export async function keepAwaited(
  w: VaultWriter,
  conversation: string,
  key: MessageKey,
): Promise<void> {
  const bucket = bucketOf(conversation, key);
  w.put(buckets, bucket, [...await w.get(buckets, bucket) ?? [], key]);
}

/** It has arrived. */
export async function forgetAwaited(
  w: VaultWriter,
  conversation: string,
  { author, id }: MessageKey,
): Promise<void> {
  const bucket = bucketOf(conversation, { author, id });
  const rest = (await w.get(buckets, bucket))?.filter((key) =>
    key.author !== author || key.id !== id
  );
  if (rest && rest.length > 0) w.put(buckets, bucket, rest);
  else w.delete(buckets, bucket);
}

/** Deletes everything that is kept of messages that have not arrived. */
export async function deleteAwaited(
  w: VaultWriter,
  conversation: string,
): Promise<void> {
  const ids = Array.from(
    { length: AWAITED_BUCKETS },
    (_, i) => bucketId(conversation, i.toString(16).padStart(2, "0")),
  );
  const found = await w.getMany(buckets, ids);
  for (const [i, keys] of found.entries()) {
    if (!keys) continue;
    for (const key of keys) w.delete(entries, entryId(conversation, key));
    w.delete(buckets, ids[i]);
  }
}
