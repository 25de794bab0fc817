/**
 * The one messenger of this page. Its code (cryptography, storage, connection) is loaded beside the
 * interface's, so that a page can be read and pressed before all of it is there.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { MessengerView } from "../lib/client/view.ts";
import { passkeys, stretch } from "./lock/secrets.ts";

export type Source =
  | { at: "opening" }
  | { at: "open"; messenger: MessengerView }
  /** The code did not load, or the messenger could not be opened at all. */
  | { at: "failed" };

const state = signal<Source>({ at: "opening" });
export const source: ReadonlySignal<Source> = state;

let opening: Promise<MessengerView> | undefined;

/** Opens the messenger, once however often it is called. */
export function openMessenger(): Promise<MessengerView> {
  opening ??= load();
  return opening;
}

async function load(): Promise<MessengerView> {
  try {
    const { openBrowserMessenger } = await import("../lib/client/browser.ts");
    const messenger = await openBrowserMessenger({ passkeys, stretch });
    state.value = { at: "open", messenger };
    return messenger;
  } catch (error) {
    state.value = { at: "failed" };
    throw error;
  }
}
