import type { MiddlewareHandler } from "hono";

/** What is computed for a request is never stored; files of the client say themselves how long they hold. */
export const handler: MiddlewareHandler = async (context, next) => {
  await next();
  if (!context.res.headers.has("cache-control")) {
    context.header("cache-control", "no-store");
  }
};
