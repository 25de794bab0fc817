import type { Health } from "../lib/relay/mod.ts";
import type { TorState } from "../lib/tor/mod.ts";
import type { Handlers } from "../lib/web/file_routes.ts";

/** What the server lets routes know of itself. */
export interface ServerBindings {
  readonly health: () => Health;
  /** Of Tor and the onion service; undefined where Tor is not used. */
  readonly tor: () => TorState | undefined;
}

/**
 * For supervisors and load balancers: 200 while the relay can do what it is for, else 503; and why in one
 * word. A second line says how Tor is, without which the relay goes on.
 */
export const handler: Handlers = {
  GET: (context) => {
    // The server passes this with each request; Hono's own type leaves it open.
    const { health, tor } = context.env as ServerBindings;
    const { writable, draining } = health();
    const state = tor();
    const more = state === undefined ? "" : `tor: ${state}\n`;
    if (draining) return context.text(`draining\n${more}`, 503);
    if (!writable) return context.text(`failing\n${more}`, 503);
    return context.text(`ok\n${more}`);
  },
};
