/** Tells Tor Browser, on a page from the clear, that there is an onion service of the same pages. */

/** Puts `Onion-Location` on a page; `onion` is the service's origin. Tor Browser heeds it on https only. */
export function addOnionLocation(
  response: Response,
  request: Request,
  onion: string,
): void {
  if (!response.headers.get("content-type")?.startsWith("text/html")) return;
  const { pathname, search } = new URL(request.url);
  response.headers.set("onion-location", `${onion}${pathname}${search}`);
}
