import { LIST_TITLE } from "./list_title.ts";

/** Whoever has lost the focus, because what had it is gone, goes on at the head of the list. */
export function focusList(): void {
  if (document.activeElement !== document.body) return;
  document.getElementById(LIST_TITLE)?.focus();
}
