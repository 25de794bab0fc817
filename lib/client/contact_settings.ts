/**
 * What a person decided about a contact: state of the account, the same on all of its devices. Each
 * field carries its stamp, so that two devices that decide at once lose nothing but the same field.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import type { DeviceList } from "./keys/mod.ts";
import { restamped, type Stamped, unchosen } from "./stamped.ts";
import type { Verification } from "./view.ts";

/** The keys of a contact as the person last knew them. */
export interface KnownIdentity {
  /** 33 bytes. */
  readonly accountKey: Uint8Array;
  /** Identity keys of their devices, 33 bytes each. */
  readonly deviceKeys: readonly Uint8Array[];
  /** Whether the safety number was compared with them, and was the same. */
  readonly verified: boolean;
}

export interface ContactSettings {
  /** The own name for the contact; empty for the one they chose. */
  readonly name: Stamped<string>;
  readonly muted: Stamped<boolean>;
  readonly archived: Stamped<boolean>;
  readonly blocked: Stamped<boolean>;
  readonly identity: Stamped<KnownIdentity>;
}

/** Whose keys are whose: what a contact record has of them. */
interface Identity {
  readonly accountKey: Uint8Array;
  readonly deviceList: DeviceList;
  /** A device of theirs goes by a list that contradicts the known ones. */
  readonly listClaim?: { readonly seen: boolean };
}

/** Of someone just met: nothing was decided. */
export function newSettings(identity: Identity): ContactSettings {
  return {
    name: unchosen(""),
    muted: unchosen(false),
    archived: unchosen(false),
    blocked: unchosen(false),
    identity: unchosen(knownIdentity(identity, false)),
  };
}

/** Values for some of the fields. */
export type Decisions = Partial<
  { [F in keyof ContactSettings]: ContactSettings[F]["value"] }
>;

/** The settings with some fields decided anew, by `device` at `now` (ms since the epoch). */
export function decided(
  settings: ContactSettings,
  decisions: Decisions,
  stamp: { now: number; device: number },
): ContactSettings {
  const fields = Object.entries(decisions).map(([field, value]) => {
    // Object.entries gives names as strings; these are the fields of ContactSettings.
    const before = settings[field as keyof ContactSettings];
    return [field, restamped(before, value, stamp)];
  });
  return { ...settings, ...Object.fromEntries(fields) };
}

/** The keys of a contact as they are now, for `ContactSettings.identity`. */
export function knownIdentity(
  { accountKey, deviceList }: Identity,
  verified: boolean,
): KnownIdentity {
  return {
    accountKey,
    deviceKeys: deviceList.devices.map(({ identityKey }) => identityKey),
    verified,
  };
}

/**
 * What the person's knowledge of a contact's keys is worth today. It follows from the keys
 * themselves: a mark can't outlive what it was given for. A device that left changes nothing.
 */
export function verificationOf(
  { identity: { value: known } }: ContactSettings,
  { accountKey, deviceList, listClaim }: Identity,
): Verification {
  if (!equalBytes(known.accountKey, accountKey)) return "new-number";
  const unknown = deviceList.devices.some(({ identityKey }) =>
    !known.deviceKeys.some((key) => equalBytes(key, identityKey))
  );
  // Two lists that contradict each other: at least one has devices that nobody here has seen.
  if (unknown || listClaim?.seen === false) return "new-device";
  return known.verified ? "verified" : "unverified";
}
