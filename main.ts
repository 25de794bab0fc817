import { bundle } from "virtual:bundle";
import { serveFile } from "./lib/web/static_files.ts";
import { createApp } from "./server/app.ts";

export const app = createApp(
  (context) =>
    context.req.path === "/_404" ? undefined : serveFile(bundle, context),
  (context) =>
    serveFile(bundle, context, "/_404", 404) ??
      context.text("Not found\n", 404),
);
