/**
 * `deno task dev`: the same server with pages rendered anew at each request and modules from Vite,
 * which shares the listening socket, so that hot reload needs no second port.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import {
  createServer,
  createServerModuleRunner,
  type ViteDevServer,
} from "vite";
import type { Pages } from "../lib/web/build/pages.ts";
import type * as AppModule from "./app.ts";
import { run } from "./run.ts";
import type { Site } from "./serve.ts";

/** Apart from what the built program keeps. */
const DATA = Deno.env.get("WHISPER_DATA") ?? "dist/dev-data";
const NOT_FOUND = "/_404";

async function startVite(server: Server): Promise<ViteDevServer> {
  return await createServer({
    // The browser and Vite meet on the server's own port.
    server: { middlewareMode: true, hmr: { server } },
  });
}

function developmentSite(): Site {
  let vite: ViteDevServer;
  let load: <T>(path: string) => Promise<T>;
  const html = async (path: string, status: 200 | 404) => {
    const pages = await load<Pages>("/server/pages.ts");
    if (!pages.paths.includes(path)) return undefined;
    const headers = {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
    };
    return new Response(await pages.render(path), { status, headers });
  };
  return {
    development: true,
    attach: async (server) => {
      vite = await startVite(server);
      const runner = createServerModuleRunner(vite.environments.ssr);
      load = (path) => runner.import(path);
    },
    before: (
      request: IncomingMessage,
      response: ServerResponse,
      next: () => void,
    ) => vite.middlewares(request, response, next),
    fetch: async (request, bindings) => {
      const { createApp } = await load<typeof AppModule>("/server/app.ts");
      const app = createApp(
        (context) =>
          context.req.path === NOT_FOUND
            ? undefined
            : html(context.req.path, 200),
        async (context) =>
          await html(NOT_FOUND, 404) ?? context.text("Not found\n", 404),
      );
      return app.fetch(request, bindings);
    },
  };
}

await run(["--data", DATA, ...Deno.args], developmentSite);
