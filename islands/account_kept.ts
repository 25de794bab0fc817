/**
 * Whether an account was stored here before, by what localStorage says: some browsers clear the
 * database when the disk runs full and leave that. A page that finds the one without the other can
 * say what happened instead of greeting a stranger. Erasing here takes both away.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Phase } from "../lib/client/view.ts";

const KEY = "whisper-account";

const state = signal(false);
/** An account was stored here and is not any more, though nobody erased it here. */
export const accountCleared: ReadonlySignal<boolean> = state;

/** Called with each place the messenger comes to. */
export function noteAccount(at: Phase["at"]): void {
  if (at === "ready" || at === "locked" || at === "logged-out") {
    localStorage.setItem(KEY, "stored");
    state.value = false;
  } else if (at === "no-account") {
    state.value = localStorage.getItem(KEY) !== null;
  }
}
