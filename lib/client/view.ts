/**
 * What a screen sees of the messenger: states as signals, commands as methods.
 * Islands render the first and call the second; they hold no rules of their own.
 * Nothing here knows a DOM, so the same face serves a browser and a test.
 */
import type { ReadonlySignal } from "@preact/signals-core";

/** Where the messenger as a whole stands. A screen shows exactly one of these. */
export type Phase =
  | { at: "starting" }
  /** Nothing is stored here: create an account. */
  | { at: "no-account" }
  /** An account is stored here, sealed until its access key is entered. */
  | { at: "logged-out" }
  /** An account is stored here, and its lock is shut: `lock.unlock` or `logIn`. `triesLeft`: then all is erased. */
  | { at: "locked"; by: "passphrase" | "passkey"; triesLeft?: number }
  /** Everything is being written anew under a lock just set. `share` is done, 0 to 1. Ending the page does no harm. */
  | { at: "securing"; share: number }
  /** Another tab of this browser holds the account; `takeOver` asks it to let go. */
  | { at: "elsewhere" }
  | { at: "ready" }
  /** Another device of the account has removed this one, and everything here is erased. */
  | { at: "removed" }
  /** The disk refused a write. Nothing was lost; `retry` tries again. */
  | { at: "storage-full" }
  /** What is stored can't be used; it is left untouched. */
  | {
    at: "failed";
    reason: "newer-version" | "damaged" | "storage-unavailable" | "not-loaded";
  };

/** The connection to the relay, told honestly. Times are ms since the epoch. */
export type ConnectionState =
  | { at: "connecting" }
  /** `clockOff`: how far this device's clock is ahead of the relay's, ms; only when it is far. */
  | { at: "online"; clockOff?: number }
  /** The relay can't be reached; the next try is at `retryAt`. */
  | { at: "waiting"; retryAt: number }
  /** This device has no network at all. */
  | { at: "offline" }
  /**
   * The relay is private and wants its password: `usePassword`. Writing and reading go on, nobody new
   * can be met. `changed`: there was one here, and the relay has another by now.
   */
  | { at: "password"; changed: boolean }
  /** The relay was reached and can't be used: it changed its key, or speaks another version. */
  | { at: "refused"; reason: "other-relay" | "version" };

/**
 * The account's backup at the relay. `wentBack`: the relay once had an older one than was written, by
 * a fault or on purpose; what this device has was written over it.
 */
export type BackupState = BackupStanding & { readonly wentBack: boolean };

export type BackupStanding =
  /** What changed is still to be written. */
  | { readonly at: "waiting" }
  | { readonly at: "saved" }
  /** This device has no keys for it: logging in with the access key brings them. */
  | { readonly at: "no-keys" }
  | { readonly at: "failed"; readonly reason: FailedBackup };

export type FailedBackup =
  /** There is more to be kept than the largest backup holds. */
  | "too-large"
  /** The relay does not have it any more. */
  | "gone"
  /** Another device has taken it over. */
  | "replaced"
  /** A newer program has written it. */
  | "newer-version"
  /** The relay does not take it. */
  | "refused";

/** The own device list, by what contacts have heard of it. */
export type Standing =
  | "current"
  /** There is a later one: the relay gave out an old backup, or another device has signed since. */
  | "behind"
  /** There is another one beside it: two devices went on from the same. */
  | "forked";

/** What a person can put away once they have seen it: another `standing`, or that the backup `wentBack`. */
export type Alarm = "standing" | "went-back";

/** An access key that is to take the place of the one there is. */
export type AnotherAccessKey =
  | {
    readonly ok: true;
    /** Shown once, as `NewAccount.accessKey`. */
    readonly accessKey: string;
    /** What the other devices are called, which are removed with it: anybody may have come with the old key. */
    readonly removes: readonly string[];
    /**
     * From here on the old key opens nothing. Resolves with false when nothing was changed: the old one
     * is still the key. Once at most, and not after `forget`.
     */
    commit(): Promise<boolean>;
    /** Nothing changes, and the new key is no more. */
    forget(): void;
  }
  | Extract<LogInOutcome, { readonly reason: "mistyped" | "malformed" }>
  | {
    readonly ok: false;
    readonly reason:
      | "other-account"
      /** Somebody is just being met, or may be by a link: that has to come to its end, or be withdrawn. */
      | "invite"
      /** The account has other devices, and what they wrote last can't be read now. */
      | "unreachable"
      /** It was changed as often as it can be. */
      | "too-often";
  };

/** What became of a password; "later": the relay did not answer to it. */
export type PasswordOutcome = "accepted" | "wrong" | "later";

export type DeliveryState =
  | "sending"
  | "sent"
  | "delivered"
  | "read"
  | "failed";

/** What a person's knowledge of a contact's keys is worth today. */
export type Verification =
  | "unverified"
  /** The safety number was compared, and the keys are still those. */
  | "verified"
  /** The account has another key than the person last knew, and so another safety number. */
  | "new-number"
  /** The account has a device that the person does not know of, or one that goes by another device list. */
  | "new-device";

/** What a scanned code says about the safety number. */
export type ScannedNumber =
  | "same"
  /** A safety number, and not ours: somebody sits in between, or it is that of another conversation. */
  | "different"
  /** No safety number at all. */
  | "no-number";

/** What is known of a contact, and was decided about them. */
export interface ContactState {
  /** What they are called here: the own name for them, or the one they chose; with a number where it looks like another's. */
  readonly name: string;
  /** The name they chose for themselves. */
  readonly chosenName: string;
  /** No badge, and nothing said aloud, for what they write. */
  readonly muted: boolean;
  /** Apart from the list; a new message brings it back, unless it is muted. */
  readonly archived: boolean;
  readonly blocked: boolean;
  /** Whether we can write to each other. Once blocked, not before another meeting. */
  readonly connected: boolean;
  /**
   * The relay has none of the queues any more that we write to: they have parted from us, or were away for
   * so long that it deleted them. Known once something was written since this device was started; taken
   * back when something is taken there.
   */
  readonly lost: boolean;
  readonly verification: Verification;
  /** They removed a device, and the person has not seen that yet: see `sawDevices`. */
  readonly deviceLeft: boolean;
}

/** The safety number with a contact. */
export interface SafetyNumberView {
  /** Twelve groups of five digits, the same on both sides. */
  readonly groups: readonly string[];
  /** What the QR code says, for the other side to scan. */
  readonly code: string;
}

/** How another relay was last found; `refused`: the own relay does not forward there. */
export type Reach = "unknown" | "reached" | "unreachable" | "refused";

/** By what relay somebody is reached. */
export type Route =
  | { readonly at: "own" }
  /** By way of the own one. `host`: with its port, if it is not the usual one. */
  | {
    readonly at: "other";
    readonly host: string;
    readonly reach: Reach;
    /** The own one reaches it through Tor only: always if it is an onion service, else as the own one says. */
    readonly overTor: boolean;
  };

/** What can be done about a contact. Commands resolve when the decision is on disk. */
export interface ContactView {
  readonly state: ReadonlySignal<ContactState>;
  readonly route: ReadonlySignal<Route>;
  /**
   * What goes to them by another relay takes another isolation label from now on: over Tor, another circuit.
   * What was on its way before goes on by the one it has. Rejects with `RelayError` "unreachable" when the
   * code for that can't be had.
   */
  newCircuit(): Promise<void>;
  /** The own name for them; the empty one for the name they chose. Throws RangeError for what is no name. */
  rename(name: string): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
  setArchived(archived: boolean): Promise<void>;
  /**
   * They reach us no more, at once; their queues are deleted at the relay as soon as it can be
   * reached. What was still on its way to them has failed. Nobody tells them.
   */
  block(): Promise<void>;
  /** They may be met anew, by a code. Until then nothing can be written. */
  unblock(): Promise<void>;
  /** Blocks, and forgets them and the conversation: no such conversation any more. */
  remove(): Promise<void>;
  /** About half a second of computing, in slices. Rejects when they are gone, or its code can't be had. */
  safetyNumber(): Promise<SafetyNumberView>;
  /** Compares what was scanned from their screen; "same" marks them as verified. */
  compare(scanned: string): Promise<ScannedNumber>;
  /** Marks the keys as they are now as compared with the person, or takes that back. */
  setVerified(verified: boolean): Promise<void>;
  /** The person has seen that keys changed: warned of no more, and not verified either. */
  acknowledge(): Promise<void>;
  /** The person has seen that a device was removed. What is verified stays so. */
  sawDevices(): Promise<void>;
}

/** One entry of the list of conversations, newest activity first. */
export interface ConversationSummary {
  readonly id: string;
  readonly name: string;
  readonly contact: ContactState;
  /** Unread messages. */
  readonly unread: number;
  readonly draft: string;
  /** ms since the epoch of the last message, or of the meeting when there is none. */
  readonly time: number;
  readonly last?: MessageView;
}

/** One bubble, as the deterministic fold of the conversation's log shows it. */
export interface MessageView {
  /** Content id, hex. */
  readonly id: string;
  readonly mine: boolean;
  readonly body:
    | { readonly kind: "text"; readonly text: string; readonly edited: boolean }
    /** Deleted for everyone by its author. */
    | { readonly kind: "deleted" }
    /** A body this version can't read, kept for a newer one. */
    | { readonly kind: "unknown" };
  /** ms since the epoch, by the author's clock. */
  readonly time: number;
  /** Own messages only. */
  readonly state?: DeliveryState;
}

/** An own message as it is being written anew. */
export interface Editing {
  /** Content id, hex. */
  readonly id: string;
  readonly text: string;
}

export interface ConversationView {
  readonly id: string;
  readonly name: ReadonlySignal<string>;
  /** The newest page and whatever older pages were loaded, oldest first. */
  readonly messages: ReadonlySignal<readonly MessageView[]>;
  readonly hasOlder: ReadonlySignal<boolean>;
  loadOlder(): Promise<void>;
  /**
   * Resolves when the message is committed to disk (and so shown as "sending"), not when it is sent.
   * A draft of the same text becomes the message: it is empty at once, and on disk in that same commit.
   */
  send(text: string): Promise<void>;
  /** Tries a failed message again. */
  retry(id: string): Promise<void>;
  /**
   * Replaces the text of an own message, for everyone. Resolves when that is committed to disk, and so
   * shown; it goes out like a message. One that has failed is tried again with it. Ends that the message
   * is being edited, in the same commit. Rejects with RangeError when there is no such text any more.
   */
  edit(id: string, text: string): Promise<void>;
  /** Takes back an own text message, for everyone: as `edit`. Nothing of what it said stays on this disk. */
  deleteForEveryone(id: string): Promise<void>;
  /** An own message that is being edited on this device, and its text as written so far. The draft waits meanwhile. */
  readonly editing: ReadonlySignal<Editing | undefined>;
  /** Begins to edit a message, goes on, or gives it up. Kept like a draft. */
  setEditing(editing: Editing | undefined): void;
  readonly draft: ReadonlySignal<string>;
  setDraft(text: string): void;
  /** While true, what arrives counts as read. */
  setVisible(visible: boolean): void;
  readonly contact: ContactView;
  /** Forgets what was said here, on this side. Resolves when it is gone from sight; the disk follows. */
  clear(): Promise<void>;
}

/** Why an invite came to nothing; the words for each are the screen's. */
export type InviteFailure =
  | "malformed" // not ten characters of the alphabet
  | "wrong" // the code was not the inviter's; it is burnt now
  | "expired" // or never existed: the relay does not say which
  | "used"
  | "own"
  | "other-relay" // CODE@another.relay: the own relay does not forward there
  | "unreachable" // CODE@another.relay: it is not there now
  | "already-connected"
  | "blocked" // we blocked them, and did not take it back
  | "device-list" // a known person with devices that are no longer theirs, or contradict what is known
  | "relay-misbehaved" // an answer that an honest relay would not give
  | "access" // the relay is private, and its password was not proven
  | "offline"
  | "busy"; // the relay asks for patience

export type OfferState =
  | { at: "none" }
  | { at: "making" }
  /** `code` is ten characters, no hyphens; `expiresAt` in ms since the epoch. */
  | { at: "waiting"; code: string; expiresAt: number }
  | { at: "connecting" }
  | { at: "connected"; conversation: string }
  | { at: "failed"; reason: InviteFailure };

export type JoinState =
  | { at: "none" }
  | { at: "connecting" }
  | { at: "connected"; conversation: string }
  | { at: "failed"; reason: InviteFailure };

export interface InviteView {
  readonly offer: ReadonlySignal<OfferState>;
  readonly join: ReadonlySignal<JoinState>;
  /** Asks the relay for a new code; an earlier one stops working. */
  generate(): Promise<void>;
  /** Withdraws the code. */
  withdraw(): Promise<void>;
  /** Hyphens, spaces and case in `code` do not matter; O reads as 0, I and L as 1. */
  connect(code: string): Promise<void>;
  /** Forgets the outcome of the last offer or join, so that the dialog opens clean. */
  reset(): void;
  /** Where the relay is for people elsewhere, by its own word; undefined until it was reached. */
  readonly relayUrl: ReadonlySignal<string | undefined>;
  /** Invitations by link; undefined while there are none and nobody asked for them. */
  readonly invitations: ReadonlySignal<InvitationsView | undefined>;
  /** Fetches what they take. */
  openInvitations(): Promise<InvitationsView>;
}

/** Why an invitation by link came to nothing; the words for each are the screen's. */
export type InvitationFailure =
  | "malformed" // cut, or no link at all
  | "gone" // withdrawn, or its time is long over: the relay does not say which
  | "expired"
  | "used-up" // as many have asked by it as it was made for
  | "own"
  | "other-relay" // it belongs to another relay, which the own one does not forward to
  | "access" // the own relay is private, and its password was not proven
  | "unreachable" // who is asked or answered is at another relay, which is not there now
  | "already-connected"
  | "blocked"
  | "device-list"
  | "refused" // by who gave it out
  | "withdrawn" // by who asked
  | "relay-misbehaved"
  | "offline"
  | "busy";

/** A link that was given out and is good yet. */
export interface GivenInvitation {
  readonly id: string;
  /** `#invite=…`, for a page of this relay; undefined until the relay has what it needs. */
  readonly fragment: string | undefined;
  /** How many may ask by it, and how many have. */
  readonly uses: number;
  readonly used: number;
  /** ms since the epoch, by this device's clock. */
  readonly madeAt: number;
  readonly expiresAt: number;
}

/** Somebody who asks to connect, by a link of ours. */
export interface InvitationRequest {
  readonly id: string;
  /** What they call themselves. */
  readonly name: string;
  /** ms since the epoch. */
  readonly arrivedAt: number;
  /** It was accepted, and they are being told. */
  readonly accepting: boolean;
}

/** Somebody we have asked, by a link of theirs. */
export interface AskedInvitation {
  readonly id: string;
  readonly name: string;
  readonly state:
    | { readonly at: "sending" }
    /** They have not answered yet. */
    | { readonly at: "waiting" }
    /** Stays until it is taken back. */
    | { readonly at: "failed"; readonly reason: InvitationFailure };
}

/** A link of somebody's that was opened, and by which nobody was asked yet. */
export interface KeptInvitation {
  readonly id: string;
  /** What they call themselves; undefined until it was read. */
  readonly name: string | undefined;
  /** For `open`. */
  readonly link: string;
}

export type InvitationMaking =
  | { readonly at: "none" }
  | { readonly at: "making" }
  | { readonly at: "made"; readonly id: string }
  | { readonly at: "failed"; readonly reason: InvitationFailure };

/** What is known of a link that somebody has opened here. Nobody was asked anything yet. */
export type OpenedInvitation =
  | { readonly at: "none" }
  | { readonly at: "looking" }
  /** `host`: of the relay it belongs to, when that is not the own one. */
  | {
    readonly at: "found";
    readonly name: string;
    readonly host: string | undefined;
  }
  /** The person was asked: see `asked`. */
  | { readonly at: "asked"; readonly id: string; readonly name: string }
  | { readonly at: "failed"; readonly reason: InvitationFailure };

/** What just came of a request or an answer to one. */
export type InvitationOutcome =
  | { readonly at: "connected"; readonly conversation: string }
  /** A request that was accepted came to nothing. */
  | {
    readonly at: "failed";
    readonly name: string;
    readonly reason: InvitationFailure;
  };

export interface InvitationsView {
  /** Newest first. */
  readonly given: ReadonlySignal<readonly GivenInvitation[]>;
  readonly making: ReadonlySignal<InvitationMaking>;
  readonly requests: ReadonlySignal<readonly InvitationRequest[]>;
  readonly asked: ReadonlySignal<readonly AskedInvitation[]>;
  /** Oldest first, without the one that is open now. */
  readonly kept: ReadonlySignal<readonly KeptInvitation[]>;
  /** "none" until it is kept. */
  readonly opened: ReadonlySignal<OpenedInvitation>;
  readonly outcome: ReadonlySignal<InvitationOutcome | undefined>;
  /** Makes a link that is good for `lifetime` ms and `uses` people; nothing while another is being made. */
  create(terms: { lifetime: number; uses: number }): Promise<void>;
  /** It works no more, at once; who asked by it already can still be accepted. */
  revoke(id: string): Promise<void>;
  accept(id: string): Promise<void>;
  /** They are told that it was refused. */
  refuse(id: string): Promise<void>;
  /**
   * Looks whose link it is, and keeps it until they are asked. `link`: the whole, or `#invite=…` alone for
   * one of this relay.
   */
  open(link: string): Promise<void>;
  /** Asks who gave out the link that was opened. */
  ask(): Promise<void>;
  /** Forgets a link that was kept. */
  dismiss(id: string): Promise<void>;
  /** Takes back what was asked, or forgets that it failed. */
  takeBack(id: string): Promise<void>;
  /** Forgets the link that was opened, and what was made. */
  reset(): void;
  /** Forgets the outcome. */
  noted(): void;
}

/** A device of the account. */
export interface DeviceView {
  readonly id: number;
  /**
   * Empty when it did not say, or nothing was heard of it yet. With a number where it looks like that of one
   * that was added before.
   */
  readonly name: string;
  /** What it says that it is called. */
  readonly chosenName: string;
  /** ms since the epoch, a day's beginning; 0 when it is not known. */
  readonly lastUsed: number;
  /** Whether it is this one. */
  readonly own: boolean;
}

/** A device that came or went, and that the person has not been told of. */
export interface DeviceNews {
  readonly what: "added" | "removed";
  readonly name: string;
  /** It was removed on this device. */
  readonly here?: true;
}

export type RemovalOutcome =
  | { readonly ok: true }
  | Extract<
    LogInOutcome,
    { reason: "mistyped" | "malformed" | "other-account" | "unreachable" }
  >
  /** It is none of the account's, any more, or it is this one. */
  | { readonly ok: false; readonly reason: "no-such-device" }
  /** There is no backup whose keys could be replaced: logging in with the access key brings one. */
  | { readonly ok: false; readonly reason: "no-backup" };

/** The past on its way from one device of the account to another. Messages are counted. */
export interface HistoryView {
  /** It came beside others, and has neither asked for what was said before nor declined. */
  readonly due?: true;
  /** What this device asked for, until the person has seen how it ended. */
  readonly taking?: {
    /** "expired": no other device has answered for two weeks. */
    readonly at:
      | "asked"
      | "taking"
      | "done"
      | "refused"
      | "stopped"
      | "expired";
    readonly taken: number;
    readonly total: number;
    /** Id of the device that gives it; undefined while none does. */
    readonly from?: number;
  };
  /** Devices that asked this one. */
  readonly giving: readonly {
    /** Its id. */
    readonly to: number;
    /** ms since the epoch. */
    readonly since: number;
    /** "asked": nothing goes before the person has confirmed. */
    readonly at: "asked" | "giving";
    readonly given: number;
    readonly total: number;
  }[];
}

export interface DevicesView {
  /** This device first. */
  readonly list: ReadonlySignal<readonly DeviceView[]>;
  readonly news: ReadonlySignal<readonly DeviceNews[]>;
  /** The person has seen the news. */
  dismiss(): Promise<void>;
  /**
   * Calls this device otherwise, on all of the account's. Throws RangeError for what is no name, as for
   * people.
   */
  rename(name: string): Promise<void>;
  /**
   * Shuts a device out: contacts and other devices hear of it, it receives nothing more, writes nothing
   * that is believed, and can't read the backup from then on. Resolves when it is decided, on disk.
   */
  remove(id: number, accessKey: string): Promise<RemovalOutcome>;
  readonly history: ReadonlySignal<HistoryView>;
  /**
   * This device was away for longer than its server keeps what waits for it: some of what was said may not be
   * here. Until the person has seen that.
   */
  readonly missed: ReadonlySignal<boolean>;
  sawMissed(): Promise<void>;
  /** Asks all other devices for what was said before this one came, or is not here. */
  askHistory(): Promise<void>;
  /** Ends it, forgets how it ended, or declines what is offered. */
  stopHistory(): Promise<void>;
  /** Lets a device that asked have it. */
  confirmHistory(device: number): Promise<void>;
  /** Does not, or no more. */
  refuseHistory(device: number): Promise<void>;
}

/** What `logIn` says of a key that did not open the account. */
export type LogInOutcome =
  | { ok: true }
  /** The check characters locate one mistyped character: `group` 1..8 of four. */
  | { ok: false; reason: "mistyped"; group: number }
  /** Not 32 characters of the alphabet, or more than one is wrong. */
  | { ok: false; reason: "malformed" }
  /** A valid key, of another account than the one stored here. */
  | { ok: false; reason: "other-account" }
  /** A valid key, and neither this browser nor the relay has an account of it. */
  | { ok: false; reason: "nothing-here" }
  /** Nothing is stored here, and the relay can't be asked. */
  | { ok: false; reason: "unreachable" }
  /** Nothing is stored here, and what the relay has can't be read. */
  | { ok: false; reason: "damaged" }
  | { ok: false; reason: "newer-version" }
  /** Nothing is stored here, and the relay has a backup: `comeBack` goes on with it. */
  | {
    ok: false;
    reason: "found";
    /** The person's own name. */
    name: string;
    /** How many contacts there are. */
    contacts: number;
    /** How many devices the account has. */
    devices: number;
  }
  /** The account has as many devices as there can be. */
  | { ok: false; reason: "too-many-devices" };

/** What becomes of moving here from another server. */
export type MoveOutcome =
  | LogInOutcome
  /** What was entered is no server's address. */
  | { ok: false; reason: "server-malformed" }
  /** It is the one of this page. */
  | { ok: false; reason: "server-is-this" }
  /** This server can't reach it now. */
  | { ok: false; reason: "server-unreachable" }
  /** This server does not forward there. */
  | { ok: false; reason: "server-refused" }
  /** This server is private, and wants its password first. */
  | {
    ok: false;
    reason: "server-password";
    standing: "wanted" | "wrong";
  };

/** A server that the account has moved away from, where something of it is still to be done. */
export interface LeftServer {
  /** With its port, if it is not the usual one. */
  readonly host: string;
  readonly reach: Reach;
}

/** Whether the devices that the account has stay. */
export type ComeBack = "beside" | "instead";

/** A new account, not yet stored: it exists from `commit` on. */
export interface NewAccount {
  /** 32 characters in groups of four, joined by hyphens. Shown once. */
  readonly accessKey: string;
  /** Stores the account and brings the messenger to "ready". */
  commit(): Promise<void>;
}

export type LockKind = "none" | "passphrase" | "passkey";

/** Why a lock was not changed or opened. */
export type LockRefusal =
  /** Not the passphrase or passkey of the lock that is set. */
  | { readonly ok: false; readonly reason: "wrong" }
  /** The passkey was called off, is not there, or computes no secrets. */
  | { readonly ok: false; readonly reason: "no-passkey" };

export type LockChange =
  | { readonly ok: true }
  | LockRefusal
  /** A new passphrase has at least eight characters. */
  | { readonly ok: false; readonly reason: "short" }
  /** The disk did not take it; the phase says more. */
  | { readonly ok: false; readonly reason: "not-stored" };

export type UnlockOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "no-passkey" | "erased" }
  /** `triesLeft` until everything is erased, when that was asked for. */
  | {
    readonly ok: false;
    readonly reason: "wrong";
    readonly triesLeft?: number;
  };

/**
 * The lock of this browser. `current` is the passphrase of the lock that is set, where it is one; a
 * passkey is asked for by itself. A passphrase takes about a second.
 */
export interface LockView {
  readonly kind: ReadonlySignal<LockKind>;
  /** Whether this browser has passkeys. */
  readonly passkeys: boolean;
  /** Minutes without use after which it locks by itself; 0: never. */
  readonly autoLock: ReadonlySignal<number>;
  /** Wrong passphrases in a row after which everything is erased; 0: never. */
  readonly eraseAfter: ReadonlySignal<number>;
  setPassphrase(passphrase: string, current?: string): Promise<LockChange>;
  setPasskey(current?: string): Promise<LockChange>;
  remove(current?: string): Promise<LockChange>;
  setAutoLock(minutes: number): Promise<void>;
  setEraseAfter(tries: number): Promise<void>;
  /** Shuts it now: what is in memory is forgotten, nothing is received until it is opened. */
  lock(): Promise<void>;
  unlock(passphrase?: string): Promise<UnlockOutcome>;
}

export interface MessengerView {
  readonly phase: ReadonlySignal<Phase>;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly me: ReadonlySignal<{ readonly name: string } | undefined>;
  readonly conversations: ReadonlySignal<readonly ConversationSummary[]>;
  readonly invite: InviteView;
  /** undefined when there is no such conversation (any more). */
  conversation(id: string): ConversationView | undefined;
  /** Throws when an account is already stored here. `displayName`: 1..64 characters after trimming. */
  newAccount(displayName: string): Promise<NewAccount>;
  logIn(accessKey: string): Promise<LogInOutcome>;
  /**
   * From "no-account", when `logIn` has found a backup: this browser becomes a device of the account,
   * beside those there are or instead of them. Then they receive nothing more and write no backup.
   */
  comeBack(accessKey: string, how: ComeBack): Promise<LogInOutcome>;
  /**
   * From "no-account": looks for an account at another server, by its host as a person writes it. Nothing
   * changes. `password`: of this server, when it is private.
   */
  findElsewhere(
    accessKey: string,
    server: string,
    password?: string,
  ): Promise<MoveOutcome>;
  /**
   * From "no-account", when `findElsewhere` has found it: this browser becomes the only device of the
   * account, whose server is the one of this page from then on. Nothing at the other one changes before that.
   */
  moveHere(
    accessKey: string,
    server: string,
    password?: string,
  ): Promise<MoveOutcome>;
  /** Servers that the account has left, as long as something of it is there. */
  readonly left: ReadonlySignal<readonly LeftServer[]>;
  /** Begins another access key for the open account, whose present one is `accessKey`. */
  changeAccessKey(accessKey: string): Promise<AnotherAccessKey>;
  /** Seals what is stored: from here on only the access key opens it. */
  logOut(): Promise<void>;
  readonly lock: LockView;
  /** The person did something: puts off locking by itself. */
  touched(): void;
  /** Erases everything that is stored here, whatever opens it. Nobody is told. */
  erase(): Promise<void>;
  /** From "elsewhere": the other tab stops, this one goes on. */
  takeOver(): Promise<void>;
  /** From "storage-full": tries the write again. */
  retry(): Promise<void>;
  /** Tries the relay now instead of at `retryAt`. */
  reconnect(): void;
  readonly backup: ReadonlySignal<BackupState>;
  readonly standing: ReadonlySignal<Standing>;
  /**
   * The person has seen an alarm: it is not said again of the same device list, or of the version of the
   * backup that was missed, but of another it is. Rejects when its code can't be had.
   */
  putAway(alarm: Alarm): Promise<void>;
  readonly devices: DevicesView;
  /** Proves the password of a private relay, and keeps it encrypted. Takes about half a second. */
  usePassword(password: string): Promise<PasswordOutcome>;
  readonly settings: {
    readonly deliveryReceipts: ReadonlySignal<boolean>;
    readonly readReceipts: ReadonlySignal<boolean>;
    setDeliveryReceipts(on: boolean): Promise<void>;
    setReadReceipts(on: boolean): Promise<void>;
  };
  /**
   * Contacts and messages, not keys, as pieces of one JSON text. Not encrypted. See export.ts for its fields.
   */
  exportData(): AsyncIterable<string>;
  /** Stops timers, socket and locks; what is stored stays. */
  close(): Promise<void>;
}
