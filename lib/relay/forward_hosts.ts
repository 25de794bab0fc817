/** Which hosts a relay forwards to, by their names. A pattern is a host name, or `*.` and one: all below it. */
export type HostRules = {
  /** Only these; all when there are none. */
  readonly allow?: readonly string[];
  /** Not these, whatever is allowed. */
  readonly deny?: readonly string[];
};

/** Whether `origin` is a relay's URL, and the rules let its host. */
export function mayForwardTo(
  origin: URL,
  { allow = [], deny = [] }: HostRules,
): boolean {
  // A dot at its end makes it no other name; nor, to Tor, does what stands before an onion service's.
  const host = origin.hostname.replace(/\.$/, "")
    .replace(/^.*\.([a-z2-7]{56}\.onion)$/, "$1");
  const named = (pattern: string) =>
    pattern.startsWith("*.")
      ? host.endsWith(pattern.slice(1).toLowerCase())
      : host === pattern.toLowerCase();
  return (allow.length === 0 || allow.some(named)) && !deny.some(named);
}

/** The origin that a URL is, and nothing but; undefined for any other. */
export function relayOrigin(url: string): URL | undefined {
  const parsed = URL.parse(url);
  const web = parsed?.protocol === "https:" || parsed?.protocol === "http:";
  return web && parsed.origin === url ? parsed : undefined;
}
