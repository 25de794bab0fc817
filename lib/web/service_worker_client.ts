/** The page's side of the service worker: registers it, and tells when a newer version waits. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { workerUrl } from "./trusted_types.ts";

const HOUR = 3_600_000;
const waiting = signal<ServiceWorker | undefined>(undefined);
const ready = signal(false);

/** True while a newer version of the program is downloaded and waits for consent. */
export const updateReady: ReadonlySignal<boolean> = ready;

/**
 * Switches to the waiting version: it takes over every tab of this browser, and each reloads.
 * Without a waiting version this does nothing.
 */
export function applyUpdate(): void {
  waiting.value?.postMessage("apply");
}

/** Registers the service worker and watches for newer versions. Called once per page. */
export async function registerServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const container = navigator.serviceWorker;
  // The first worker takes control of a page that had none; only a successor is a reason to reload.
  let controlled = container.controller !== null;
  container.addEventListener("controllerchange", () => {
    if (controlled) location.reload();
    controlled = true;
  });
  const registration = await container.register(workerUrl("/sw.js"), {
    updateViaCache: "none",
  });
  const look = () => {
    waiting.value = registration.active
      ? registration.waiting ?? undefined
      : undefined;
    ready.value = waiting.value !== undefined;
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", look);
  });
  look();
  const check = () => registration.update().catch(stayOnThisVersion);
  setInterval(check, HOUR);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void check();
  });
}

/** An update check that fails (offline, server away) changes nothing: the next one comes by itself. */
function stayOnThisVersion(): void {}
