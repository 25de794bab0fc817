/** A site with one page: a script bundled from `entry`, and nothing else. */
import { fileURLToPath } from "node:url";
import { build } from "vite";

export interface Site {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param entry a module beside this one */
export async function serveScript(entry: string): Promise<Site> {
  const script = await bundled(fileURLToPath(new URL(entry, import.meta.url)));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      new URL(url).pathname === "/script.js"
        ? new Response(script, {
          headers: { "content-type": "text/javascript" },
        })
        : new Response(
          '<!doctype html><script type="module" src="/script.js"></script>',
          {
            headers: { "content-type": "text/html" },
          },
        ),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    stop: () => server.shutdown(),
  };
}

async function bundled(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ["es"], fileName: "script" },
      // What is imported when it is needed, too: the site has one script.
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (!("output" in result)) {
    throw new Error("vite watches instead of building");
  }
  return result.output[0].code;
}
