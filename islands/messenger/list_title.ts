/** Element id of the heading of the list of conversations. */
export const LIST_TITLE = "list-title";

/** Whoever has lost the focus, because what had it is gone, goes on at the head of the list. */
export function focusList(): void {
  if (document.activeElement !== document.body) return;
  document.getElementById(LIST_TITLE)?.focus();
}
