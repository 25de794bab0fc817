/** The messenger on a browser's own adapters. */
import { Messenger } from "./messenger.ts";
import type { MessengerView } from "./view.ts";

/** Opens the messenger of this browser profile, talking to the relay the page came from. */
export function openBrowserMessenger(): Promise<MessengerView> {
  return Promise.resolve(new Messenger());
}
