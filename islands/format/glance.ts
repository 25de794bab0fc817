/** What can be told of a text at a glance: whether it is a few emoji and nothing else. */

const EMOJI_ONLY = /^(?:\p{RGI_Emoji}|\s)+$/v;
const EMOJI = /\p{RGI_Emoji}/gv;

/** How large a message is set: a few emoji alone are shown big. */
export function glance(words: string): "text" | "one-emoji" | "few-emoji" {
  // No emoji sequence is longer than some 40 UTF-16 units; long texts need no look.
  if (words.length > 100 || !EMOJI_ONLY.test(words)) return "text";
  const emoji = words.match(EMOJI)?.length ?? 0;
  if (emoji === 1) return "one-emoji";
  return emoji >= 2 && emoji <= 3 ? "few-emoji" : "text";
}
