/**
 * Invite codes: ten symbols of Crockford base32. The first four are the
 * nameplate, under which the relay introduces two connections; the other six
 * (30 bits) are the password that only the two people know.
 */
import { randomSymbols, readSymbols, writeSymbols } from "../keys/mod.ts";

export interface InviteCode {
  /** 20 bits, given out by the relay. */
  readonly nameplate: number;
  /** Six symbols in upper case, made by the inviter. They never reach the relay. */
  readonly secret: string;
}

/** What reading a typed code gives. `relay` is the host after an `@`, in lower case, port included. */
export type InviteCodeReading =
  | { ok: true; code: InviteCode; relay?: string }
  | { ok: false; reason: "malformed" };

const NAMEPLATE_SYMBOLS = 4;
const SECRET_SYMBOLS = 6;
export const MAX_NAMEPLATE = 0xf_ffff;

/** Six random symbols. */
export function newInviteSecret(): string {
  return writeSymbols(randomSymbols(SECRET_SYMBOLS));
}

/** Whether `text` is six symbols in the one way they are written. */
export function isInviteSecret(text: string): boolean {
  return text.length === SECRET_SYMBOLS &&
    /^[0-9A-HJKMNP-TV-Z]*$/u.test(text);
}

/** The ten characters, without hyphens. */
export function formatInviteCode({ nameplate, secret }: InviteCode): string {
  const symbols = Array.from(
    { length: NAMEPLATE_SYMBOLS },
    (_, index) => (nameplate >>> (5 * (NAMEPLATE_SYMBOLS - 1 - index))) & 31,
  );
  return writeSymbols(symbols) + secret;
}

/** Reads a typed code: any case, spaces and hyphens anywhere, O as 0, I and L as 1, and `CODE@relay`. */
export function parseInviteCode(text: string): InviteCodeReading {
  const malformed = { ok: false, reason: "malformed" } as const;
  const [typed, host, ...rest] = text.split("@");
  if (rest.length > 0) return malformed;
  const symbols: number[] = [];
  for (const symbol of readSymbols(typed)) {
    if (symbol === undefined) return malformed;
    symbols.push(symbol);
  }
  if (symbols.length !== NAMEPLATE_SYMBOLS + SECRET_SYMBOLS) return malformed;
  const code = {
    nameplate: symbols.slice(0, NAMEPLATE_SYMBOLS)
      .reduce((value, symbol) => value << 5 | symbol, 0),
    secret: writeSymbols(symbols.slice(NAMEPLATE_SYMBOLS)),
  };
  if (host === undefined) return { ok: true, code };
  const relay = readHost(host.trim());
  return relay === undefined ? malformed : { ok: true, code, relay };
}

/**
 * The URL of the relay at a host. Plain http only where nobody on the way reads along: within one
 * machine, and over Tor.
 */
export function relayUrlOf(host: string): string {
  const { hostname } = new URL(`https://${host}`);
  const safe = /(^|\.)(localhost|onion)$|^127\.|^\[::1\]$/.test(hostname);
  return `${safe ? "http" : "https"}://${host}`;
}

/** A host with an optional port and nothing else, normalised as URLs normalise it. */
function readHost(host: string): string | undefined {
  const url = URL.parse(`https://${host}`);
  // Whatever is more than a host (a path, a user, a query) shows up in href.
  return url && url.href === `https://${url.host}/` ? url.host : undefined;
}
