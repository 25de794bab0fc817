import { bundle } from "virtual:bundle";
import { serveFile } from "./lib/web/static_files.ts";
import { createApp } from "./server/app.ts";
import { run } from "./server/run.ts";

/** The page for what does not exist: the answer to everything else, not to its own name. */
const NOT_FOUND = "/_404";

const app = createApp(
  (context) =>
    context.req.path === NOT_FOUND ? undefined : serveFile(bundle, context),
  (context) =>
    serveFile(bundle, context, NOT_FOUND, 404) ??
      context.text("Not found\n", 404),
);

await run(Deno.args, () => ({
  fetch: (request, bindings) => app.fetch(request, bindings),
}));
