import assert from "node:assert/strict";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import {
  bytesToHex,
  concatBytes,
  hexToBytes,
  randomBytes,
} from "@noble/hashes/utils.js";
import fc from "fast-check";
import { blobId } from "../../wire/mod.ts";
import {
  deriveAccount,
  ed25519PairOf,
  newAccessKey,
  parseAccessKey,
} from "../keys/mod.ts";
import { newBackupKey } from "./epoch_key.ts";
import {
  BACKUP_SIZES,
  BackupError,
  BackupTooLargeError,
  openBackup,
  openBackupKey,
  readHeader,
  sealBackup,
} from "./seal.ts";

const { accountId, backup: { sealKey } } = deriveAccount(newAccessKey());
const refused = (code: BackupError["code"]) => (error: unknown) =>
  error instanceof BackupError && error.code === code;

Deno.test("what was sealed opens with the backup key, and with the access key alone", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 20_000 }),
      fc.integer({ min: 1, max: 0xffff_ffff }),
      fc.integer({ min: 1, max: 0x7fff_ffff }),
      (contents, epoch, version) => {
        const key = newBackupKey(accountId, sealKey, epoch);
        const backup = sealBackup(accountId, key, version, contents);
        assert.deepEqual(openBackupKey(accountId, sealKey, backup), key);
        const opened = openBackup(accountId, key, backup);
        assert.deepEqual(opened, { version, contents });
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a backup measures one of ten sizes, whatever is in it", () => {
  const key = newBackupKey(accountId, sealKey, 1);
  const size = (length: number) =>
    sealBackup(accountId, key, 1, new Uint8Array(length)).length;
  const overhead = 125;
  for (const [i, limit] of BACKUP_SIZES.slice(0, 5).entries()) {
    assert.equal(size(limit - overhead), limit);
    assert.equal(size(limit - overhead + 1), BACKUP_SIZES[i + 1]);
  }
  assert.equal(size(0), BACKUP_SIZES[0]);
  assert.equal(BACKUP_SIZES.length, 10);
  assert.throws(
    () => size(BACKUP_SIZES[9] - overhead + 1),
    BackupTooLargeError,
  );
});

Deno.test("a backup that was altered anywhere, or is another account's, key's or epoch's, is refused", () => {
  const key = newBackupKey(accountId, sealKey, 3);
  const backup = sealBackup(accountId, key, 7, randomBytes(100));
  for (const at of [1, 4, 5, 8, 9, 32, 80, 81, 104, 105, 110, 8191]) {
    const altered = backup.slice();
    altered[at] ^= 1;
    assert.throws(
      () => openBackup(accountId, key, altered),
      refused("damaged"),
    );
  }
  const other = newBackupKey(accountId, sealKey, 3);
  assert.throws(() => openBackup(accountId, other, backup), refused("damaged"));
  const otherId = deriveAccount(newAccessKey()).accountId;
  assert.throws(() => openBackup(otherId, key, backup), refused("damaged"));
  for (const length of [0, 1, 80, 8191]) {
    const cut = backup.subarray(0, length);
    assert.throws(() => readHeader(cut), refused("damaged"));
  }
});

Deno.test("nobody without the access key begins an epoch: a key sealed for one opens for no other", () => {
  const key = newBackupKey(accountId, sealKey, 3);
  const forged = sealBackup(accountId, { ...key, epoch: 4 }, 8, randomBytes(9));
  assert.throws(
    () => openBackupKey(accountId, sealKey, forged),
    refused("damaged"),
  );
  const other = deriveAccount(newAccessKey()).backup.sealKey;
  const backup = sealBackup(accountId, key, 8, randomBytes(9));
  assert.throws(
    () => openBackupKey(accountId, other, backup),
    refused("damaged"),
  );
});

Deno.test("a format not known yet is told from damage", () => {
  const backup = sealBackup(
    accountId,
    newBackupKey(accountId, sealKey, 1),
    1,
    new Uint8Array(),
  );
  backup[0] = 2;
  assert.throws(() => readHeader(backup), refused("newer-format"));
  backup[0] = 0;
  assert.throws(() => readHeader(backup), refused("damaged"));
});

Deno.test("a backup made by the protocol document alone is found and opens", async () => {
  const reading = parseAccessKey("1000-0000-0000-0000-0000-0000-0000-00ZY");
  assert.ok(reading.ok);
  const account = deriveAccount(reading.key);
  const [read, own] = await Promise.all(
    [account.backup.readSeed, account.backup.ownSeed].map(ed25519PairOf),
  );
  const id = hexToBytes(account.accountId.replaceAll("-", ""));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const runs = (length: number, byte: number) =>
    new Uint8Array(length).fill(byte);
  const [key, boxNonce, nonce] = [runs(32, 1), runs(24, 2), runs(24, 3)];
  const [epoch, version] = [hexToBytes("00000001"), hexToBytes("00000007")];
  const box = xchacha20poly1305(
    account.backup.sealKey,
    boxNonce,
    concatBytes(utf8("whisper backup key v1"), id, epoch),
  ).encrypt(key);
  const header = concatBytes(Uint8Array.of(1), epoch, version, boxNonce, box);
  const padded = new Uint8Array(8192 - 81 - 24 - 16);
  padded.set(hexToBytes("000000020801"));
  const backup = concatBytes(
    header,
    nonce,
    xchacha20poly1305(
      key,
      nonce,
      concatBytes(utf8("whisper backup v1"), id, header),
    )
      .encrypt(padded),
  );
  const opened = openBackupKey(
    account.accountId,
    account.backup.sealKey,
    backup,
  );
  assert.deepEqual(opened.key, key);
  assert.deepEqual(openBackup(account.accountId, opened, backup), {
    version: 7,
    contents: hexToBytes("0801"),
  });
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", backup.slice()),
  );
  // These are in docs/protocol.md.
  const vector = {
    read: bytesToHex(read.publicKey),
    own: bytesToHex(own.publicKey),
    blob: bytesToHex(blobId(read.publicKey, own.publicKey)),
    box: bytesToHex(box),
    digest: bytesToHex(digest),
  };
  const document = await Deno.readTextFile(
    new URL("../../../docs/protocol.md", import.meta.url),
  );
  for (const [what, hex] of Object.entries(vector)) {
    assert.ok(document.includes(hex), `${what}: ${hex}`);
  }
});
