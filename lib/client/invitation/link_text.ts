/**
 * An invitation as a link: everything that matters is in the fragment, which browsers send to nobody.
 * `#invite=` and, in base64url without padding, version 1 (1) ‖ blob id 16 ‖ secret 32.
 */
import { concatBytes } from "@noble/hashes/utils.js";

/** Where an invitation lies, and what opens it. */
export interface InvitationLink {
  /** The blob that says whose it is, 16 bytes. */
  readonly blob: Uint8Array;
  /** 32 random bytes, from which follows whatever else one needs. */
  readonly secret: Uint8Array;
}

/** What reading a link gives. `origin` is that of the relay it belongs to, where it names one. */
export type InvitationReading =
  | { ok: true; link: InvitationLink; origin?: string }
  | { ok: false };

const VERSION = 1;
const BLOB = 16;
const SECRET = 32;
const MARK = "#invite=";

/** `#invite=…`, for a page of the relay. */
export function formatInvitation({ blob, secret }: InvitationLink): string {
  const bytes = concatBytes(Uint8Array.of(VERSION), blob, secret);
  return MARK + toBase64Url(bytes);
}

/** What somebody means who has entered this where a code or a link goes: "cut" is a link that is not whole. */
export function whatIsEntered(
  text: string,
): "code" | "link" | "cut" | "other-link" {
  if (parseInvitation(text).ok) return "link";
  if (text.includes(MARK)) return "cut";
  return text.includes("://") ? "other-link" : "code";
}

/** Reads a link, also out of a message that holds one among other words. */
export function parseInvitation(text: string): InvitationReading {
  const found = text.match(/(?:(https?:\/\/[^\s#]+))?#invite=([\w-]+)/u);
  const bytes = found && fromBase64Url(found[2]);
  if (bytes?.length !== 1 + BLOB + SECRET || bytes[0] !== VERSION) {
    return { ok: false };
  }
  const link = {
    blob: bytes.slice(1, 1 + BLOB),
    secret: bytes.slice(1 + BLOB),
  };
  const page = found?.[1];
  if (page === undefined) return { ok: true, link };
  const url = URL.parse(page);
  return url ? { ok: true, link, origin: url.origin } : { ok: false };
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/u, "");
}

function fromBase64Url(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined; // letters of the alphabet, and not of this length
  }
}
