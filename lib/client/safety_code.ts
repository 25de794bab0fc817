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
import type { SafetyNumberView, ScannedNumber } from "./view.ts";

/** Of the alphabet that QR codes have a short form for: capitals, digits, few signs. */
const PREFIX = "WHISPER:";
const FORM = /^WHISPER:([0-9A-F]{2})+$/u;
const VERSION = 2;

/** The safety number as it is shown. Takes about half a second of computing, in slices. */
export async function shownNumber(
  account: OwnAccount,
  contact: Contact,
): Promise<SafetyNumberView> {
  const { displayable, scannable } = await numberWith(account, contact);
  return {
    groups: displayable.match(/.{5}/gu) ?? [],
    code: PREFIX + bytesToHex(scannable).toUpperCase(),
  };
}

function numberWith(
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

/** Compares what was scanned with the own number: theirs has the two halves exchanged. */
export async function compareScanned(
  account: OwnAccount,
  contact: Contact,
  scanned: string,
): Promise<ScannedNumber> {
  const theirs = parseCode(scanned);
  if (!theirs) return "no-number";
  const { scannable } = await numberWith(account, contact);
  const ours = halvesOf(scannable);
  return equalBytes(ours.local, theirs.remote) &&
      equalBytes(ours.remote, theirs.local)
    ? "same"
    : "different";
}

/** Whether a contact has the keys that the other one has. */
export function sameKeys(a: Contact, b: Contact): boolean {
  return equalBytes(a.record.accountKey, b.record.accountKey) &&
    equalBytes(a.deviceList.hash, b.deviceList.hash);
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
