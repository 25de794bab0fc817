import { blobBodySize, readBlobCommand, writeUnsigned } from "./blob_codec.ts";
import { ByteReader, type ByteWriter } from "./byte_cursor.ts";
import {
  type Command,
  COMMAND_TYPES,
  type CommandBody,
  type CommandType,
  type Role,
  ROLES,
} from "./command.ts";
import { ERROR_CODES, errorName } from "./error_code.ts";
import { forwardBodySize, readForward, writeForward } from "./forward_codec.ts";
import { ENVELOPE_SIZES, MAX_PASS } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

// Object.entries widens keys to string; these are exactly the keys of the tables.
const TYPE_NAMES = new Map(
  Object.entries(COMMAND_TYPES).map((
    [name, code],
  ) => [code as number, name as CommandType]),
);
const ROLE_NAMES = new Map(
  Object.entries(ROLES).map(([name, code]) => [code as number, name as Role]),
);

/** The name of a type byte, or undefined when version 1 has none for it. */
export function commandType(code: number): CommandType | undefined {
  return TYPE_NAMES.get(code);
}

/** Bytes of a command's body. */
export function bodySize(command: CommandBody): number {
  switch (command.type) {
    case "HELLO":
    case "OK":
    case "POST":
    case "MEET":
    case "COLLECT":
    case "REMOVE":
      return command.body.length;
    case "FWD":
      return forwardBodySize(command);
    case "ERR":
      return 1 + command.detail.length;
    case "NEW":
      return 104;
    case "BIND":
      return 85;
    case "SEND":
      return 20 + command.envelope.length;
    case "MSG":
      return 26 + command.envelope.length;
    case "ACK":
      return 10;
    case "DEL":
    case "REPLACED":
    case "CLOSE":
      return 4;
    case "OPEN":
      return 104;
    case "JOIN":
      return 108;
    case "PASS":
      return 5 + command.bytes.length;
    case "PUT":
    case "GET":
    case "DROP":
    case "TAKE":
      return blobBodySize(command);
    case "PING":
    case "NOP":
      return 0;
    case "ACCESS":
      return 72;
  }
}

function checkEnvelope(envelope: Uint8Array): Uint8Array {
  if (!ENVELOPE_SIZES.includes(envelope.length)) {
    throw new WireError("malformed", "an envelope has no allowed size");
  }
  return envelope;
}

/** Writes a command's body; `RangeError` when a field has the wrong size. */
export function writeBody(writer: ByteWriter, command: CommandBody): void {
  switch (command.type) {
    case "HELLO":
    case "OK":
    case "POST":
    case "MEET":
    case "COLLECT":
    case "REMOVE":
      writer.raw(command.body);
      return;
    case "FWD":
      return writeForward(writer, command);
    case "ERR":
      writer.u8(ERROR_CODES[command.code]).raw(command.detail);
      return;
    case "NEW":
      writer.fixed(command.receiveKey, 32).fixed(command.sendKey, 32).fixed(
        command.removeKey,
        32,
      ).u64(command.work);
      return;
    case "BIND":
      writer.u8(ROLES[command.role]).fixed(command.queue, 16).u32(
        command.generation,
      ).fixed(command.signature, 64);
      return;
    case "SEND":
      writer.u32(command.handle).fixed(command.id, 16).raw(
        checkEnvelope(command.envelope),
      );
      return;
    case "MSG":
      writer.u32(command.handle).u48(command.seq).fixed(command.id, 16).raw(
        checkEnvelope(command.envelope),
      );
      return;
    case "ACK":
      writer.u32(command.handle).u48(command.seq);
      return;
    case "DEL":
    case "REPLACED":
    case "CLOSE":
      writer.u32(command.handle);
      return;
    case "OPEN":
      writer.fixed(command.publicKey, 32).fixed(command.signature, 64).u64(
        command.work,
      );
      return;
    case "JOIN":
      writer.u32(command.nameplate).fixed(command.publicKey, 32).fixed(
        command.signature,
        64,
      ).u64(command.work);
      return;
    case "PASS":
      if (command.bytes.length > MAX_PASS) {
        throw new WireError("too-large", "PASS carries at most 16,000 bytes");
      }
      writer.u32(command.handle).u8(command.index).raw(command.bytes);
      return;
    case "PUT":
    case "GET":
    case "DROP":
    case "TAKE":
      writeUnsigned(writer, command);
      writer.fixed(command.signature, 64);
      return;
    case "PING":
    case "NOP":
      return;
    case "ACCESS":
      writer.fixed(command.signature, 64).u64(command.work);
      return;
  }
}

/** Parses a command whose body is exactly `body`; throws `WireError` "malformed". */
export function readCommand(
  type: CommandType,
  request: number,
  body: Uint8Array,
): Command {
  const reader = new ByteReader(body);
  const command = { request, ...readBody(type, reader) };
  reader.end();
  return command;
}

function readBody(type: CommandType, reader: ByteReader): CommandBody {
  switch (type) {
    case "HELLO":
    case "OK":
    case "POST":
    case "MEET":
    case "COLLECT":
    case "REMOVE":
      return { type, body: reader.rest() };
    case "FWD":
      return readForward(reader);
    case "ERR": {
      const code = errorName(reader.u8());
      if (code === undefined) {
        throw new WireError("malformed", "an error code is not on the list");
      }
      return { type, code, detail: reader.rest() };
    }
    case "NEW":
      return {
        type,
        receiveKey: reader.bytes(32),
        sendKey: reader.bytes(32),
        removeKey: reader.bytes(32),
        work: reader.u64(),
      };
    case "BIND":
      return readBind(reader);
    case "SEND":
      return {
        type,
        handle: reader.u32(),
        id: reader.bytes(16),
        envelope: checkEnvelope(reader.rest()),
      };
    case "MSG":
      return {
        type,
        handle: reader.u32(),
        seq: reader.u48(),
        id: reader.bytes(16),
        envelope: checkEnvelope(reader.rest()),
      };
    case "ACK":
      return { type, handle: reader.u32(), seq: reader.u48() };
    case "DEL":
    case "REPLACED":
    case "CLOSE":
      return { type, handle: reader.u32() };
    case "OPEN":
      return {
        type,
        publicKey: reader.bytes(32),
        signature: reader.bytes(64),
        work: reader.u64(),
      };
    case "JOIN": {
      const nameplate = reader.u32();
      if (nameplate >= 1 << 20) {
        throw new WireError("malformed", "a nameplate has 20 bits");
      }
      return {
        type,
        nameplate,
        publicKey: reader.bytes(32),
        signature: reader.bytes(64),
        work: reader.u64(),
      };
    }
    case "PASS": {
      const handle = reader.u32();
      const index = reader.u8();
      if (reader.remaining > MAX_PASS) {
        throw new WireError("malformed", "PASS carries at most 16,000 bytes");
      }
      return { type, handle, index, bytes: reader.rest() };
    }
    case "PUT":
    case "GET":
    case "DROP":
    case "TAKE":
      return readBlobCommand(type, reader);
    case "PING":
    case "NOP":
      return { type };
    case "ACCESS":
      return { type, signature: reader.bytes(64), work: reader.u64() };
  }
}

function readBind(reader: ByteReader): CommandBody {
  const role = ROLE_NAMES.get(reader.u8());
  const queue = reader.bytes(16);
  const generation = reader.u32();
  if (role === undefined) {
    throw new WireError("malformed", "BIND names no role");
  }
  if (role !== "receive" && generation !== 0) {
    throw new WireError("malformed", "only receivers have a generation");
  }
  return { type: "BIND", role, queue, generation, signature: reader.bytes(64) };
}
