/**
 * What the page leaves beside the messenger's storage: choices in localStorage, the program itself in
 * caches. After erasing they would tell that Whisper was used here.
 */
export async function clearTraces(): Promise<void> {
  localStorage.clear();
  sessionStorage.clear();
  for (const name of await caches.keys()) await caches.delete(name);
  const registrations = await navigator.serviceWorker?.getRegistrations() ?? [];
  for (const registration of registrations) await registration.unregister();
}

/** Clears them, and leaves as for someone who never was here: without history entries, and from the server. */
export async function eraseTraces(): Promise<void> {
  await clearTraces();
  location.replace("/");
}
