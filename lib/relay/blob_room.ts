import type { QueueContext } from "./queue_context.ts";
import type { Kept } from "./stored_bytes.ts";

/** What is written in place of something. */
export type Place =
  /** Nothing, or less: it has to fit beside all there is. */
  | "none"
  /** No fewer bytes, which go when the rest has come: an eighth more is kept for these. */
  | "in-parts"
  /** No fewer bytes, which go at once. */
  | "at-once";

/** What of `blobBytes` may be taken in all. */
const SHARES: Readonly<Record<Place, number>> = {
  "none": 1,
  "in-parts": 9 / 8,
  "at-once": Infinity,
};

/**
 * Whether the store may take that much more of blobs and pools. What takes less than before always fits; and who
 * has something there may keep it up to date, however many others fill the room.
 */
export function hasRoomForBlobs(
  { stored, limits }: QueueContext,
  kept: readonly Kept[],
  place: Place = "none",
): boolean {
  const more = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  return more <= 0 ||
    stored.hasRoom(more) &&
      stored.blobs + more <= limits.blobBytes * SHARES[place];
}

/**
 * What making a blob or pool of so many bytes costs on top, in bits of work: one for each doubling
 * of what the price pays for, and as many as half the room for blobs was filled, and half of the rest…
 */
export function blobSurcharge(
  { stored, limits }: QueueContext,
  bytes: number,
): number {
  const size = Math.ceil(Math.log2(Math.max(1, sizeInWork(limits, bytes))));
  const room = Math.max(1, limits.blobBytes);
  const left = Math.max(1, room - stored.blobs);
  return size + Math.floor(Math.log2(Math.max(1, room / left)));
}

/** How many anonymous commands a blob of so many bytes counts as. */
export function blobWeight(
  { limits }: QueueContext,
  bytes: number,
): number {
  return Math.max(1, sizeInWork(limits, bytes));
}

function sizeInWork(
  { blobBytesPerWork }: QueueContext["limits"],
  bytes: number,
): number {
  return bytes / blobBytesPerWork;
}
