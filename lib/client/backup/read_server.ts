import { relayUrlOf } from "../invite/mod.ts";

/** A name or an address, with its port if it has one. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?$/i;

/** The URL of the relay that somebody means by a host, or by an address of its pages; undefined for neither. */
export function readServer(written: string): string | undefined {
  const text = written.trim();
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  const web = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !web || url.username || url.password) return undefined;
  // Some browsers take a space and other marks for part of a host.
  if (!HOST.test(url.host)) return undefined;
  return relayUrlOf(url.host);
}
