import { equalBytes } from "@noble/ciphers/utils.js";
import type { DecryptionError } from "./decryption_error.ts";

/*
 * What a device that could not decrypt may have again: what it was sent itself, while it is listed, for a bounded
 * time, and not too often. Pure: the caller keeps the log with the names of contents, and the contents encrypted, as
 * it keeps everything; forgetting a name is its order to delete the content.
 */

/** How long what was sent can be asked for. */
export const MAX_RESEND_AGE_MS = 14 * 24 * 60 * 60 * 1000;
/** Messages remembered for one account; the oldest go first. */
export const MAX_REMEMBERED = 1_000;
/** How often one message is sent again to one device: what fails three times fails for another reason. */
export const MAX_RESENDS_OF_ONE = 3;
/** Messages sent again to one device within an hour. */
export const MAX_RESENDS_PER_HOUR = 100;
/** A session is given up for a new one at most once in this time. */
export const RESET_INTERVAL_MS = 60 * 60 * 1000;

const HOUR_MS = 60 * 60 * 1000;

/** A device of the other account. An id may be given to another device; an identity key never is. */
export interface ListedDevice {
  readonly id: number;
  readonly identityKey: Uint8Array;
}

export interface Sent {
  /** The caller's name of the content it keeps. */
  readonly content: string;
  /** Said beside the message; names it in an error. Milliseconds since 1970. */
  readonly timestamp: number;
  /** Devices that it was encrypted for and that have not confirmed it, and how often each had it again. */
  readonly devices: readonly (ListedDevice & { readonly resent: number })[];
}

/** What was sent to one account. A value, of plain data. */
export interface ResendLog {
  /** Oldest first. */
  readonly sent: readonly Sent[];
  readonly answered: readonly Answered[];
}

/** How a device has used what it is allowed. */
interface Answered {
  readonly deviceId: number;
  /** When the running hour began, and how many were sent again in it. */
  readonly hour: number;
  readonly count: number;
  /** When a session was last given up at this device's word. */
  readonly reset?: number;
}

export const EMPTY_RESEND_LOG: ResendLog = { sent: [], answered: [] };

/** A changed log, and the contents that nobody can ask for any more. */
export interface Forgotten {
  readonly log: ResendLog;
  readonly forgotten: readonly string[];
}

/** A message went out, encrypted for these devices. `now`: milliseconds since 1970. */
export function rememberSent(
  log: ResendLog,
  { content, timestamp }: { content: string; timestamp: number },
  devices: readonly ListedDevice[],
  now: number,
): Forgotten {
  const entry: Sent = {
    content,
    timestamp,
    devices: devices.map(({ id, identityKey }) => ({
      id,
      identityKey,
      resent: 0,
    })),
  };
  return prune({ ...log, sent: [...log.sent, entry] }, now);
}

/** A device confirmed that it has the message: it can't miss it any more. */
export function confirmDelivered(
  log: ResendLog,
  { deviceId, timestamp }: { deviceId: number; timestamp: number },
  now: number,
): Forgotten {
  const sent = log.sent.map((entry) =>
    entry.timestamp === timestamp
      ? {
        ...entry,
        devices: entry.devices.filter(({ id }) => id !== deviceId),
      }
      : entry
  );
  return prune({ ...log, sent }, now);
}

/** Drops what is too old, too much, or has nobody left to ask for it. */
export function prune(log: ResendLog, now: number): Forgotten {
  const wanted = log.sent.filter(({ devices, timestamp }) =>
    devices.length > 0 && now - timestamp <= MAX_RESEND_AGE_MS
  ).slice(-MAX_REMEMBERED);
  const kept = new Set(wanted.map(({ content }) => content));
  return {
    log: { ...log, sent: wanted },
    forgotten: log.sent.map(({ content }) => content)
      .filter((content) => !kept.has(content)),
  };
}

export type ResendDecision =
  | { readonly kind: "resend"; readonly content: string }
  | {
    readonly kind: "refuse";
    readonly reason:
      /** The device is not in the list, or another one by now has its id. */
      | "not-listed"
      /** It was not sent such a message, or that is too long ago, or it has confirmed it. */
      | "not-sent"
      /** It had this message again often enough. */
      | "again-and-again"
      /** It had enough messages again for this hour. */
      | "too-often";
  };

/**
 * Whether a device that sent a decryption error has the message again.
 * @param listed the devices that the account's newest signed list names
 * @returns the log to be kept before the message is sent again
 */
export function decideResend(
  log: ResendLog,
  error: DecryptionError,
  device: ListedDevice,
  listed: readonly ListedDevice[],
  now: number,
): { log: ResendLog; decision: ResendDecision } {
  const refuse = (
    reason: Extract<ResendDecision, { kind: "refuse" }>["reason"],
  ) => ({ log, decision: { kind: "refuse", reason } as const });
  if (!listed.some((other) => same(other, device))) return refuse("not-listed");
  const position = log.sent.findIndex(({ timestamp, devices }) =>
    timestamp === error.timestamp && now - timestamp <= MAX_RESEND_AGE_MS &&
    devices.some((other) => same(other, device))
  );
  if (position < 0) return refuse("not-sent");
  const entry = log.sent[position];
  const at = entry.devices.findIndex((other) => same(other, device));
  const recipient = entry.devices[at];
  if (recipient.resent >= MAX_RESENDS_OF_ONE) return refuse("again-and-again");
  const answered = answeredTo(log, device.id, now);
  if (answered.count >= MAX_RESENDS_PER_HOUR) return refuse("too-often");
  const devices = entry.devices.with(at, {
    ...recipient,
    resent: recipient.resent + 1,
  });
  return {
    log: {
      sent: log.sent.with(position, { ...entry, devices }),
      answered: replaceAnswered(log, {
        ...answered,
        count: answered.count + 1,
      }),
    },
    decision: { kind: "resend", content: entry.content },
  };
}

/**
 * Whether a session may be given up at a device's word (see `closeIfLost`): else somebody could make us take a fresh
 * bundle for every message.
 * @returns the log to be kept, or undefined when it is too soon
 */
export function allowReset(
  log: ResendLog,
  deviceId: number,
  now: number,
): ResendLog | undefined {
  const answered = answeredTo(log, deviceId, now);
  if (
    answered.reset !== undefined && now - answered.reset < RESET_INTERVAL_MS
  ) {
    return undefined;
  }
  return {
    ...log,
    answered: replaceAnswered(log, { ...answered, reset: now }),
  };
}

function answeredTo(log: ResendLog, deviceId: number, now: number): Answered {
  const known = log.answered.find((other) => other.deviceId === deviceId);
  if (known === undefined) return { deviceId, hour: now, count: 0 };
  const over = now - known.hour >= HOUR_MS;
  return over ? { ...known, hour: now, count: 0 } : known;
}

function replaceAnswered(log: ResendLog, answered: Answered): Answered[] {
  const others = log.answered.filter(({ deviceId }) =>
    deviceId !== answered.deviceId
  );
  return [...others, answered];
}

function same(a: ListedDevice, b: ListedDevice): boolean {
  return a.id === b.id && equalBytes(a.identityKey, b.identityKey);
}
