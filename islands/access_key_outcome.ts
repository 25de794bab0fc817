import { signal } from "@preact/signals";

export type KeyOutcome = "changed" | "unchanged";

/** What came of changing the access key, until the person has read it: the page that asked is gone by then. */
export const accessKeyOutcome = signal<KeyOutcome | undefined>(undefined);
