/** Whether the page is in sight: neither in a background tab nor minimised. */
import { type ReadonlySignal, signal } from "@preact/signals";

const state = signal(true);
export const pageVisible: ReadonlySignal<boolean> = state;

/** Starts watching. Returns what stops it. */
export function watchVisibility(): () => void {
  const look = () => {
    state.value = document.visibilityState === "visible";
  };
  look();
  document.addEventListener("visibilitychange", look);
  return () => document.removeEventListener("visibilitychange", look);
}
