/** A connection to Tor's control port: commands with their answers, and events. */
import { ControlError } from "./control_error.ts";
import { type ControlReply, ReplyReader } from "./control_reply.ts";

/** Where something listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Longer than any answer takes, ms: nothing that we ask for waits for the network. */
const PATIENCE_MS = 10_000;

/** Commands are answered in their order. The connection ends when it breaks, or says what it should not. */
export class ControlPort {
  readonly #connection: Deno.TcpConn;
  readonly #patience: number;
  readonly #waiting: PromiseWithResolvers<ControlReply>[] = [];
  readonly #listeners = new Set<(event: string) => void>();
  readonly #ended = Promise.withResolvers<void>();
  #end: ControlError | undefined;

  private constructor(connection: Deno.TcpConn, patience: number) {
    this.#connection = connection;
    this.#patience = patience;
    void this.#read();
  }

  /**
   * `patience`: how long an answer may take, ms.
   * @throws {ControlError} when nothing listens there.
   */
  static async connect(
    { host, port }: HostAndPort,
    patience = PATIENCE_MS,
  ): Promise<ControlPort> {
    try {
      const connection = await Deno.connect({
        hostname: host,
        port,
        signal: AbortSignal.timeout(patience),
      });
      return new ControlPort(connection, patience);
    } catch (error) {
      throw new ControlError(
        error instanceof Deno.errors.ConnectionRefused
          ? "the control port refuses connections"
          : "the control port can't be reached",
      );
    }
  }

  /** Resolves when the connection is over, whoever ended it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Says a line and gives the lines of the answer.
   * @throws {ControlError} when it is refused, or not answered. Names the command's first word only: what follows may be secret.
   */
  async command(line: string): Promise<readonly string[]> {
    const [name] = line.split(" ", 1);
    if (/[\r\n\0]/.test(line)) throw new RangeError(`${name}: two lines`);
    if (this.#end) throw this.#end;
    const answer = Promise.withResolvers<ControlReply>();
    this.#waiting.push(answer);
    const late = setTimeout(
      () => this.#close(new ControlError("the control port does not answer")),
      this.#patience,
    );
    try {
      await this.#write(`${line}\r\n`);
      const { code, lines } = await answer.promise;
      // 25x: done, with more to say about it.
      if (code >= 250 && code < 260) return lines;
      throw new ControlError(
        `${name} was refused: ${code} ${lines.join("; ")}`,
        code,
      );
    } finally {
      clearTimeout(late);
    }
  }

  /** Calls `listener` with each event from now on; gives what ends that. SETEVENTS says which there are. */
  listen(listener: (event: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#close(new ControlError("the control port was closed"));
  }

  async #write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
    } catch {
      this.#close(new ControlError("the control port closed the connection"));
    }
  }

  async #read(): Promise<void> {
    const reader = new ReplyReader();
    const buffer = new Uint8Array(16_384);
    let end = new ControlError("the control port closed the connection");
    try {
      for (;;) {
        const size = await this.#connection.read(buffer);
        if (size === null) break;
        for (const reply of reader.feed(buffer.subarray(0, size))) {
          this.#hear(reply);
        }
      }
    } catch (error) {
      if (error instanceof ControlError) end = error;
    }
    this.#close(end);
  }

  #hear(reply: ControlReply): void {
    if (reply.code >= 600) {
      const event = reply.lines.join("\n");
      for (const listener of [...this.#listeners]) listener(event);
      return;
    }
    const answer = this.#waiting.shift();
    if (!answer) throw new ControlError("it answers what nobody asked");
    answer.resolve(reply);
  }

  #close(reason: ControlError): void {
    if (this.#end) return;
    this.#end = reason;
    this.#connection.close();
    for (const answer of this.#waiting.splice(0)) answer.reject(reason);
    this.#ended.resolve();
  }
}
