/** The client's entry: brings the islands of a prerendered page to life. */
import { type ComponentType, h, hydrate } from "preact";
import { registerServiceWorker } from "./service_worker_client.ts";

type Loaders = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Hydrates every `<is-land>` with the module that `loaders` has for it. On a page that came over
 * plain http from elsewhere than this machine, there is no WebCrypto, and nothing is hydrated: the
 * notice that the page carries for that case is shown instead.
 */
export function startPage(loaders: Loaders): void {
  const islands = document.querySelectorAll<HTMLElement>("is-land");
  if (!isSecureContext) {
    for (const island of islands) island.hidden = true;
    const notice = document.getElementById("needs-https");
    if (notice) notice.hidden = false;
    return;
  }
  if (import.meta.env.PROD) registerServiceWorker();
  for (const island of islands) void start(island, loaders);
}

async function start(island: HTMLElement, loaders: Loaders): Promise<void> {
  const load = loaders[island.dataset.path ?? ""];
  if (!load) throw new Error(`no island ${island.dataset.path}`);
  // What `islands/` holds are modules whose default export is a component: the build checks it.
  const { default: Component } = await load() as { default: ComponentType };
  // Marked by `static/press.js`: the last button that was pressed meanwhile.
  const pressed = island.querySelector<HTMLButtonElement>("[data-pressed]");
  pressed?.removeAttribute("data-pressed");
  hydrate(h(Component, JSON.parse(island.dataset.props ?? "{}")), island);
  island.dataset.ready = "";
  pressed?.click();
}
