import {
  type Command,
  decodeFrame,
  encodeFrame,
  type ErrorName,
  WireError,
} from "../wire/mod.ts";
import type { Limits } from "./limits.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { Unread, Unreading } from "./unread.ts";

export type ConnectionContext = {
  limits: Limits;
  now: () => number;
  /** Of the commands that wait, of all connections together. */
  waiting: { bytes: number };
  unread: Unread;
  /** Hears of errors of the relay's own, never of a client's. */
  failed: (error: unknown) => void;
};

/** Who understands the commands of a connection. */
export interface Interpreter {
  /** A command that needs the disk or a signature holds up those after it. */
  execute(command: Command): Promise<void> | void;
  /** There is room for pushes again. */
  drained(): void;
  /** The connection is over. Told once. */
  ended(): void;
}

const NOTHING = new Uint8Array();

/** Commands allowed for each frame that the rates allow: a frame could hold thousands of small ones. */
const COMMANDS_PER_FRAME = 4;

/** Commands that may wait for their answer. More: `rate`. */
const MOST_UNANSWERED = 4_096;

/** Frames in, commands to an interpreter in order; answers and pushes out. Knows no queue. */
export class Connection implements Unreading {
  readonly #context: ConnectionContext;
  readonly #socket: RelaySocket;
  readonly #rates: Rates;
  /** Of what is forwarded by it. */
  #peerRates: Rates | undefined;
  /** Undefined when the connection is over. */
  #interpreter: Interpreter | undefined;
  #inbox: Command[] = [];
  /** For each of these, the bytes of the frame that ends with it; 0 for the others. */
  #inboxBytes: number[] = [];
  #waitingBytes = 0;
  #unanswered = 0;
  #busy = true; // until HELLO is said
  #deaf = false;
  readonly #since: number;
  #heard = false;
  #unauthorised = 0;
  #outbox: Command[] = [];
  #outboxBytes = 0;

  constructor(
    context: ConnectionContext,
    socket: RelaySocket,
    interpreter: Interpreter,
  ) {
    this.#context = context;
    this.#socket = socket;
    this.#interpreter = interpreter;
    const { framesPerSecond, bytesPerSecond, burstSeconds } = context.limits;
    this.#since = context.now();
    this.#rates = ratesOf(
      framesPerSecond,
      bytesPerSecond,
      burstSeconds,
      this.#since,
    );
    socket.listen({
      message: (data) => this.#contain(() => this.#receive(data)),
      close: () => this.#contain(() => this.#end()),
      drained: () =>
        this.#contain(() => {
          this.#noteUnread();
          this.#interpreter?.drained();
        }),
    });
  }

  /** Says HELLO; what the client says before is heard after. */
  greet(body: Uint8Array): void {
    this.say({ type: "HELLO", request: 0, body });
    this.#busy = false;
    this.#work();
  }

  get open(): boolean {
    return this.#interpreter !== undefined;
  }

  /** Whether more may be pushed now. */
  get room(): boolean {
    const { limits, unread } = this.#context;
    return this.#buffered < limits.bufferedBytes &&
      unread.hasRoom(this.#buffered);
  }

  /** What is said in one turn shares frames. */
  say(command: Command): void {
    if (!this.open) return;
    if (this.#outbox.length === 0) {
      queueMicrotask(() => this.#contain(() => this.#flushOutbox()));
    }
    this.#outbox.push(command);
    this.#outboxBytes += sizeOf(command);
  }

  ok(request: number, body: Uint8Array = NOTHING): void {
    this.#unanswered--;
    this.say({ type: "OK", request, body });
  }

  /** OK, or ERR when there is an error. Who guesses at signatures costs time and is closed after some. */
  answer(
    request: number,
    error: ErrorName | undefined,
    detail: Uint8Array = NOTHING,
  ): void {
    if (error === undefined) return this.ok(request);
    if (request !== 0) this.#unanswered--;
    this.say({ type: "ERR", request, code: error, detail });
    if (error !== "unauthorised" || request === 0) return;
    if (++this.#unauthorised >= this.#context.limits.unauthorised) {
      this.refuse("unauthorised", "too often unauthorised");
    }
  }

  /** Another relay's, which speaks for many: what it hands in is from now on held to rates of its own. */
  widen(): void {
    if (this.#peerRates !== undefined) return;
    const { peerFramesPerSecond, peerBytesPerSecond, burstSeconds } =
      this.#context.limits;
    this.#peerRates = ratesOf(
      peerFramesPerSecond,
      peerBytesPerSecond,
      burstSeconds,
      this.#context.now(),
    );
  }

  /** Whether it should have said something by now, and has not. */
  isMute(now: number): boolean {
    return !this.#heard &&
      now - this.#since >= this.#context.limits.firstFrameWithin * 1_000;
  }

  /** Says what was wrong and closes: this connection, nothing else. */
  refuse(code: ErrorName, reason: string): void {
    this.answer(0, code);
    this.close(CLOSE.policy, reason);
  }

  /** What still comes is not heard; what is under way is still answered. */
  deafen(): void {
    this.#deaf = true;
    this.#forgetInbox();
  }

  cutUnread(): void {
    this.#outbox = []; // it would only be more
    this.close(CLOSE.policy, "answers are not read");
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.#flushOutbox();
    this.#socket.close(code, reason);
    this.#end();
  }

  #receive(data: Uint8Array | string): void {
    if (!this.open || this.#deaf) return;
    if (typeof data === "string") {
      return this.refuse("malformed", "text is not spoken here");
    }
    let commands: Command[];
    try {
      commands = decodeFrame(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.refuse("malformed", error.message);
    }
    if (commands.length > 0) this.#heard = true;
    const now = this.#context.now();
    const { frames, bytes, commands: most, refusals } =
      commands.every(isForwarded) && this.#peerRates || this.#rates;
    const refused = !frames.take(1, now) || !bytes.take(data.length, now) ||
        !most.take(commands.length, now)
      ? "rate"
      : this.#mayNotWait(commands.length, data.length);
    // What is refused costs too: as many answers as there are commands.
    if (
      refused !== undefined &&
      !refusals.take(Math.max(1, commands.length), now)
    ) {
      return this.refuse("rate", "too many frames");
    }
    for (const command of commands) {
      if (command.request === 0) {
        if (command.type === "NOP") continue;
        return this.refuse("malformed", "a command without a request number");
      }
      this.#unanswered++;
      if (refused !== undefined) this.answer(command.request, refused);
      else this.#wait(command, command === commands.at(-1) ? data.length : 0);
    }
    this.#work();
  }

  /** Why so many more commands, in a frame of so many bytes, can't wait behind those that do. */
  #mayNotWait(commands: number, bytes: number): ErrorName | undefined {
    const { limits, waiting } = this.#context;
    if (this.#unanswered + commands > MOST_UNANSWERED) return "rate";
    if (!this.#busy) return undefined; // nothing waits to be carried out
    if (this.#waitingBytes + bytes > limits.waitingBytes) return "rate";
    // Whoever has nothing waiting is not to suffer from those who have much.
    return this.#waitingBytes > 0 &&
        waiting.bytes + bytes > limits.waitingBytesInAll
      ? "busy"
      : undefined;
  }

  #wait(command: Command, bytes: number): void {
    this.#inbox.push(command);
    this.#inboxBytes.push(bytes);
    this.#waitingBytes += bytes;
    this.#context.waiting.bytes += bytes;
  }

  #next(): Command | undefined {
    const bytes = this.#inboxBytes.shift() ?? 0;
    this.#waitingBytes -= bytes;
    this.#context.waiting.bytes -= bytes;
    return this.#inbox.shift();
  }

  #forgetInbox(): void {
    this.#context.waiting.bytes -= this.#waitingBytes;
    this.#waitingBytes = 0;
    this.#inbox = [];
    this.#inboxBytes = [];
  }

  #work(): void {
    while (!this.#busy) {
      const command = this.#interpreter === undefined
        ? undefined
        : this.#next();
      if (command === undefined) return;
      const working = this.#interpreter?.execute(command);
      if (!(working instanceof Promise)) continue;
      this.#busy = true;
      working.catch((error: unknown) => {
        this.#context.failed(error);
        this.answer(command.request, "busy");
      }).then(() => {
        this.#busy = false;
        this.#contain(() => this.#work());
      });
    }
  }

  /** A fault of the relay's own ends the connection that met it, which may come again, and nothing else. */
  #contain(work: () => void): void {
    try {
      work();
    } catch (error) {
      reportError(error);
      this.#outbox = []; // perhaps it was in there
      this.close(CLOSE.fault, "a fault of the relay");
    }
  }

  #flushOutbox(): void {
    if (!this.open || this.#outbox.length === 0) return;
    const commands = this.#outbox;
    this.#outbox = [];
    this.#outboxBytes = 0;
    for (const frame of encodeFrame(commands)) this.#socket.send(frame);
    this.#noteUnread();
    if (this.#buffered > this.#context.limits.bufferedBytesToClose) {
      this.close(CLOSE.policy, "answers are not read");
    }
  }

  #noteUnread(): void {
    if (this.open) this.#context.unread.note(this, this.#buffered);
  }

  get #buffered(): number {
    return this.#socket.bufferedBytes + this.#outboxBytes;
  }

  #end(): void {
    const interpreter = this.#interpreter;
    if (interpreter === undefined) return;
    this.#interpreter = undefined;
    this.#forgetInbox();
    this.#outbox = [];
    this.#context.unread.note(this, 0);
    interpreter.ended();
  }
}

/** What only another relay says. */
function isForwarded(command: Command): boolean {
  return command.type === "FWD" && command.about === "here";
}

/** What a connection may say in a second, and how much at once. */
type Rates = {
  frames: TokenBucket;
  bytes: TokenBucket;
  commands: TokenBucket;
  /** How many commands beyond the rates are answered so, before the connection is closed. */
  refusals: TokenBucket;
};

function ratesOf(
  framesPerSecond: number,
  bytesPerSecond: number,
  burstSeconds: number,
  now: number,
): Rates {
  const bucket = (rate: number) => new TokenBucket(rate, burstSeconds, now);
  return {
    frames: bucket(framesPerSecond),
    bytes: bucket(bytesPerSecond),
    commands: bucket(framesPerSecond * COMMANDS_PER_FRAME),
    refusals: bucket(framesPerSecond),
  };
}

/** About what a command adds to the bytes on their way. */
function sizeOf(command: Command): number {
  switch (command.type) {
    case "MSG":
      return command.envelope.length + 32;
    case "PASS":
      return command.bytes.length;
    case "OK":
      return command.body.length + 16;
    default:
      return 16;
  }
}
