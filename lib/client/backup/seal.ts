/**
 * A backup as it lies at the relay. Its contents are encrypted under a random backup key, which is
 * sealed under one that only the access key derives: whoever has a device can write the next version
 * of this epoch, and nobody who has no access key can begin another epoch. docs/protocol.md § Backup.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes } from "@noble/hashes/utils.js";
import { accountIdToBytes } from "../keys/mod.ts";
import { ByteReader, ByteWriter } from "../../wire/mod.ts";
import { type BackupKey, BOX, openBox } from "./epoch_key.ts";

/** A backup that must not be believed: damaged, or of another account, key or format. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  constructor(readonly code: "damaged" | "newer-format") {
    super(`backup refused: ${code}`);
  }
}

/** There is more to be kept than the largest backup holds. */
export class BackupTooLargeError extends Error {
  override readonly name = "BackupTooLargeError";
  constructor() {
    super("the backup is too large");
  }
}

const FORMAT = 1;
/** So many are never written; a higher one was made up, so that none could follow. */
const MAX_VERSION = 0x7fff_ffff;
const NONCE = 24;
const TAG = 16;
/** format u8 ‖ epoch u32 ‖ version u32 ‖ box */
const HEADER = 9 + BOX;
const LENGTH = 4;
const OVERHEAD = HEADER + NONCE + LENGTH + TAG;

/** What a backup can measure: the relay learns which of these, and nothing finer. */
export const BACKUP_SIZES: readonly number[] = Array.from(
  { length: 10 },
  (_, k) => 8192 * 2 ** k,
);
export const MAX_BACKUP = BACKUP_SIZES[BACKUP_SIZES.length - 1];

const utf8 = (text: string) => new TextEncoder().encode(text);
const LABEL = utf8("whisper backup v1");

/**
 * The key of the epoch that `backup` is of, by the access key.
 * @throws {BackupError}
 */
export function openBackupKey(
  accountId: string,
  sealKey: Uint8Array,
  backup: Uint8Array,
): BackupKey {
  const { epoch, box } = readHeader(backup);
  return {
    epoch,
    box,
    key: opened(() => openBox(accountId, sealKey, epoch, box)),
  };
}

/**
 * Version `version` (1 to 2³¹ − 1) of the backup, padded to one of `BACKUP_SIZES`.
 * @throws {BackupTooLargeError}
 */
export function sealBackup(
  accountId: string,
  { epoch, key, box }: BackupKey,
  version: number,
  contents: Uint8Array,
): Uint8Array {
  const size = BACKUP_SIZES.find((size) => size >= OVERHEAD + contents.length);
  if (size === undefined) throw new BackupTooLargeError();
  const header = new ByteWriter(HEADER).u8(FORMAT).u32(epoch).u32(version)
    .fixed(box, BOX).bytes;
  const nonce = randomBytes(NONCE);
  const padded = new Uint8Array(size - OVERHEAD + LENGTH);
  new DataView(padded.buffer).setUint32(0, contents.length);
  padded.set(contents, LENGTH);
  const sealed = contentsCipher(accountId, key, header, nonce).encrypt(padded);
  return concatBytes(header, nonce, sealed);
}

/** What a backup says of itself. Believe it only once `openBackup` has opened it. */
export function readHeader(
  backup: Uint8Array,
): { epoch: number; version: number; box: Uint8Array } {
  if (backup.length > 0 && backup[0] > FORMAT) {
    throw new BackupError("newer-format");
  }
  if (!BACKUP_SIZES.includes(backup.length) || backup[0] !== FORMAT) {
    throw new BackupError("damaged");
  }
  const reader = new ByteReader(backup.subarray(1, HEADER));
  return {
    epoch: reader.u32(),
    version: reader.u32(),
    box: reader.bytes(BOX).slice(),
  };
}

/**
 * Version and contents of a backup of this account and key.
 * @throws {BackupError}
 */
export function openBackup(
  accountId: string,
  { epoch, key }: Pick<BackupKey, "epoch" | "key">,
  backup: Uint8Array,
): { version: number; contents: Uint8Array } {
  const said = readHeader(backup);
  const possible = said.version > 0 && said.version <= MAX_VERSION;
  if (said.epoch !== epoch || !possible) {
    throw new BackupError("damaged");
  }
  const header = backup.subarray(0, HEADER);
  const nonce = backup.subarray(HEADER, HEADER + NONCE);
  const cipher = contentsCipher(accountId, key, header, nonce);
  const padded = opened(() => cipher.decrypt(backup.subarray(HEADER + NONCE)));
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const end = LENGTH + length;
  // Who pads has the key; anything but zeros would be a place to hide something in.
  if (end > padded.length || padded.subarray(end).some((byte) => byte !== 0)) {
    throw new BackupError("damaged");
  }
  return { version: said.version, contents: padded.slice(LENGTH, end) };
}

function contentsCipher(
  accountId: string,
  key: Uint8Array,
  header: Uint8Array,
  nonce: Uint8Array,
) {
  const about = concatBytes(LABEL, accountIdToBytes(accountId), header);
  return xchacha20poly1305(key, nonce, about);
}

function opened(open: () => Uint8Array): Uint8Array {
  try {
    return open();
  } catch {
    throw new BackupError("damaged"); // the tag is wrong: changed on the way, or another key
  }
}
