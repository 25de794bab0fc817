/** What answers HTTP: the handlers of `routes/`, then the pages and files of the client. */
import { type Context, Hono } from "hono";
import {
  fileRoutes,
  type MiddlewareModule,
  type RouteModule,
} from "../lib/web/file_routes.ts";

/** Answers a request for a page or file; undefined when there is none at that path. */
export type FileServer = (
  context: Context,
) => Promise<Response | undefined> | Response | undefined;

/** The application. `files` is asked after the routes, `notFound` when neither has an answer. */
export function createApp(
  files: FileServer,
  notFound: (context: Context) => Promise<Response> | Response,
): Hono {
  const app = fileRoutes(
    import.meta.glob<RouteModule>(
      ["/routes/**/*.ts", "!/routes/**/_*.ts", "!/routes/**/*_test.ts"],
      { eager: true },
    ),
    import.meta.glob<MiddlewareModule>("/routes/**/_middleware.ts", {
      eager: true,
    }),
  );
  const whole = new Hono();
  whole.route("/", app);
  whole.use(async (context) => await files(context) ?? context.notFound());
  whole.notFound(notFound);
  whole.onError((error, context) => {
    // Never the request: its path and headers are the visitor's.
    console.error("A request failed:", error);
    return context.text("Something went wrong on this server.\n", 500);
  });
  return whole;
}
