/** Signs that somebody is using the page: a key, a pointer, a wheel, or coming back to it. */
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel"] as const;

/** Calls `used` at every sign of use. Returns what stops it. */
export function watchUse(used: () => void): () => void {
  const options = { capture: true, passive: true };
  for (const sign of SIGNS) addEventListener(sign, used, options);
  document.addEventListener("visibilitychange", used);
  return () => {
    for (const sign of SIGNS) removeEventListener(sign, used, options);
    document.removeEventListener("visibilitychange", used);
  };
}
