/** A message of the past, as it goes to another device of the account. docs/protocol.md § History. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  MalformedError,
  writeMessage,
} from "../keys/mod.ts";
import { parseContent } from "./content.ts";
import type { PastEntry } from "./log_history.ts";
import { entries, type Entry } from "./log_records.ts";
import { NOTHING } from "./message_state.ts";

/** The longest part: a text of the greatest length with all that is around it. */
export const MAX_PART_BYTES = 28_400;

/**
 * 1 author, 2 content id, 3 entry: what the log has of it, at the sequence 0. In one part, or, when it is
 * too long for one, in several that merge: what was said, how it was changed, what others felt about it.
 */
export function partsOfPast({ key, entry }: PastEntry): Uint8Array[] {
  const { state, place } = entry;
  const kept: Entry = {
    ...entry,
    place: place && { ...place, sequence: 0 },
    read: false,
  };
  const whole = encode({ key, entry: kept });
  if (whole.length <= MAX_PART_BYTES) return [whole];
  const { edit, reactions } = state;
  const states = [
    { ...state, edit: undefined, reactions: NOTHING.reactions },
    { ...NOTHING, edit },
    { ...NOTHING, reactions },
  ];
  return states.map((state) => encode({ key, entry: { ...kept, state } }));
}

function encode({ key, entry }: PastEntry): Uint8Array {
  return writeMessage((writer) => {
    writer.writeBytesField(1, accountIdToBytes(key.author));
    writer.writeBytesField(2, hexToBytes(key.id));
    writer.writeBytesField(3, entries.codec.encode(entry));
  });
}

/**
 * Reads a part, and all that a screen will read of it.
 * @param conversation that it is to be of, hex
 * @throws {MalformedError}
 */
export function parsePart(bytes: Uint8Array, conversation: string): PastEntry {
  const fields = new Fields(bytes);
  const key = {
    author: accountIdFromBytes(fields.bytes(1, 16)),
    id: bytesToHex(fields.bytes(2, 16)),
  };
  const entry = entries.codec.decode(fields.bytes(3));
  const { base, edit, reactions } = entry.state;
  const events = [base?.event, edit, ...reactions.values()];
  for (const event of events) {
    if (event && parseContent(event).conversation !== conversation) {
      throw new MalformedError("history of another conversation");
    }
  }
  if (base?.event && parseContent(base.event).id !== key.id) {
    throw new MalformedError("history of another message");
  }
  return { key, entry };
}
