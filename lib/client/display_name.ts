/** The name a person chooses for themselves, as a card can carry it. */
const MAX_NAME = 64;

/**
 * Control characters, and the invisible ones that reorder what is around them; more marks on one letter than
 * any script puts there, which reach over the lines above and below: a name must not be able to dress up the
 * text around it.
 */
const FORBIDDEN =
  /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{M}{7}/u;

/**
 * A name of nothing but spaces and joiners would be an empty row in a list. So would one of the
 * characters that count as letters or symbols and are blank: Hangul fillers, the Braille pattern
 * without dots, the null notehead.
 */
const VISIBLE =
  /(?![\p{Default_Ignorable_Code_Point}\u2800\u{1d159}])[\p{L}\p{N}\p{P}\p{S}]/u;

/** Whether a display name is 1..64 characters, trimmed, something to see, without control characters. */
export function isDisplayName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= MAX_NAME && name.trim() === name &&
    VISIBLE.test(name) && !FORBIDDEN.test(name);
}
