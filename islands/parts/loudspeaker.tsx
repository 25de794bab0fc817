/** One live region for the page: `announce` has a screen reader say something when it is done with what it says. */
import { signal } from "@preact/signals";

const words = signal("");
let clearing: ReturnType<typeof setTimeout> | undefined;

export function announce(message: string): void {
  // The same words twice are said twice only when the text changes in between.
  words.value = words.value === message ? `${message}\u00a0` : message;
  clearTimeout(clearing);
  // Long said by then; who reads through the page should not come upon it.
  clearing = setTimeout(() => {
    words.value = "";
  }, 5000);
}

export function Loudspeaker() {
  return <p class="unseen" aria-live="polite">{words}</p>;
}
