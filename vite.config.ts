import { defineConfig } from "vite";
import preact from "@preact/preset-vite";
import { bundle } from "./lib/web/build/bundle.ts";
import { icons } from "./lib/web/build/icons.ts";
import { islands } from "./lib/web/build/islands.ts";
import { buildPages } from "./lib/web/build/pages.ts";
import { buildServiceWorker } from "./lib/web/build/service_worker.ts";

/**
 * Three environments, built in this order: `client` (what the browser runs), `pages` (renders
 * every page of routes/ to a file, once) and `ssr` (the server, which embeds the other two).
 */
export default defineConfig({
  plugins: [preact(), icons(), islands(), bundle()],
  appType: "custom",
  publicDir: "static",
  worker: { format: "es" },
  environments: {
    client: {
      optimizeDeps: {
        // Where `deno task dev` looks for packages when it starts: one found later reloads the open page.
        entries: ["islands/app.tsx", "lib/client/browser.ts"],
        // Taken icon by icon: see the plugin.
        exclude: ["lucide-preact"],
      },
      build: {
        outDir: "dist/client",
        manifest: true,
        modulePreload: { polyfill: false },
        // An inlined asset would be a data: URL, which the content security policy refuses.
        assetsInlineLimit: 0,
        rolldownOptions: {
          // What a page begins with, and what it fetches at once: few files, which compress better than many.
          input: ["virtual:client", "islands/app.tsx", "lib/client/browser.ts"],
          output: {
            codeSplitting: {
              groups: [
                {
                  name: "start",
                  test:
                    /\/(lib\/web|routes|preact)\/|signals|preload-helper|virtual:/,
                  tags: ["$initial"],
                },
                {
                  name: "page",
                  test: /\/islands\/|\/lucide/,
                  tags: ["$initial"],
                },
                { name: "client", tags: ["$initial"] },
              ],
            },
          },
          treeshake: {
            // Importing these does nothing: what a folder's mod.ts names and nobody uses is left out.
            moduleSideEffects: [{
              test: /\/lib\/(client|signal|wire)\//,
              sideEffects: false,
            }],
          },
        },
      },
    },
    pages: {
      consumer: "server",
      resolve: { noExternal: true },
      build: {
        outDir: "dist/pages",
        copyPublicDir: false,
        emitAssets: false,
        rolldownOptions: {
          input: { pages: "server/pages.ts" },
          output: { entryFileNames: "[name].mjs" },
        },
      },
    },
    ssr: {
      resolve: { noExternal: true },
      build: {
        outDir: "dist/server",
        copyPublicDir: false,
        emitAssets: false,
        rolldownOptions: {
          input: { main: "main.ts" },
          // One file that runs alone in an empty directory.
          output: { entryFileNames: "[name].mjs", codeSplitting: false },
        },
      },
    },
  },
  builder: {
    async buildApp(builder) {
      await builder.build(builder.environments.client);
      await builder.build(builder.environments.pages);
      await buildPages(builder.config.root);
      await buildServiceWorker(builder.config.root);
      await builder.build(builder.environments.ssr);
    },
  },
});
