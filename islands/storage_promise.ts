/** Whether the browser promised to keep what is stored here, even when the disk runs full. */
import { type ReadonlySignal, signal } from "@preact/signals";

const state = signal<"unknown" | "kept" | "refused">("unknown");
export const storagePromise: ReadonlySignal<typeof state.value> = state;

/** Asks for the promise, once it is known that there is something to keep. */
export async function askToKeep(): Promise<void> {
  const { storage } = navigator;
  // Where there is no such call, there is no such promise either.
  const kept = await storage?.persisted?.() || await storage?.persist?.();
  state.value = kept ? "kept" : "refused";
}
