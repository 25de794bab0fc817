/**
 * The safety number, and how one person shows it and the other scans it: the bytes that libsignal scans,
 * in text that every reader of QR codes gives back as it was, whatever it takes bytes for.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type SafetyNumber, safetyNumber } from "../signal/mod.ts";
import type { Contact } from "./contact.ts";
import { Fields, MalformedError } from "./keys/mod.ts";
import type { OwnAccount } from "./own_account.ts";
import type { ScannedNumber } from "./view.ts";

/** Of the alphabet that QR codes have a short form for: capitals, digits, few signs. */
const PREFIX = "WHISPER:";
const FORM = /^WHISPER:([0-9A-F]{2})+$/u;
const VERSION = 2;

/** Takes about half a second of computing, in slices. */
export function numberWith(
  { accountId, accountKey }: OwnAccount,
  { record }: Contact,
): Promise<SafetyNumber> {
  return safetyNumber({
    localId: accountId,
    localKey: accountKey,
    remoteId: record.accountId,
    remoteKey: record.accountKey,
  });
}

/** What is shown, of what `safetyNumber` gives as `scannable`. */
export function safetyCode(scannable: Uint8Array): string {
  return PREFIX + bytesToHex(scannable).toUpperCase();
}

/** Compares what was scanned with the own `scannable`: theirs has the two halves exchanged. */
export function compareScanned(
  own: Uint8Array,
  scanned: string,
): ScannedNumber {
  const theirs = parseCode(scanned);
  if (!theirs) return "no-number";
  const ours = halvesOf(own);
  return equalBytes(ours.local, theirs.remote) &&
      equalBytes(ours.remote, theirs.local)
    ? "same"
    : "different";
}

function parseCode(
  scanned: string,
): { local: Uint8Array; remote: Uint8Array } | undefined {
  if (!FORM.test(scanned)) return undefined;
  try {
    return halvesOf(hexToBytes(scanned.slice(PREFIX.length)));
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** docs/protocol.md § Safety number */
function halvesOf(
  scannable: Uint8Array,
): { local: Uint8Array; remote: Uint8Array } {
  const fields = new Fields(scannable);
  fields.uint(1, VERSION, VERSION);
  const half = (tag: number) => new Fields(fields.bytes(tag)).bytes(1, 32);
  return { local: half(2), remote: half(3) };
}
