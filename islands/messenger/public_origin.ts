/** Where people elsewhere find this server, for what is handed to them. */
import type { InviteView } from "../../lib/client/view.ts";

/**
 * The page's own origin; but on the server's own machine, what the server calls itself: there the page may go by
 * a name that means another machine everywhere else.
 */
export function publicOrigin({ relayUrl }: InviteView): string {
  const { hostname, origin } = location;
  const here = /(^|\.)localhost$|^127\.|^\[::1\]$/.test(hostname);
  return here ? relayUrl.value ?? origin : origin;
}

/** Its host, with its port where that is not the usual one. */
export function publicHost(invite: InviteView): string {
  return new URL(publicOrigin(invite)).host;
}
