/** What the messenger keeps in the vault, besides the conversations' logs: the shape of every record. */
import type { ContactSettings } from "./contact_settings.ts";
import type { DeviceListClaim } from "./keys/mod.ts";
import { plain, raw } from "./record_codec.ts";
import type { KyberPreKey, PreKey, SignedPreKey } from "../signal/mod.ts";
import { table } from "./storage/mod.ts";

/** The id of tables that hold one record. */
export const SELF = "self";

export interface AccountRecord {
  readonly name: string;
  readonly accountId: string;
  /** 33 bytes. */
  readonly accountKey: Uint8Array;
  /** How the account came to it from its first key, if it is another one; see keys/succession.ts. */
  readonly successions?: readonly Uint8Array[];
  /** Public half, 33 bytes: what is sealed to it opens with the access key. */
  readonly recoveryKey: Uint8Array;
  /** Signed, see keys/device_list.ts. */
  readonly deviceList: Uint8Array;
  /** See keys/device.ts. */
  readonly device: Uint8Array;
}

/** See forward/labels.ts. */
export interface IsolationRecord {
  readonly label: Uint8Array;
}

/** The relay as first met: one that answers with another key is another relay. */
export interface RelayRecord {
  readonly url: string;
  readonly key: Uint8Array;
  /** What the password of a private relay stands for there: an Ed25519 seed, see wire/access_seed.ts. */
  readonly access?: Uint8Array;
}

export interface CountersRecord {
  /** Of the subscriptions of this device: rises whenever the account is opened. */
  readonly generation: number;
  /** The next id of prekeys that were made one by one, before there was a stock. */
  readonly nextPreKey?: number;
}

export interface SettingsRecord {
  readonly deliveryReceipts: boolean;
  readonly readReceipts: boolean;
}

/** What was chosen for this device, and for no other of the account's. */
export interface DeviceSettingsRecord {
  /** Minutes without use after which it locks by itself; 0: never. */
  readonly autoLock: number;
}

export interface ContactsRecord {
  /** Account ids, in the order of meeting. */
  readonly ids: readonly string[];
}

export interface ContactRecord {
  readonly accountId: string;
  /** The name they chose for themselves. */
  readonly name: string;
  readonly accountKey: Uint8Array;
  /** How their account came to its key, oldest first; none where it is the first. See keys/succession.ts. */
  readonly successions?: readonly Uint8Array[];
  readonly deviceList: Uint8Array;
  /** Where their devices receive from us; none after a parting. */
  readonly devices: readonly {
    readonly id: number;
    readonly address: Uint8Array;
    /** The pool of bundles that waits there for us, if it has told: see pool/pool_way.ts. */
    readonly pool?: Uint8Array;
  }[];
  /** Where the person receives from us, whatever became of their devices; none after a parting. */
  readonly accountAddress?: Uint8Array;
  /**
   * Own queues that only they can send to, hex: this device's, then the account's, then such as the
   * account had before, until the contact knows better; none after a parting.
   */
  readonly queues: readonly string[];
  /** Queues that others took the place of because somebody who is none of theirs any more knew them. */
  readonly renewed?: {
    /** Of this device, hex, beside `queues`, and of the account, hex, among them: until all know the new ones. */
    readonly own: readonly string[];
    readonly shared: readonly string[];
    /** Ids of their devices that know the new ones. */
    readonly known: readonly number[];
  };
  /** Queues of the account, hex, that are not to be taken up again. */
  readonly givenUp?: readonly string[];
  /** One of their devices was removed, and the person has not seen that yet. */
  readonly deviceLeft?: true;
  /** 16 bytes, hex. */
  readonly conversation: string;
  /** ms since the epoch. */
  readonly metAt: number;
  /** The lists that were known before this one, the last ones: by what a message says of its author's list. */
  readonly earlierLists?: readonly DeviceListClaim[];
  /** What a device of theirs last said of a list that can't be in one chain with those that are known. */
  readonly listClaim?: {
    readonly version: number;
    readonly hash: Uint8Array;
    /** The person was warned, and has looked at it. */
    readonly seen: boolean;
  };
  readonly settings: ContactSettings;
}

/** What this device has told a contact of the own account. */
export interface AnnouncedRecord {
  /** Of the own device list. */
  readonly version: number;
  /** When, by this device's clock, ms since the epoch. */
  readonly at: number;
}

/** What the devices of a contact have told, by identity key, hex. */
export interface HeardRecord {
  readonly devices: Readonly<
    Record<string, {
      /** When it last announced itself, by its clock, ms since the epoch; 0: never. */
      readonly announced: number;
      /** The version of their backup that it last told. */
      readonly backupVersion: number;
      /** When it was last answered that there is a newer list, by this device's clock, ms since the epoch. */
      readonly answered?: number;
    }>
  >;
  /** Identity keys, hex, of devices that were removed: what these say is not heard. */
  readonly gone?: readonly string[];
}

/** What was done for a session with a device of a contact that came apart; the id is the session's name. */
export interface RepairRecord {
  /** When the device was last asked for another session, ms since the epoch. */
  readonly asked?: number;
  /** What it was given when it asked: since when that is counted (ms since the epoch), and how often. */
  readonly given?: { readonly since: number; readonly times: number };
  /** Of an own device: when the first session with it began, ms since the epoch. */
  readonly came?: number;
  /** Of an own device: when it said what was read of it last, ms since the epoch by its clock, to within a minute. */
  readonly heard?: number;
  /** Of an own device: it was asked what it told since then, by its clock, and has yet to answer. */
  readonly missing?: number;
}

/** Conversations, hex, whose contacts were deleted, and whose messages are still being erased. */
export interface LeavingRecord {
  readonly conversations: readonly string[];
}

/** A relay that the account has moved away from, where something of it still is. */
export interface LeftRelay {
  readonly url: string;
  readonly key: Uint8Array;
  /** Since when this device knows that, ms since the epoch. */
  readonly since: number;
}

/** An own queue. */
export interface QueueRecord {
  /** See keys/queue.ts. */
  readonly credentials: Uint8Array;
  /** The remove key, sealed to the recovery key: for the backup. */
  readonly removeKey: Uint8Array;
  /** Who sends to it; undefined until the invite that made it has come to something. */
  readonly contact?: string;
  /** The last transport ids, newest last: what is delivered again is known by them. */
  readonly recent: readonly Uint8Array[];
  /** Since when another one has taken its place, ms since the epoch; who does not know may still send here. */
  readonly retired?: number;
  /** Where it is, if not at the own relay. */
  readonly left?: LeftRelay;
  /** Of the queue by which the other own devices reach this one: its address, signed for them; see keys/own_address.ts. */
  readonly signed?: { readonly since: number; readonly signature: Uint8Array };
  /** Envelopes that could not be read. */
  readonly unreadable: number;
}

/** Own queues, hex, that nobody needs any more and the relay still has. */
export interface DiscardedRecord {
  readonly queues: readonly string[];
  /** Those of a device that was removed: as the relay names them, and the seeds of their remove keys. */
  readonly condemned?: readonly CondemnedQueue[];
}

export interface CondemnedQueue {
  readonly id: Uint8Array;
  readonly seed: Uint8Array;
  /** Where it is, if not at the own relay. */
  readonly left?: LeftRelay;
}

/** An envelope on its way, as it was sealed: a repeat is the same bytes under the same id. */
export interface OutgoingRecord {
  /** Transport id, 16 random bytes. */
  readonly id: Uint8Array;
  readonly envelope: Uint8Array;
  /** The message of the log that it carries; nothing for receipts and greetings. */
  readonly message?: { readonly conversation: string; readonly id: string };
}

/** One per destination queue: its entries of `outgoing` are first (inclusive) to next (exclusive). */
export interface LaneRecord {
  readonly first: number;
  readonly next: number;
}

/** Messages, by content id, that wait for a session with a device of a contact; the id is the session's name. */
export interface UnsentRecord {
  readonly ids: readonly string[];
  /** Messages that it has been sent, and of which it is to hear how they were changed. */
  readonly changed?: readonly string[];
}

/** Receipts to be sent to a contact: content ids, hex. */
export interface DueRecord {
  readonly delivered: readonly string[];
  readonly read: readonly string[];
}

/** What this device needs to write and read the account's backup; 32 bytes each but the box. */
export interface BackupKeysRecord {
  readonly readSeed: Uint8Array;
  readonly ownKey: Uint8Array;
  /** Until the relay has made the blob; then only the access key gives it another write key. */
  readonly ownSeed?: Uint8Array;
  readonly writeSeed: Uint8Array;
  /** See backup/epoch_key.ts. */
  readonly key: {
    readonly epoch: number;
    readonly key: Uint8Array;
    readonly box: Uint8Array;
  };
}

/** How far the backup is. */
export interface BackupRecord {
  /** See backup/cell_codec.ts: what the backup is to say. */
  readonly cells: Uint8Array;
  /** See backup/restate.ts: what this device had when it last looked. */
  readonly glimpse: readonly (readonly [string, string])[];
  /** The version that `cells` are, written or on their way; it never falls. */
  readonly version: number;
  /** The version of the blob at the relay that the next one replaces. */
  readonly base: number;
  /** The last version that the relay is known to have, 0 for none, and since when (ms since the epoch). */
  readonly written: { readonly version: number; readonly at: number };
  /** The last version that this device has written itself, if it has. */
  readonly own?: number;
  /** Whether the relay once had an older one than was written. */
  readonly wentBack: boolean;
  /** The highest version that this device has read there, of those that it did not write itself. */
  readonly read?: number;
  /** The highest version that others have heard of, from other devices of the account than this one. */
  readonly told?: number;
}

/** The devices of the account, and how they reach each other. */
export interface OwnDevicesRecord {
  /** The own queue by which the others reach this one, hex. */
  readonly queue: string;
  /** Those that it took the place of because devices that were removed knew them; see devices/renewal.ts. */
  readonly renewed?: Pick<
    NonNullable<ContactRecord["renewed"]>,
    "own" | "known"
  >;
  /** What this device is called. */
  readonly name: string;
  /** When it was last used, in days since 1970. */
  readonly day: number;
  readonly others: readonly OtherDeviceRecord[];
  /** Where such as were removed receive: they are told so. */
  readonly former?: readonly Uint8Array[];
  /** This device was removed: nothing of it is to stay here. */
  readonly removed?: true;
  /** Devices that came or went, until the person has seen it. */
  readonly news?: readonly DeviceNewsRecord[];
}

export interface DeviceNewsRecord {
  readonly what: "added" | "removed";
  readonly id: number;
  /** Of one that was removed since, as far as it is known. */
  readonly name?: string;
  /** It was removed on this device. */
  readonly here?: true;
}

/** Another device of the account, as it says of itself. */
export interface OtherDeviceRecord {
  readonly id: number;
  /** Where it receives from the others. */
  readonly address: Uint8Array;
  /** Of that address; see keys/own_address.ts. */
  readonly since?: number;
  readonly name: string;
  readonly day: number;
}

/** When this device was last there. */
export interface PresenceRecord {
  /** By the relay's clock, ms since the epoch. */
  readonly at: number;
  /** It was away for longer than the relay keeps what waits, and the person has not seen that. */
  readonly missed?: true;
}

/** Conversations, hex, of whose drafts the other devices are still to hear. */
export interface DraftsDueRecord {
  readonly conversations: readonly string[];
}

/** Backups of before another access key, or another relay, until they are deleted there. */
export interface FormerBackupsRecord {
  readonly backups: readonly {
    /** 16 bytes, as the relay names the blob. */
    readonly blob: Uint8Array;
    /** Seed of the key that deletes it. */
    readonly ownSeed: Uint8Array;
    /** Where it is, if not at the own relay, and the seed of the key that reads it. */
    readonly left?: LeftRelay & { readonly readSeed: Uint8Array };
  }[];
}

/** The access key was changed, and the queues that a backup of before names are still in use. */
export interface KeyChangedRecord {
  readonly due: true;
  /** The other devices of then, which are none of the account's any more: they are still to be told so. */
  readonly removed?: readonly Pick<OtherDeviceRecord, "id" | "address">[];
}

/** A device is being removed, until the backup at the relay says so: see backup/removal.ts. */
export interface RemovalRecord {
  /** The identity key of the device. */
  readonly device: Uint8Array;
  /** The list without it, signed. */
  readonly deviceList: Uint8Array;
  /** Of the epoch of the backup that begins with that. */
  readonly keys: BackupKeysRecord & { readonly ownSeed: Uint8Array };
  /** All other devices there were: nothing is left of those that are gone in the end, whoever removed them. */
  readonly others: readonly GoingDeviceRecord[];
}

export interface GoingDeviceRecord {
  readonly identityKey: Uint8Array;
  /** The queues by which contacts reach it. */
  readonly condemned: readonly CondemnedQueue[];
}

/** What was heard of the own device list, when it can't be so: see view.ts. */
export interface StandingRecord {
  readonly at: "behind" | "forked";
  /** The lists that said so, by the beginning of their hash, hex: the last ones. Builds before did not keep them. */
  readonly lists?: readonly string[];
  /** The person has seen it, or what was missing came: only another list says it again. */
  readonly seen?: true;
}

export const accountTable = table("account", plain<AccountRecord>());
export const relayTable = table("relay", plain<RelayRecord>());
export const countersTable = table("counters", plain<CountersRecord>());
export const settingsTable = table("settings", plain<SettingsRecord>());
export const deviceSettingsTable = table(
  "device settings",
  plain<DeviceSettingsRecord>(),
);
export const backupKeysTable = table(
  "backup keys",
  plain<BackupKeysRecord>(),
);
export const backupTable = table("backup", plain<BackupRecord>());
export const formerBackupsTable = table(
  "former backups",
  plain<FormerBackupsRecord>(),
);
export const keyChangedTable = table(
  "key changed",
  plain<KeyChangedRecord>(),
);
export const removalTable = table("removal", plain<RemovalRecord>());
export const standingTable = table("standing", plain<StandingRecord>());
export const ownDevicesTable = table("own devices", plain<OwnDevicesRecord>());
/** What waits for a session with another own device: one lane for each, by the session's name. */
export const owedTable = table("owed", plain<LaneRecord>());
/** Contents, by the session's name and their number in that lane. */
export const owedContentTable = table("owed content", raw);
export const draftsDueTable = table("drafts due", plain<DraftsDueRecord>());
export const contactsTable = table("contacts", plain<ContactsRecord>());
export const contactTable = table("contact", plain<ContactRecord>());
export const presenceTable = table("presence", plain<PresenceRecord>());
export const announcedTable = table("announced", plain<AnnouncedRecord>());
export const heardTable = table("heard", plain<HeardRecord>());
export const repairTable = table("repair", plain<RepairRecord>());
export const isolationTable = table("isolation", plain<IsolationRecord>());
export const leavingTable = table("leaving", plain<LeavingRecord>());
export const queueTable = table("queue", plain<QueueRecord>());
export const discardedTable = table("discarded", plain<DiscardedRecord>());
/** All of this device's prekeys. */
export interface PreKeysRecord {
  /** See lib/signal/prekey_stock_codec.ts. */
  readonly stock: Uint8Array;
  /** When everything that had arrived was last read, ms since the epoch. */
  readonly caughtUp: number;
  /** ms since the epoch. */
  readonly madeAt: number;
}

export const preKeysTable = table("prekeys", plain<PreKeysRecord>());
/** Prekeys that were made one by one, before there was a stock: read until they are dropped. */
export const preKeyTable = table("prekey", plain<PreKey>());
export const kyberPreKeyTable = table("kyber prekey", plain<KyberPreKey>());
export const signedPreKeyTable = table("signed prekey", plain<SignedPreKey>());
export const sessionTable = table("session", raw);
export const laneTable = table("lane", plain<LaneRecord>());
export const outgoingTable = table("outgoing", plain<OutgoingRecord>());
export const unsentTable = table("unsent", plain<UnsentRecord>());
export const dueTable = table("due", plain<DueRecord>());

/** An invite under way, of either role. */
export interface InviteRecord {
  /** Ed25519: who we are at the rendezvous; public key and seed. */
  readonly rendezvous: {
    readonly publicKey: Uint8Array;
    readonly seed: Uint8Array;
  };
  /** Own queues made for whom we meet: this device's, then the account's. */
  readonly queues: readonly string[];
  /** The one-time prekeys of the bundle in our card; an inviter has one. */
  readonly preKey?: number;
  /** See invite/handshake_codec.ts. */
  readonly handshake: Uint8Array;
  /** The relay's clock minus this device's, in ms. */
  readonly skew: number;
  /** Where the rendezvous is, when it is not at the own relay. */
  readonly relay?: RelayRecord;
}

/** Joins that failed, kept until their code has expired: there is one try. */
export interface TriedRecord {
  readonly handshakes: readonly Uint8Array[];
}

/** Ids: "offer", "join". */
export const inviteTable = table("invite", plain<InviteRecord>());
export const triedTable = table("tried", plain<TriedRecord>());

/** Invitations by link: what there is of them, by id. See invitation_records.ts. */
export interface DoorsRecord {
  readonly given: readonly string[];
  readonly requests: readonly string[];
  readonly asked: readonly string[];
  /** Missing in what was written before there were any. */
  readonly kept?: readonly string[];
}

export const doorsTable = table("doors", plain<DoorsRecord>());
