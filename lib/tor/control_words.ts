/** The words of a line of the control port: plain ones, quoted ones, and KEY=VALUE. */

/** As a quoted string, which the control port reads back as `text` (without line ends). */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
};

/** What a quoted string stands for, C's escapes resolved. */
function unquoted(text: string): string {
  return text.slice(1, -1).replace(
    /\\([0-7]{1,3}|.)/gs,
    (_, escape: string) =>
      /^[0-7]/.test(escape)
        ? String.fromCharCode(parseInt(escape, 8) & 0xff)
        : ESCAPES[escape] ?? escape,
  );
}

export interface Words {
  /** Those without a key, in order. */
  readonly plain: readonly string[];
  readonly values: ReadonlyMap<string, string>;
}

const TEXT = /"(?:[^"\\]|\\.)*"|[^\s"]\S*/.source;
const WORD = new RegExp(`([^\\s="]+)=(${TEXT}|)|${TEXT}`, "gs");

/** The words of a line. What is no word is passed over: later versions of Tor may say more. */
export function wordsOf(line: string): Words {
  const plain: string[] = [];
  const values = new Map<string, string>();
  const meant = (word: string) => word.startsWith('"') ? unquoted(word) : word;
  for (const [word, key, value] of line.matchAll(WORD)) {
    if (key === undefined) plain.push(meant(word));
    else values.set(key, meant(value));
  }
  return { plain, values };
}
