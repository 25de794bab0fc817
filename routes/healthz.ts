import type { Handlers } from "../lib/web/file_routes.ts";

/** For supervisors and load balancers: the process answers. */
export const handler: Handlers = {
  GET: (context) => context.text("ok\n"),
};
