import type { QueueContext } from "./queue_context.ts";
import type { Kept } from "./stored_bytes.ts";

/** Whether the store may take that much more of blobs and pools. What takes less than before always fits. */
export function hasRoomForBlobs(
  { stored, limits }: QueueContext,
  kept: readonly Kept[],
): boolean {
  const more = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  return more <= 0 ||
    stored.hasRoom(more) && stored.blobs + more <= limits.blobBytes;
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
