/** What the person is asked about a contact, in a dialog over everything. */
import { signal } from "@preact/signals";
import type { ConversationView } from "../../lib/client/view.ts";

export type ContactTask =
  | "verify"
  | "rename"
  | "circuit"
  | "clear"
  | "block"
  | "remove";

export interface Asked {
  readonly task: ContactTask;
  readonly view: ConversationView;
}

/** Read-only outside this file. */
export const asked = signal<Asked | undefined>(undefined);

export function ask(task: ContactTask, view: ConversationView): void {
  asked.value = { task, view };
}

export function answered(): void {
  asked.value = undefined;
}
