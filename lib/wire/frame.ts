import { ByteWriter } from "./byte_cursor.ts";
import { type Command, COMMAND_TYPES } from "./command.ts";
import {
  bodySize,
  commandType,
  readCommand,
  writeBody,
} from "./command_codec.ts";
import { COMMAND_HEADER, FRAME_SIZES, frameSizeFor } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

/**
 * Commands as frames, in order: as many per frame as fit without enlarging it,
 * each frame of the smallest size its first command needs.
 * Throws `WireError` "too-large" for a command that fits no frame.
 */
export function encodeFrame(commands: readonly Command[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let first = 0;
  while (first < commands.length) {
    let used = COMMAND_HEADER + bodySize(commands[first]);
    const size = frameSizeFor(used);
    if (size === undefined) {
      throw new WireError("too-large", "a command fits no frame");
    }
    let next = first + 1;
    while (next < commands.length) {
      const more = COMMAND_HEADER + bodySize(commands[next]);
      if (used + more > size) break;
      used += more;
      next++;
    }
    const writer = new ByteWriter(size);
    for (; first < next; first++) {
      const command = commands[first];
      writer.u8(COMMAND_TYPES[command.type]).u16(command.request).u16(
        bodySize(command),
      );
      writeBody(writer, command);
    }
    frames.push(writer.bytes);
  }
  return frames;
}

/**
 * The commands of one frame; their byte fields are copies. Throws `WireError`
 * for a size that is not one of the seven, an unknown type, a body of the wrong
 * shape, or padding that is not zero.
 */
export function decodeFrame(frame: Uint8Array): Command[] {
  if (!FRAME_SIZES.includes(frame.length)) {
    throw new WireError("frame-size", "a frame has no allowed size");
  }
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const commands: Command[] = [];
  let at = 0;
  while (at < frame.length && frame[at] !== 0) {
    const type = commandType(frame[at]);
    if (type === undefined) {
      throw new WireError("unknown-command", "a command type is unknown");
    }
    if (at + COMMAND_HEADER > frame.length) {
      throw new WireError("malformed", "a command is cut short");
    }
    const body = at + COMMAND_HEADER;
    const end = body + view.getUint16(at + 3);
    if (end > frame.length) {
      throw new WireError("malformed", "a command is cut short");
    }
    commands.push(
      readCommand(type, view.getUint16(at + 1), frame.subarray(body, end)),
    );
    at = end;
  }
  for (; at < frame.length; at++) {
    if (frame[at] !== 0) {
      throw new WireError("malformed", "padding is not zero");
    }
  }
  return commands;
}
