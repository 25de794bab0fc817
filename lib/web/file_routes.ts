/**
 * Fresh's file conventions on Hono, for what answers while the server runs. A module of `routes/`
 * ending in `.ts` exports `handler`: a function per method, or for `_middleware.ts` a Hono
 * middleware (or several) that wraps everything in its folder. Modules ending in `.tsx` are pages:
 * they are rendered once, when the project is built, and served as files.
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Handlers = Partial<
  Record<Method, (context: Context) => Response | Promise<Response>>
>;
export interface RouteModule {
  readonly handler: Handlers;
}
export interface MiddlewareModule {
  readonly handler: MiddlewareHandler | readonly MiddlewareHandler[];
}

/** The URL pattern of a file: `/routes/c/[id].ts` is `/c/:id`, `[...rest]` matches any tail. */
export function pathOf(file: string): string {
  const path = file
    .replace(/^\/routes/, "")
    .replace(/\.tsx?$/, "")
    .replace(/\/index$/, "/")
    .replace(/\[\.\.\.\w+\]/g, "*")
    .replace(/\[(\w+)\]/g, ":$1");
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}

/** Fixed paths before parameters, parameters before wildcards, so that the closest one answers. */
export function byPrecision(a: string, b: string): number {
  const vagueness = (path: string) =>
    path.includes("*") ? 2 : path.includes(":") ? 1 : 0;
  return vagueness(a) - vagueness(b) || a.localeCompare(b);
}

/**
 * Routes for modules keyed by file name from the project's root (`/routes/healthz.ts`).
 * A method that a route does not have is answered 405 with `Allow`.
 */
export function fileRoutes(
  routes: Readonly<Record<string, RouteModule>>,
  middlewares: Readonly<Record<string, MiddlewareModule>> = {},
): Hono {
  const app = new Hono();
  // Outer folders first: their names are shorter.
  for (
    const file of Object.keys(middlewares).sort((a, b) => a.length - b.length)
  ) {
    const folder = pathOf(file.replace(/_middleware\.ts$/, "index.ts"));
    const handlers = [middlewares[file].handler].flat() as MiddlewareHandler[];
    app.use(folder === "/" ? "*" : `${folder}/*`, ...handlers);
  }
  const files = new Map(
    Object.keys(routes).map((file) => [pathOf(file), routes[file]]),
  );
  for (const path of [...files.keys()].sort(byPrecision)) {
    const handlers = Object.entries(files.get(path)!.handler);
    for (const [method, handler] of handlers) app.on(method, path, handler);
    app.all(path, () => methodNotAllowed(handlers.map(([method]) => method)));
  }
  return app;
}

/** 405, naming the methods that would work. HEAD goes wherever GET goes. */
export function methodNotAllowed(methods: readonly string[]): Response {
  const allow = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  return new Response("Method not allowed\n", {
    status: 405,
    headers: {
      allow: allow.join(", "),
      "content-type": "text/plain; charset=utf-8",
    },
  });
}
