import { signal } from "@preact/signals";

/** The access key was changed just now, and the person was not told yet that it worked. */
export const accessKeyChanged = signal(false);
