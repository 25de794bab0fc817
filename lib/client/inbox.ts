import { equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import {
  type Decrypted,
  type DecryptOptions,
  SignalError,
  type SignalErrorCode,
} from "../signal/mod.ts";
import type { Contact } from "./contact.ts";
import {
  ANNOUNCEMENT,
  type Content,
  openEnvelope,
  parseContent,
} from "./content/mod.ts";
import type { Desk } from "./desk.ts";
import { type Device, parseQueue } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import { type Delivery, Intake } from "./intake.ts";
import type { Connection } from "./link/mod.ts";
import { sessionName } from "./outbox.ts";
import { preKeySource, usedUp } from "./prekeys.ts";
import { type QueueRecord, queueTable, sessionTable } from "./records.ts";

/**
 * Transport ids remembered for each queue. A queue has one sender, which keeps at most 16 envelopes
 * unanswered (see lane.ts): what it sends again is among the last few.
 */
const REMEMBERED = 64;

/**
 * Missing messages before one that arrives, up to which it is always tried. To walk over them comes
 * before any proof; the protocol's 25,000 take a second, in which nothing else is done.
 */
const NEAR_JUMPS = 2_000;

/** Messages from further ahead, one after the other, that may come to nothing. */
const MAX_FAR_FAILURES = 3;

/**
 * Who sends such messages goes by another state of the session than this device does: one of the two
 * has lost it, or came back to an earlier one.
 */
const OUT_OF_STEP: readonly SignalErrorCode[] = [
  "duplicate",
  "invalid-mac",
  "no-session",
  "pq-ratchet",
  "too-far-ahead",
  "unknown-prekey",
];

export interface InboxEvents {
  /** In the commit that stores the new session state: what a contact's device said. */
  said(entry: Entry, said: Said): Promise<void>;
  /** In the same commit, before: a session that a device of the contact began. */
  began(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** A device makes itself known; false for what can't be believed. */
  announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean>;
  /** The session with a device of the contact has come apart: it sent what this device can't decrypt. */
  outOfStep(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** An envelope by a queue that is no contact's. False, with nothing put, for what can't be read. */
  stranger(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    envelope: Uint8Array,
  ): Promise<boolean>;
}

/** A message that was decrypted, one that its session does not open, or an announcement. */
type Opened =
  | { readonly kind: "announcement"; readonly bytes: Uint8Array }
  | { readonly kind: "out of step"; readonly device: Device }
  | {
    readonly kind: "message";
    readonly device: Device;
    readonly session: string;
    readonly decrypted: Decrypted;
  };

/** What a device of a contact said. */
export interface Said {
  readonly contact: Contact;
  readonly device: Device;
  /** The own queue that it came by, hex. */
  readonly queue: string;
  readonly content: Content;
}

/**
 * Takes in what waits in the own queues. What an envelope says is stored in the commit that moves
 * its session on, and the envelope is acknowledged after it. One that can't be read is counted and
 * acknowledged all the same: it would block what comes behind it, and will not get better.
 */
export class Inbox {
  readonly #desk: Desk;
  readonly #events: InboxEvents;
  readonly #sealKeys = new Map<string, Uint8Array>();
  /** By own queue: messages from far ahead that came to nothing, since the last one that did not. */
  readonly #farFailures = new Map<string, number>();
  readonly #intake: Intake;

  constructor(desk: Desk, events: InboxEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#intake = new Intake(
      desk.ledger,
      desk.clock,
      (entry, name, message) => this.#take(entry, name, message),
    );
  }

  /** A message of the own queue `name` came under its handle. */
  receive(connection: Connection, name: string, message: Delivery): void {
    this.#intake.receive(connection, name, message);
  }

  /** Messages of the own queue `name` that were collected: kept in one commit. */
  collected(
    name: string,
    messages: readonly Pick<Delivery, "id" | "envelope">[],
  ): Promise<void> {
    return this.#desk.ledger.run(async (entry) => {
      for (const message of messages) await this.#take(entry, name, message);
    });
  }

  async #take(
    entry: Entry,
    name: string,
    message: Pick<Delivery, "id" | "envelope">,
  ): Promise<void> {
    const queue = await entry.get(queueTable, name);
    if (!queue || await this.#isKnown(entry, queue, message.id)) return;
    // Not within what is caught below: code that can't be fetched says nothing about the message.
    await this.#desk.sessions;
    // It may write to the record, so what is read of it here is what was there before.
    const read = queue.contact === undefined
      ? await this.#hear(entry, name, queue, message.envelope)
      : await this.#listen(entry, name, queue, message.envelope);
    const now = await entry.get(queueTable, name);
    if (!now) return;
    entry.put(queueTable, name, {
      ...now,
      recent: [...now.recent, message.id].slice(-REMEMBERED),
      unreadable: now.unreadable + (read ? 0 : 1),
    });
  }

  /** Whether it was taken in, by this queue or by the one whose place this has taken, or the other way round. */
  async #isKnown(
    entry: Entry,
    queue: QueueRecord,
    id: Uint8Array,
  ): Promise<boolean> {
    const contact = this.#desk.contactIn(entry, queue.contact ?? "");
    const { queues = [], renewed } = contact?.record ?? {};
    const others = renewed ? [...queues.slice(0, 1), ...renewed.own] : [];
    const records = [queue, ...await entry.getMany(queueTable, others)];
    return records.some((record) =>
      record?.recent.some((known) => equalBytes(known, id))
    );
  }

  /** By a contact's queue; whether it could be read. */
  async #listen(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    envelope: Uint8Array,
  ): Promise<boolean> {
    const contact = this.#desk.contactIn(entry, queue.contact ?? "");
    return contact !== undefined &&
      await this.#read(entry, name, queue, contact, envelope);
  }

  /** By a queue that is nobody's yet; whether it could be read. */
  async #hear(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    envelope: Uint8Array,
  ): Promise<boolean> {
    try {
      return await this.#events.stranger(entry, name, queue, envelope);
    } catch (error) {
      if (entry.readFailed) throw error;
      return false;
    }
  }

  /** Takes in what an envelope holds; false, with nothing believed, for what is not the contact's. */
  async #read(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    contact: Contact,
    envelope: Uint8Array,
  ): Promise<boolean> {
    let opened: Opened | undefined;
    try {
      opened = await this.#open(entry, name, queue, contact, envelope);
    } catch (error) {
      // Whatever bytes from outside make these layers throw, they are unreadable bytes; only what
      // our own disk failed to give says nothing about them.
      if (entry.readFailed) throw error;
      return false;
    }
    if (!opened) return false;
    if (opened.kind === "announcement") {
      return await this.#events.announced(entry, contact, opened.bytes);
    }
    if (opened.kind === "out of step") {
      await this.#events.outOfStep(entry, contact, opened.device.id);
      return false;
    }
    const { device, session, decrypted } = opened;
    const { serializeSession } = await this.#desk.sessions;
    entry.put(sessionTable, session, serializeSession(decrypted.session));
    if (decrypted.used) {
      await this.#events.began(entry, contact, device.id);
    }
    const content = readContent(decrypted.plaintext, contact);
    if (content) {
      const said = { contact, device, queue: name, content };
      await this.#events.said(entry, said);
    }
    return content !== undefined;
  }

  async #open(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    contact: Contact,
    envelope: Uint8Array,
  ): Promise<Opened | undefined> {
    const sealKey = await this.#sealKey(name, queue);
    const { senderDevice, message } = openEnvelope(
      { sealKey, queue: hexToBytes(name) },
      envelope,
    );
    if (message.type === ANNOUNCEMENT) {
      return { kind: "announcement", bytes: message.bytes };
    }
    const { accountId } = contact.record;
    const device = contact.deviceList.devices
      .find(({ id }) => id === senderDevice);
    if (!device) return undefined;
    const session = sessionName(accountId, senderDevice);
    const stored = await entry.get(sessionTable, session);
    const { parseSession } = await this.#desk.sessions;
    try {
      const decrypted = await this.#decrypt(name, {
        local: this.#desk.account.local,
        remote: { serviceId: accountId, deviceId: senderDevice },
        session: stored && parseSession(stored),
        // The signed device list says whose key it must be, not the message.
        identityKey: device.identityKey,
        message,
        preKeys: preKeySource(entry, this.#desk),
      });
      // Before the session is kept: keys that were used meanwhile begin none.
      if (decrypted.used) await usedUp(entry, this.#desk, decrypted.used);
      return { kind: "message", device, session, decrypted };
    } catch (error) {
      const apart = error instanceof SignalError &&
        OUT_OF_STEP.includes(error.code);
      if (!apart || entry.readFailed) throw error;
      return { kind: "out of step", device };
    }
  }

  /**
   * Decrypts what comes from near ahead, and from far ahead as long as its sender does not make us
   * walk in vain. Who walks us further with proof had as much work as we have.
   */
  async #decrypt(
    name: string,
    options: DecryptOptions,
  ): Promise<Decrypted> {
    const { decrypt } = await this.#desk.sessions;
    try {
      return await decrypt({ ...options, maxForwardJumps: NEAR_JUMPS });
    } catch (error) {
      const far = error instanceof SignalError &&
        error.code === "too-far-ahead";
      const failures = this.#farFailures.get(name) ?? 0;
      if (!far || failures >= MAX_FAR_FAILURES) throw error;
      // What counts is the work that was done, whether or not the disk takes what follows from it.
      this.#farFailures.set(name, failures + 1);
      const decrypted = await decrypt(options);
      this.#farFailures.delete(name);
      return decrypted;
    }
  }

  /** Parsing credentials derives public keys, which takes longer than opening an envelope. */
  async #sealKey(name: string, queue: QueueRecord): Promise<Uint8Array> {
    const known = this.#sealKeys.get(name);
    if (known) return known;
    const { sealKey } = await parseQueue(queue.credentials);
    this.#sealKeys.set(name, sealKey);
    return sealKey;
  }
}

/** What a contact's device said; undefined for what is no content of this conversation. */
function readContent(
  plaintext: Uint8Array,
  contact: Contact,
): Content | undefined {
  let content: Content;
  try {
    content = parseContent(plaintext);
  } catch {
    return undefined; // counted as unreadable by the caller
  }
  return content.conversation === contact.record.conversation
    ? content
    : undefined;
}
