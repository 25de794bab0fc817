import type { BlobCommand, FillPool, MakePool } from "./blob_command.ts";
import { type Subject, SUBJECTS } from "./blob_command.ts";
import type { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { chunkSize } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

const SIGNATURE = 64;

// Object.entries widens keys to string; these are exactly the keys of the table.
const SUBJECT_NAMES = new Map(
  Object.entries(SUBJECTS).map(([name, code]) => [
    code as number,
    name as Subject,
  ]),
);

/** A command without its signature. */
export type Unsigned = BlobCommand extends infer Each
  ? Each extends BlobCommand ? Omit<Each, "signature"> : never
  : never;

/** Bytes of a body, its signature included. */
export function blobBodySize(command: Unsigned): number {
  return SIGNATURE + unsignedSize(command);
}

function unsignedSize(command: Unsigned): number {
  switch (command.type) {
    case "PUT":
      switch (command.about) {
        case "blob":
          return 117;
        case "chunk":
          return 43 + command.chunk.length;
        case "pool":
          return 73 + bundlesSize(command);
        case "bundles":
          return 22 + bundlesSize(command);
      }
      break;
    case "GET":
      return command.about === "chunk" ? 23 : 17;
    case "DROP":
      return 17;
    case "TAKE":
      return 32;
  }
}

function bundlesSize({ lastResort, bundles }: MakePool | FillPool): number {
  return bundles.reduce((sum, { length }) => sum + 2 + length, 3) +
    lastResort.length;
}

/** Writes everything but the signature; throws for fields of the wrong size. */
export function writeUnsigned(writer: ByteWriter, command: Unsigned): void {
  if (command.type === "TAKE") {
    writer.fixed(command.pool, 16).fixed(command.id, 16);
    return;
  }
  writer.u8(SUBJECTS[command.about]);
  switch (command.type) {
    case "PUT":
      return writePut(writer, command);
    case "GET":
      if (command.about === "chunk") {
        writer.fixed(command.blob, 16).u32(command.version).u16(command.index);
      } else writer.fixed(command.id, 16);
      return;
    case "DROP":
      writer.fixed(command.id, 16);
      return;
  }
}

function writePut(
  writer: ByteWriter,
  command: Unsigned & { type: "PUT" },
): void {
  switch (command.about) {
    case "blob":
      writer.fixed(command.readKey, 32).fixed(command.ownKey, 32)
        .fixed(command.writeKey, 32).u32(command.epoch).u32(command.bytes)
        .u32(command.lifetime).u64(command.work);
      return;
    case "chunk":
      if (command.chunk.length !== chunkSize(command.bytes, command.index)) {
        throw new WireError("malformed", "a chunk has another size");
      }
      writer.fixed(command.blob, 16).u32(command.base).fixed(command.draft, 16)
        .u32(command.bytes).u16(command.index).raw(command.chunk);
      return;
    case "pool":
      writer.fixed(command.takeKey, 32).fixed(command.ownKey, 32)
        .u64(command.work);
      return writeBundles(writer, command);
    case "bundles":
      writer.fixed(command.pool, 16).u32(command.base)
        .u8(command.discard ? 1 : 0);
      return writeBundles(writer, command);
  }
}

function writeBundles(
  writer: ByteWriter,
  { lastResort, bundles }: MakePool | FillPool,
): void {
  writer.u16(lastResort.length).raw(lastResort).u8(bundles.length);
  for (const bundle of bundles) writer.u16(bundle.length).raw(bundle);
}

/** Parses a body; throws `WireError` "malformed". */
export function readBlobCommand(
  type: BlobCommand["type"],
  reader: ByteReader,
): BlobCommand {
  const unsigned = readUnsigned(type, reader);
  return { ...unsigned, signature: reader.bytes(SIGNATURE) };
}

function readUnsigned(type: BlobCommand["type"], reader: ByteReader): Unsigned {
  if (type === "TAKE") {
    return { type, pool: reader.bytes(16), id: reader.bytes(16) };
  }
  const about = SUBJECT_NAMES.get(reader.u8());
  if (about === undefined) throw unknown();
  switch (type) {
    case "PUT":
      return readPut(about, reader);
    case "GET":
      if (about === "bundles") throw unknown();
      return about !== "chunk" ? { type, about, id: reader.bytes(16) } : {
        type,
        about,
        blob: reader.bytes(16),
        version: reader.u32(),
        index: reader.u16(),
      };
    case "DROP":
      if (about !== "blob" && about !== "pool") throw unknown();
      return { type, about, id: reader.bytes(16) };
  }
}

function readPut(
  about: Subject,
  reader: ByteReader,
): Unsigned & { type: "PUT" } {
  const type = "PUT";
  switch (about) {
    case "blob":
      return {
        type,
        about,
        readKey: reader.bytes(32),
        ownKey: reader.bytes(32),
        writeKey: reader.bytes(32),
        epoch: reader.u32(),
        bytes: reader.u32(),
        lifetime: reader.u32(),
        work: reader.u64(),
      };
    case "chunk": {
      const blob = reader.bytes(16);
      const base = reader.u32();
      const draft = reader.bytes(16);
      const bytes = reader.u32();
      const index = reader.u16();
      const size = chunkSize(bytes, index);
      if (size === 0) {
        throw new WireError("malformed", "there is no such chunk");
      }
      const chunk = reader.bytes(size);
      return { type, about, blob, base, draft, bytes, index, chunk };
    }
    case "pool": {
      const takeKey = reader.bytes(32);
      const ownKey = reader.bytes(32);
      const work = reader.u64();
      const held = readBundles(reader);
      if (held.lastResort.length === 0) {
        throw new WireError("malformed", "a pool needs a last resort");
      }
      return { type, about, takeKey, ownKey, work, ...held };
    }
    case "bundles": {
      const pool = reader.bytes(16);
      const base = reader.u32();
      const discard = reader.u8();
      if (discard > 1) {
        throw new WireError("malformed", "a flag is neither 0 nor 1");
      }
      const held = readBundles(reader);
      return { type, about, pool, base, discard: discard === 1, ...held };
    }
  }
}

function readBundles(
  reader: ByteReader,
): { lastResort: Uint8Array; bundles: Uint8Array[] } {
  const lastResort = reader.bytes(reader.u16());
  const bundles = Array.from(
    { length: reader.u8() },
    () => reader.bytes(reader.u16()),
  );
  if (bundles.some(({ length }) => length === 0)) {
    throw new WireError("malformed", "a bundle is empty");
  }
  return { lastResort, bundles };
}

function unknown(): WireError {
  return new WireError("malformed", "a command is about nothing it can be");
}
