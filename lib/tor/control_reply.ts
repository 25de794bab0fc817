/** What the control port says, from bytes to replies (control-spec, section 2.3). */
import { ControlError } from "./control_error.ts";

/** One answer, or one event when its code begins with 6. */
export interface ControlReply {
  /** Three digits; 250 is OK. */
  readonly code: number;
  /** Without the code; a line with data has it behind a line feed. */
  readonly lines: readonly string[];
}

/** More than Tor ever says at once, in characters. */
const MOST = 1 << 20;

/** Puts replies together from bytes as they come. */
export class ReplyReader {
  readonly #decoder = new TextDecoder("latin1");
  #rest = "";
  #code = 0;
  #lines: string[] = [];
  #data: string[] | undefined;
  #size = 0;

  /**
   * The replies that `bytes` complete.
   * @throws {ControlError} when this is not a control port's language.
   */
  feed(bytes: Uint8Array): ControlReply[] {
    const replies: ControlReply[] = [];
    const lines = (this.#rest + this.#decoder.decode(bytes)).split("\r\n");
    // What a split always leaves: the beginning of the next line.
    this.#rest = lines.pop()!;
    for (const line of lines) {
      this.#size += line.length;
      this.#limit();
      const reply = this.#take(line);
      if (reply) replies.push(reply);
    }
    this.#limit();
    return replies;
  }

  #limit(): void {
    if (this.#size + this.#rest.length <= MOST) return;
    throw new ControlError("it says too much at once");
  }

  #take(line: string): ControlReply | undefined {
    if (this.#data) {
      if (line !== ".") {
        this.#data.push(line.replace(/^\./, ""));
        return;
      }
      this.#lines.push(this.#data.join("\n"));
      this.#data = undefined;
      return;
    }
    const [, code, kind, text] = /^([1-9]\d\d)([ +-])([^\n\r]*)$/.exec(line) ??
      [];
    if (code === undefined) {
      throw new ControlError("what answers there is no control port");
    }
    // A reply has one code, which its first line says.
    if (this.#lines.length === 0) this.#code = Number(code);
    if (kind === "+") {
      this.#data = [text];
      return;
    }
    this.#lines.push(text);
    if (kind === "-") return;
    const reply = { code: this.#code, lines: this.#lines };
    this.#lines = [];
    this.#size = 0;
    return reply;
  }
}
