/** Whether the browser promised to keep what is stored here, even when the disk runs full. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";

const SEEN = "whisper-storage-notice";

const state = signal<"unknown" | "kept" | "refused">("unknown");
export const storagePromise: ReadonlySignal<typeof state.value> = state;

/** False until it is known that there is something to say. */
const unseen = signal(false);

/** The browser did not promise it, and the person has not been told. */
export const promiseMissed: ReadonlySignal<boolean> = computed(() =>
  unseen.value && state.value === "refused"
);

/** Asks for the promise, once it is known that there is something to keep. */
export async function askToKeep(): Promise<void> {
  const { storage } = navigator;
  // Where there is no such call, there is no such promise either.
  const kept = await storage?.persisted?.() || await storage?.persist?.();
  unseen.value = localStorage.getItem(SEEN) === null;
  state.value = kept ? "kept" : "refused";
}

/** The person was told; it is said once. */
export function promiseMissedSeen(): void {
  localStorage.setItem(SEEN, "seen");
  unseen.value = false;
}
