import type { Health } from "../lib/relay/mod.ts";
import type { Handlers } from "../lib/web/file_routes.ts";

/** What the server lets routes know of the relay. */
export interface HealthBindings {
  readonly health: () => Health;
}

/** For supervisors and load balancers: 200 while the relay can do what it is for, else 503; and why in one word. */
export const handler: Handlers = {
  GET: (context) => {
    // The server passes this with each request; Hono's own type leaves it open.
    const { writable, draining } = (context.env as HealthBindings).health();
    if (draining) return context.text("draining\n", 503);
    if (!writable) return context.text("failing\n", 503);
    return context.text("ok\n");
  },
};
