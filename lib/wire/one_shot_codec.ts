/** The commands that are only forwarded: their bytes, and what they are signed over. docs/protocol.md § Forwarding. */
import { sha256 } from "@noble/hashes/sha2.js";
import { type ByteReader, ByteWriter } from "./byte_cursor.ts";
import { COMMAND_TYPES } from "./command.ts";
import { PROOF } from "./credentials.ts";
import { type Act, ACTS, type OneShotCommand } from "./forward_command.ts";
import { ENVELOPE_SIZES, MAX_PASS } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

const SIGNATURE = 64;
const GREETING = new TextEncoder().encode("whisper greeting v1");

// Object.entries widens keys to string; these are exactly the keys of the table.
const ACT_NAMES = new Map(
  Object.entries(ACTS).map(([name, code]) => [code as number, name as Act]),
);

/** A one-shot command without its signature. */
export type UnsignedOneShot = OneShotCommand extends infer Each
  ? Each extends OneShotCommand ? Omit<Each, "signature"> : never
  : never;

/** What a one-shot command is signed over: everything they say, good for this relay and this challenge only. */
export function oneShotMessage(
  challenge: Uint8Array, /* 32 */
  relayKey: Uint8Array, /* 32 */
  command: UnsignedOneShot,
): Uint8Array {
  const size = PROOF.length + 65 + oneShotBodySize(command) - SIGNATURE;
  const writer = new ByteWriter(size).raw(PROOF).fixed(challenge, 32)
    .fixed(relayKey, 32).u8(COMMAND_TYPES[command.type]);
  writeUnsignedOneShot(writer, command);
  return writer.bytes;
}

/** What the work of FWD that greets is done over: SHA-256("whisper greeting v1" ‖ label ‖ URL). */
export function greetingKey(
  { label, url }: { label: Uint8Array /* 16 */; url: Uint8Array },
): Uint8Array {
  return sha256.create().update(GREETING).update(label).update(url)
    .digest();
}

/** Bytes of a body, its signature included. */
export function oneShotBodySize(command: UnsignedOneShot): number {
  switch (command.type) {
    case "POST":
      return SIGNATURE + 32 + command.envelope.length;
    case "COLLECT":
      return SIGNATURE + 26;
    case "REMOVE":
      return SIGNATURE + 16;
    case "MEET":
      return SIGNATURE + 38 + command.bytes.length;
  }
}

/** Writes a body; throws for fields of the wrong size. */
export function writeOneShot(
  writer: ByteWriter,
  command: OneShotCommand,
): void {
  writeUnsignedOneShot(writer, command);
  writer.fixed(command.signature, SIGNATURE);
}

function writeUnsignedOneShot(
  writer: ByteWriter,
  command: UnsignedOneShot,
): void {
  if (command.type !== "MEET") return writeOfQueue(writer, command);
  if (command.bytes.length > MAX_PASS) {
    throw new WireError("too-large", "MEET carries at most 16,000 bytes");
  }
  writer.u32(command.nameplate).fixed(command.publicKey, 32)
    .u8(ACTS[command.act]).u8(command.index).raw(command.bytes);
}

function writeOfQueue(
  writer: ByteWriter,
  command: Exclude<UnsignedOneShot, { type: "MEET" }>,
): void {
  writer.fixed(command.queue, 16);
  if (command.type === "POST") {
    writer.fixed(command.id, 16).raw(checkEnvelope(command.envelope));
  }
  if (command.type === "COLLECT") {
    writer.u32(command.generation).u48(command.seq);
  }
}

/** Parses a body; throws `WireError` "malformed". */
export function readOneShot(
  type: OneShotCommand["type"],
  reader: ByteReader,
): OneShotCommand {
  const rest = () => reader.bytes(Math.max(0, reader.remaining - SIGNATURE));
  if (type === "POST") {
    return {
      type,
      queue: reader.bytes(16),
      id: reader.bytes(16),
      envelope: checkEnvelope(rest()),
      signature: reader.bytes(SIGNATURE),
    };
  }
  if (type === "COLLECT") {
    return {
      type,
      queue: reader.bytes(16),
      generation: reader.u32(),
      seq: reader.u48(),
      signature: reader.bytes(SIGNATURE),
    };
  }
  if (type === "REMOVE") {
    const queue = reader.bytes(16);
    return { type, queue, signature: reader.bytes(SIGNATURE) };
  }
  const nameplate = reader.u32();
  const publicKey = reader.bytes(32);
  const act = ACT_NAMES.get(reader.u8());
  const index = reader.u8();
  const bytes = rest();
  if (nameplate >= 1 << 20) {
    throw new WireError("malformed", "a nameplate has 20 bits");
  }
  if (act === undefined || bytes.length > MAX_PASS) {
    throw new WireError("malformed", "MEET does nothing that it can");
  }
  if (act !== "pass" && bytes.length > 0) {
    throw new WireError("malformed", "only what is passed has bytes");
  }
  return {
    type,
    nameplate,
    publicKey,
    act,
    index,
    bytes,
    signature: reader.bytes(SIGNATURE),
  };
}

function checkEnvelope(envelope: Uint8Array): Uint8Array {
  if (envelope.length > 0 && !ENVELOPE_SIZES.includes(envelope.length)) {
    throw new WireError("malformed", "an envelope has no allowed size");
  }
  return envelope;
}
