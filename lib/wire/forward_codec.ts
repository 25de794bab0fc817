import type { ByteReader, ByteWriter } from "./byte_cursor.ts";
import {
  type Act,
  ACTS,
  DIRECTIONS,
  type ForwardCommand,
  type OneShotCommand,
} from "./forward_command.ts";
import { decodeUrl, encodeUrl } from "./relay_url.ts";
import { ENVELOPE_SIZES, MAX_PASS, SEALED_SIZES } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

const SIGNATURE = 64;

// Object.entries widens keys to string; these are exactly the keys of the table.
const ACT_NAMES = new Map(
  Object.entries(ACTS).map(([name, code]) => [code as number, name as Act]),
);

/** A one-shot command without its signature. */
export type UnsignedOneShot = OneShotCommand extends infer Each
  ? Each extends OneShotCommand ? Omit<Each, "signature"> : never
  : never;

/** Bytes of a FWD's body. */
export function forwardBodySize(command: ForwardCommand): number {
  switch (command.about) {
    case "greet":
      return 25 + encodeUrl(command.url).length;
    case "to":
      return 5 + command.sealed.length;
    case "here":
      return 1 + command.sealed.length;
  }
}

export function writeForward(
  writer: ByteWriter,
  command: ForwardCommand,
): void {
  writer.u8(DIRECTIONS[command.about]);
  switch (command.about) {
    case "greet":
      writer.u64(command.work).fixed(command.label, 16)
        .raw(encodeUrl(command.url));
      return;
    case "to":
      writer.u32(command.handle).raw(checkSealed(command.sealed));
      return;
    case "here":
      writer.raw(checkSealed(command.sealed));
      return;
  }
}

/** Parses the body of a FWD; throws `WireError` "malformed". */
export function readForward(reader: ByteReader): ForwardCommand {
  const type = "FWD";
  switch (reader.u8()) {
    case DIRECTIONS.greet:
      return {
        type,
        about: "greet",
        work: reader.u64(),
        label: reader.bytes(16),
        url: decodeUrl(reader.rest()),
      };
    case DIRECTIONS.to:
      return {
        type,
        about: "to",
        handle: reader.u32(),
        sealed: checkSealed(reader.rest()),
      };
    case DIRECTIONS.here:
      return { type, about: "here", sealed: checkSealed(reader.rest()) };
    default:
      throw new WireError("malformed", "a command goes nowhere it can");
  }
}

function checkSealed(sealed: Uint8Array): Uint8Array {
  if (!SEALED_SIZES.includes(sealed.length)) {
    throw new WireError("malformed", "what is forwarded has no allowed size");
  }
  return sealed;
}

/** Bytes of a body, its signature included. */
export function oneShotBodySize(command: UnsignedOneShot): number {
  return SIGNATURE +
    (command.type === "POST"
      ? 32 + command.envelope.length
      : 38 + command.bytes.length);
}

/** Writes everything but the signature; throws for fields of the wrong size. */
export function writeUnsignedOneShot(
  writer: ByteWriter,
  command: UnsignedOneShot,
): void {
  if (command.type === "POST") {
    writer.fixed(command.queue, 16).fixed(command.id, 16)
      .raw(checkEnvelope(command.envelope));
    return;
  }
  if (command.bytes.length > MAX_PASS) {
    throw new WireError("too-large", "MEET carries at most 16,000 bytes");
  }
  writer.u32(command.nameplate).fixed(command.publicKey, 32)
    .u8(ACTS[command.act]).u8(command.index).raw(command.bytes);
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
