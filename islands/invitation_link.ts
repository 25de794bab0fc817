/**
 * The link by which this page was opened. Its secret is in the fragment, which the address bar forgets
 * as soon as this runs; from then on it is in memory only, until the open account has it on disk,
 * encrypted. Whoever leaves the page before that is asked first.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

/** What lib/client/invitation/link_text.ts writes before it. */
const MARK = "#invite=";

const state = signal<string | undefined>(undefined);
/** `#invite=…`, until somebody has looked at it. */
export const invitationLink: ReadonlySignal<string | undefined> = state;

/** The link that was opened is on disk: the page may go. */
export function linkIsKept(): void {
  globalThis.onbeforeunload = null;
}

/** Somebody has looked at the link that was opened, or wants to look at another. */
export function followLink(link: string | undefined): void {
  // Whatever this server calls itself, a link to this page is one of its own.
  state.value = link?.replaceAll(location.origin, "");
  globalThis.onbeforeunload = link ? (event) => event.preventDefault() : null;
}

/** Starts looking for links in the address. Returns what stops it. */
export function watchInvitations(): () => void {
  const read = () => {
    const { hash, pathname, search } = location;
    if (!hash.startsWith(MARK)) return;
    history.replaceState(history.state, "", pathname + search);
    followLink(hash);
  };
  addEventListener("hashchange", read);
  read();
  return () => removeEventListener("hashchange", read);
}
