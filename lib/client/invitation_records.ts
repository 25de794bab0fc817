/** What is kept of invitations by link. */
import type { Ed25519Pair } from "../wire/mod.ts";
import type { KeyPair } from "../signal/mod.ts";
import type { InvitationLink } from "./invitation/mod.ts";
import { plain } from "./record_codec.ts";
import type { RelayRecord } from "./records.ts";
import { table } from "./storage/mod.ts";
import type { InvitationFailure } from "./view.ts";

/** A link that was given out. */
export interface GivenRecord {
  /** See invitation/link_text.ts. */
  readonly secret: Uint8Array;
  readonly blob: Uint8Array;
  /** Signs what lies at the relay, and owns the blob. */
  readonly own: Ed25519Pair;
  readonly write: Ed25519Pair;
  /** Each owns a pool. */
  readonly pools: readonly Ed25519Pair[];
  readonly uses: number;
  /** Own queues of the places nobody has asked by yet, hex. */
  readonly places: readonly string[];
  /** ms since the epoch, by this device's clock. */
  readonly madeAt: number;
  /** ms since the epoch, by the relay's clock, and that minus this device's. */
  readonly expiresAt: number;
  readonly skew: number;
  /** What the relay is to have, until it has. */
  readonly unpublished?: {
    readonly whose: Uint8Array;
    /** Sealed places, by pool. */
    readonly places: readonly (readonly Uint8Array[])[];
  };
  /** It is good no more, and the relay is to be told. */
  readonly over?: true;
}

/** An own queue that is nobody's yet, by its name: what may come by it. */
export type StrangerRecord =
  | {
    readonly kind: "place";
    /** The invitation. */
    readonly of: string;
    /** Of its bundle; undefined for the last resort. */
    readonly preKey: number | undefined;
    readonly boxKey: KeyPair;
  }
  | {
    readonly kind: "answer";
    /** Whom we have asked. */
    readonly of: string;
  };

/** An envelope that somebody who is no contact is to get. */
export interface Parcel {
  /** See keys/address.ts. */
  readonly address: Uint8Array;
  /** Transport id: a repeat is the same bytes under the same id. */
  readonly id: Uint8Array;
  readonly envelope: Uint8Array;
}

/** Somebody who asks. The id is the name of the queue of their place. */
export interface RequestRecord {
  /** Theirs, see invite/card.ts. */
  readonly card: Uint8Array;
  readonly accountId: string;
  readonly name: string;
  readonly deviceId: number;
  /** In which they asked, and are answered. */
  readonly session: Uint8Array;
  readonly arrivedAt: number;
  /** Accepted: the card they get, and what was made for it. */
  readonly accepted?: {
    readonly card: Uint8Array;
    readonly queues: readonly string[];
    /** Of the bundle in it; undefined for the last resort. */
    readonly preKey: number | undefined;
  };
  /** What they are to hear. Without `accepted`: that it was refused. */
  readonly answer?: Parcel;
}

/** Somebody we ask. */
export interface AskedRecord {
  readonly name: string;
  readonly accountId: string;
  readonly accountKey: Uint8Array;
  readonly deviceList: Uint8Array;
  readonly askedAt: number;
  /** The blob of the link, which says that it was this one; missing in what was asked before it was kept. */
  readonly link?: Uint8Array;
  /** Until a place was taken. */
  readonly taking?: {
    readonly secret: Uint8Array;
    readonly ownKey: Uint8Array;
    readonly pools: readonly Uint8Array[];
    /** Under which a place is taken. */
    readonly id: Uint8Array;
    /** Where, when it is not at the own relay. */
    readonly relay?: RelayRecord;
  };
  /** Since a place was taken. */
  readonly request?: Parcel & {
    readonly deviceId: number;
    readonly session: Uint8Array;
    /** Own queues that are named in it: this device's, then the account's. */
    readonly queues: readonly string[];
    readonly sent: boolean;
  };
  readonly failed?: InvitationFailure;
}

/** A link of somebody's that was opened, until they were asked or the person wants it no more. */
export interface KeptRecord {
  readonly link: InvitationLink;
  /** Of the relay it belongs to, where it names one. */
  readonly origin: string | undefined;
  /** What they call themselves, once that was read. */
  readonly name?: string;
}

export const givenTable = table("given", plain<GivenRecord>());
export const strangerTable = table("stranger", plain<StrangerRecord>());
export const requestTable = table("request", plain<RequestRecord>());
export const askedTable = table("asked", plain<AskedRecord>());
export const keptTable = table("kept", plain<KeptRecord>());
