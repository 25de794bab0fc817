/** The time as the screen needs it: to the minute, so that "Today" becomes "Yesterday" at midnight. */
import { type ReadonlySignal, signal } from "@preact/signals";

const now = signal(Date.now());
/** ms since the epoch, renewed each minute and whenever the page comes into view. */
export const minute: ReadonlySignal<number> = now;

/** Starts the clock. Returns what stops it. */
export function startClock(): () => void {
  const tick = () => {
    if (document.visibilityState === "visible") now.value = Date.now();
  };
  tick();
  const timer = setInterval(tick, 60_000);
  document.addEventListener("visibilitychange", tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}
