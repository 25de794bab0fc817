/** The messenger on a browser's own adapters. */
import { systemClock } from "./clock.ts";
import { browserNetwork } from "./link/browser_network.ts";
import { webSocketTransport } from "./link/mod.ts";
import type { Adapters } from "./adapters.ts";
import { nameOfBrowser } from "./device_name.ts";
import { Messenger } from "./messenger.ts";
import { systemRandom } from "./random.ts";
import { openBrowserPlatform, WebTab } from "./storage/mod.ts";
import type { MessengerView } from "./view.ts";

/**
 * Opens the messenger of this browser profile, talking to the relay that the page came from, and
 * only to it. Resolves when the phase says what to show. `secrets`: what a lock needs of the page.
 */
export function openBrowserMessenger(
  secrets: Pick<Adapters, "stretch" | "passkeys">,
): Promise<MessengerView> {
  const { protocol, host } = location;
  return Messenger.open({
    openPlatform: () => openBrowserPlatform(),
    tab: new WebTab(),
    relaySocketUrl: `${protocol === "https:" ? "wss" : "ws"}://${host}/relay`,
    transport: webSocketTransport,
    network: browserNetwork,
    clock: systemClock,
    random: systemRandom,
    deviceName: nameOfBrowser(navigator.userAgent),
    ...secrets,
  });
}
