/** The letter or two that stand for a person without a picture. */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function firstOf(word: string): string {
  for (const { segment } of segmenter.segment(word)) return segment;
  return "";
}

/** "Ada Lovelace" → "AL", "anna" → "A", "🌙" → "🌙", "" → "?". Whole graphemes, never half a character. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter((word) => word !== "");
  if (words.length === 0) return "?";
  const first = firstOf(words[0]);
  const last = words.length > 1 ? firstOf(words[words.length - 1]) : "";
  // A second letter beside a picture, or a script that is wide already, would not fit.
  const letters = /^\p{Alphabetic}/u.test(first) &&
      /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u.test(last)
    ? first + last
    : first;
  return letters.toLocaleUpperCase();
}
