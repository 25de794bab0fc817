/**
 * Where the person is, on the browser's own history, so that back (button, key or gesture) does what
 * is expected. Nothing that identifies a person or conversation goes into the URL; an open
 * conversation is noted in `history.state` as a 32-bit fingerprint, enough to find it again on reload.
 */
import { signal } from "@preact/signals";

export type Step = "landing" | "create" | "log-in";

export interface Place {
  /** While there is no account. */
  readonly step: Step;
  /** Fingerprint of the open conversation. */
  readonly open?: number;
  /** One step back within this page undoes this place. */
  readonly entered: boolean;
}

const START: Place = { step: "landing", entered: false };

/** Read-only outside this file. */
export const place = signal<Place>(START);

/** FNV-1a over UTF-16 units, 32 bits. Not a secret, only shorter than the id. */
export function fingerprint(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** What `history.state` says, whoever wrote it: an older version, or nobody. */
export function parsePlace(state: unknown): Place {
  if (typeof state !== "object" || state === null) return START;
  const { step, open, entered } = state as Record<string, unknown>;
  return {
    step: step === "create" || step === "log-in" ? step : "landing",
    ...(typeof open === "number" ? { open } : {}),
    entered: entered === true,
  };
}

let held: Place | undefined;

/** Until what it returns is called, back stays here: leaving would lose what can't be had again. */
export function stayHere(): () => void {
  held = place.value;
  return () => {
    held = undefined;
  };
}

/** Starts following the history. Returns what stops it. */
export function followHistory(): () => void {
  const read = () => {
    if (held) history.pushState(held, "");
    else place.value = parsePlace(history.state);
  };
  addEventListener("popstate", read);
  read();
  return () => removeEventListener("popstate", read);
}

function enter(next: Place): void {
  if (next.entered) history.pushState(next, "");
  else history.replaceState(next, "");
  place.value = next;
}

/** Goes to a step of the welcome; back returns to the landing. */
export function goTo(step: Step): void {
  enter({ step, entered: true });
}

/** Opens a conversation. From the list it is one step deeper; from another conversation it is not. */
export function openConversation(id: string): void {
  const open = fingerprint(id);
  const current = place.value;
  if (current.open === open) return;
  if (current.open === undefined) {
    enter({ step: "landing", open, entered: true });
  } else {
    const next = { ...current, open };
    history.replaceState(next, "");
    place.value = next;
  }
}

/** Back to where this place was entered from, without ever leaving the page. */
export function goBack(): void {
  if (place.value.entered) history.back();
  else enter(START);
}

/** Puts the page under the address of what it shows, as if it had been opened there. */
export function settleAt(path: "/" | "/chat"): void {
  if (location.pathname === path) return;
  history.replaceState(START, "", path);
  place.value = START;
}
