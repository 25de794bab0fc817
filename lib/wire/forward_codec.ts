import type { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { DIRECTIONS, type ForwardCommand } from "./forward_command.ts";
import { SEALED_SIZES } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

/** Bytes of a FWD's body. */
export function forwardBodySize(command: ForwardCommand): number {
  switch (command.about) {
    case "greet":
      return 25 + command.url.length;
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
        .raw(command.url);
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
        url: reader.rest(),
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
      throw malformed();
  }
}

function checkSealed(sealed: Uint8Array): Uint8Array {
  if (!SEALED_SIZES.includes(sealed.length)) {
    throw malformed();
  }
  return sealed;
}

function malformed(): WireError {
  return new WireError("malformed", "FWD is malformed");
}
