/** How far the past has gone from one device to another, on both of them. */
import type { MessageKey } from "../content/mod.ts";
import { plain } from "../record_codec.ts";
import { table } from "../storage/mod.ts";

export interface HistoryRecord {
  /** What this device asked for. */
  readonly taking?: TakingRecord;
  /** What others asked of it: one for each. */
  readonly giving: readonly GivingRecord[];
  /** It came beside others, and has neither asked for what was said before nor declined. */
  readonly due?: true;
}

export interface TakingRecord {
  readonly run: string;
  readonly at: "asked" | "taking" | "done" | "refused" | "stopped" | "expired";
  /** When something was last heard of it, by this device's clock, ms since the epoch. */
  readonly heard: number;
  /** Ids of the devices that may still confirm. */
  readonly asked: readonly number[];
  /** The one that did. */
  readonly from?: number;
  readonly total: number;
  readonly taken: number;
  /** The index of the chunk that is to come next. */
  readonly next: number;
  /** Where conversations begin so far, by account id: see content/log_history.ts. */
  readonly floors: Readonly<Record<string, number>>;
}

export interface GivingRecord {
  readonly run: string;
  readonly at: "asked" | "giving";
  /** Id of the device that asked, and its identity key: ids are given again. */
  readonly to: number;
  readonly identityKey: Uint8Array;
  /** When it asked, by this device's clock, ms since the epoch. */
  readonly since: number;
  /** When it was last heard of. */
  readonly heard: number;
  readonly total: number;
  /** Messages that the other has. */
  readonly given: number;
  /** The index of the next chunk. */
  readonly next: number;
  /** Messages in the chunks before `next`. */
  readonly sent: number;
  /** Whether the last chunk is among them. */
  readonly ended: boolean;
  /** Conversations of which something is left, by account id. */
  readonly cursors: readonly CursorRecord[];
  /** Chunks that the other has not said it has, oldest first: where each began. */
  readonly flight: readonly FlightRecord[];
}

export interface CursorRecord {
  readonly about: string;
  /** The rank of what was given last, or of the newest: the conversation with the newest goes next. */
  readonly rank: number;
  /** The last message that was given whole. */
  readonly before?: MessageKey;
  /** How many parts were given of the one that is next. */
  readonly part: number;
}

export interface FlightRecord {
  readonly index: number;
  /** Messages in those before it. */
  readonly sent: number;
  /** Undefined for one that holds nothing. */
  readonly cursor?: CursorRecord;
}

export const historyTable = table("history", plain<HistoryRecord>());
