/**
 * The web addresses in a text. Only what begins with http:// or https:// counts; nothing is fetched,
 * and what is shown of a link is exactly what it leads to.
 */

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  /** `href` is `text` as a browser understands it. */
  | { readonly kind: "link"; readonly text: string; readonly href: string };

/**
 * Ends at white space, quotes and brackets that no address holds, a backslash (which browsers take
 * for a slash), and characters that are not seen or turn the order of what is (controls, bidi marks).
 */
const ADDRESS = /(?<![a-z0-9])https?:\/\/[^\s"<>\\\p{Cc}\p{Cf}]+/giu;

/** What ends a sentence, a quotation or an emphasis rather than an address. */
const AFTER = /[.,:;!?'*_~`|…’”»。、，；：！？」』】》]$/u;

const OPENING: Readonly<Record<string, string>> = {
  ")": "(",
  "]": "[",
  "}": "{",
  "）": "（",
};

/** `text` cut at its addresses, in order; put together again the pieces are `text`. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTail(found);
    const href = hrefOf(address);
    if (href === undefined) continue;
    if (index > end) {
      pieces.push({ kind: "text", text: text.slice(end, index) });
    }
    pieces.push({ kind: "link", text: address, href });
    end = index + address.length;
  }
  if (end < text.length) pieces.push({ kind: "text", text: text.slice(end) });
  return pieces;
}

/** A bracket at the end belongs to the address only when it was opened in it. */
function withoutTail(found: string): string {
  let address = found;
  const count = new Map<string, number>();
  for (const sign of address) count.set(sign, (count.get(sign) ?? 0) + 1);
  for (;;) {
    const last = address.at(-1) ?? "";
    const opening = OPENING[last];
    const closes = opening !== undefined &&
      (count.get(last) ?? 0) > (count.get(opening) ?? 0);
    if (!closes && !AFTER.test(last)) return address;
    count.set(last, (count.get(last) ?? 0) - 1);
    address = address.slice(0, -1);
  }
}

/** undefined when it is none, or when it names a user, who is easily taken for the site: `https://bank@evil`. */
function hrefOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { username, password, href } = new URL(address);
  return username === "" && password === "" ? href : undefined;
}
