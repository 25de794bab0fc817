/** What a message can hold. docs/protocol.md § Content has the sums. */

/**
 * UTF-8 bytes of one text. The largest envelope would take about 30,700 beside
 * the wrapping of a first message; the rest is kept for what later versions add
 * to a text (a quote, mentions), so that the limit need never fall.
 */
export const MAX_TEXT_BYTES = 28_000;

/** Messages that one receipt can name. */
export const MAX_RECEIPT_IDS = 1_000;

/**
 * Messages of a conversation that may be spoken of before they have arrived. It keeps somebody from
 * filling the disk with what is never shown.
 */
export const MAX_AWAITED = 1_000;

/** The way to a pool of prekeys: see pool/pool_way.ts. */
export const POOL_WAY_BYTES = 48;

/** UTF-8 bytes of a reaction: the longest emoji sequences take about 35. */
export const MAX_EMOJI_BYTES = 64;

/** A text that does not fit into one message. */
export class TextTooLongError extends Error {
  override readonly name = "TextTooLongError";
  /** UTF-8 bytes that it has. */
  readonly bytes: number;
  readonly max = MAX_TEXT_BYTES;

  constructor(bytes: number) {
    super(
      `This text is too long for one message: ${bytes} of at most ${MAX_TEXT_BYTES} bytes.`,
    );
    this.bytes = bytes;
  }
}

/** UTF-8 bytes of `text`: what counts against `MAX_TEXT_BYTES`. */
export function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
