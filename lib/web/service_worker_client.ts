/** The page's side of the service worker: registers it, and tells when a newer version waits. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { workerUrl } from "./trusted_types.ts";

const HOUR = 3_600_000;
const ready = signal(false);
let agree: () => void = () => {};

/** True while a newer version of the program is downloaded and waits for consent. */
export const updateReady: ReadonlySignal<boolean> = ready;

/**
 * Switches to the waiting version: it takes over every tab of this browser, and each reloads.
 * Without a waiting version this does nothing.
 */
export function applyUpdate(): void {
  agree();
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
  // While no page was open the browser started a newer worker, which still shows the version there was.
  container.addEventListener("message", ({ data, source }) => {
    if (data === "agreed") return location.reload();
    if (data !== "waits" || ready.value) return;
    agree = () => source?.postMessage("agree");
    ready.value = true;
  });
  container.controller?.postMessage("waits?");
  const registration = await container.register(workerUrl("/sw.js"), {
    updateViaCache: "none",
  });
  const look = () => {
    const { active, waiting } = registration;
    if (!active || !waiting) return;
    agree = () => waiting.postMessage("apply");
    ready.value = true;
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
