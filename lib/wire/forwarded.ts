/** What is inside of what is forwarded: one command or one answer, padded. docs/protocol.md § Forwarding. */
import { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { COMMAND_TYPES, type CommandBody } from "./command.ts";
import {
  bodySize,
  commandType,
  readCommand,
  writeBody,
} from "./command_codec.ts";
import type { ErrorName } from "./error_code.ts";
import {
  ONE_SHOTS,
  type OneShotCommand,
  type OneShotType,
} from "./forward_command.ts";
import { FORWARD_EPHEMERAL, FORWARD_TAG } from "./forward_seal.ts";
import {
  oneShotBodySize,
  readOneShot,
  writeOneShot,
} from "./one_shot_codec.ts";
import { SEALED_REPLY_SIZES, SEALED_SIZES } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

/** type u8 ‖ length u16 */
const HEADER = 3;

/** What can be sealed: whether it is carried out too, the relay that opens it says. */
export type ForwardedCommand =
  | Exclude<CommandBody, { type: OneShotType }>
  | OneShotCommand;

/** The answer to a forwarded command. */
export type ForwardedReply =
  | { type: "OK"; body: Uint8Array }
  | { type: "ERR"; code: ErrorName; detail: Uint8Array };

const PLAIN_SIZES = SEALED_SIZES.map((size) =>
  size - FORWARD_EPHEMERAL - FORWARD_TAG
);
const PLAIN_REPLY_SIZES = SEALED_REPLY_SIZES.map((size) => size - FORWARD_TAG);

/**
 * A command as it is sealed: padded, so that sealed it fills a frame.
 * Throws `WireError` "too-large" for one that fits none.
 */
export function encodeForwarded(command: ForwardedCommand): Uint8Array {
  return padded(command, PLAIN_SIZES);
}

/** Throws `WireError`. What has a `request` has 0. */
export function decodeForwarded(plain: Uint8Array): ForwardedCommand {
  return unpadded(plain);
}

/** An answer as it is sealed. Throws `WireError` "too-large". */
export function encodeForwardedReply(reply: ForwardedReply): Uint8Array {
  return padded(reply, PLAIN_REPLY_SIZES);
}

/** Throws `WireError`. */
export function decodeForwardedReply(plain: Uint8Array): ForwardedReply {
  const command = unpadded(plain);
  if (command.type === "OK" || command.type === "ERR") return command;
  throw new WireError("malformed", "what was answered is no answer");
}

function padded(
  command: ForwardedCommand,
  sizes: readonly number[],
): Uint8Array {
  const oneShot = isOneShot(command);
  const length = oneShot ? oneShotBodySize(command) : bodySize(command);
  const size = sizes.find((size) => size >= HEADER + length);
  if (size === undefined) {
    throw new WireError("too-large", "a command is too large to be forwarded");
  }
  const writer = new ByteWriter(size);
  writer.u8(COMMAND_TYPES[command.type]).u16(length);
  if (oneShot) writeOneShot(writer, command);
  else writeBody(writer, command);
  return writer.bytes;
}

function unpadded(plain: Uint8Array): ForwardedCommand {
  const reader = new ByteReader(plain);
  const type = commandType(reader.u8());
  if (type === undefined) {
    throw new WireError("unknown-command", "a command type is unknown");
  }
  const body = reader.bytes(reader.u16());
  if (reader.rest().some((byte) => byte !== 0)) {
    throw new WireError("malformed", "padding is not zero");
  }
  const command = readCommand(type, 0, body);
  switch (command.type) {
    case "POST":
    case "COLLECT":
    case "REMOVE":
    case "MEET": {
      const fields = new ByteReader(command.body);
      const oneShot = readOneShot(command.type, fields);
      fields.end();
      return oneShot;
    }
    default:
      return command;
  }
}

function isOneShot(command: ForwardedCommand): command is OneShotCommand {
  return ONE_SHOTS.some((type) => type === command.type);
}
