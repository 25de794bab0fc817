/** Codes and keys as a person reads them aloud: in short groups. */

/** Splits `code` in groups of `size`, hyphens and spaces in it left out: "ABCDEFGHJK", 5 → ["ABCDE", "FGHJK"]. */
export function groups(code: string, size: number): string[] {
  const characters = code.replace(/[\s-]/g, "");
  const found: string[] = [];
  for (let i = 0; i < characters.length; i += size) {
    found.push(characters.slice(i, i + size));
  }
  return found;
}

/** Minutes and seconds left until `until`, never negative: "4:59". Both in ms since the epoch. */
export function countdown(until: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
