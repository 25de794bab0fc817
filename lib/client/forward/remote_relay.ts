import { equalBytes } from "@noble/ciphers/utils.js";
import { agree, generateKeyPair } from "../../signal/mod.ts";
import {
  decodeForwardedReply,
  encodeForwarded,
  encodeUrl,
  type ErrorName,
  type ForwardedCommand,
  ForwardSeal,
  greetingKey,
  type Hello,
  parseGreetOk,
  parseHello,
  WireError,
} from "../../wire/mod.ts";
import { wipe } from "../keys/mod.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { withWork } from "../queues.ts";

/** Where another relay is, and who it is. */
export interface RelayPlace {
  readonly url: string;
  /** Its key, 32 bytes; undefined where whoever is there will do. */
  readonly key: Uint8Array | undefined;
}

/** How another relay was found to be. `refused`: the own relay does not forward there. */
export type Found = "reached" | "unreachable" | "refused";

/** Longer than any relay gives another one, to connect and to answer. */
const ANSWER_MS = 150_000;

/** The byte that keys of the Signal Protocol begin with. */
const KEY_TYPE = 5;

/** What the own relay says of another one, said as what follows from it. */
function asFound(code: ErrorName): "unreachable" | "forbidden" | "busy" {
  switch (code) {
    case "unsupported":
    case "forbidden":
    case "access":
    case "malformed":
      return "forbidden";
    case "rate":
    case "busy":
    case "full":
    case "work":
      return "busy";
    default:
      return "unreachable";
  }
}

interface Greeted {
  readonly handle: number;
  readonly hello: Hello;
}

/** Its handle or its challenge is no good any more: greeted again, the relay may be asked again. */
class StaleError extends Error {
  override readonly name = "StaleError";
}

/**
 * Another relay, as one connection to the own one reaches it: what is asked is sealed for it, so that the own
 * relay can't read it, nor answer in its place. That one can only say that there is no way: `RelayError`
 * "unreachable", "forbidden" or "busy", and no other code is its word.
 */
export class RemoteRelay {
  readonly #connection: Connection;
  readonly #place: RelayPlace;
  readonly #label: () => Promise<Uint8Array>;
  readonly #found: (found: Found) => void;
  #greeting: Promise<Greeted> | undefined;
  #greeted: Greeted | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** `label` gives 16 random bytes, for each greeting: what has one label may share a circuit. */
  constructor(
    connection: Connection,
    place: RelayPlace,
    label: () => Promise<Uint8Array>,
    found: (found: Found) => void,
  ) {
    this.#connection = connection;
    this.#place = place;
    this.#label = label;
    this.#found = found;
  }

  /** What it greeted with last. Throws when it never did: see `greet`. */
  get hello(): Hello {
    if (!this.#greeted) throw new Error("the relay has not greeted");
    return this.#greeted.hello;
  }

  /** Has it greet, unless it has. Rejects with `RelayError` or `ConnectionLostError`. */
  async greet(): Promise<Hello> {
    return (await this.#greet()).hello;
  }

  /** Has it greet anew before it is asked again; what it was asked already is answered on the way it went. */
  greetAgain(): void {
    this.#greeting = undefined;
    this.#greeted = undefined;
  }

  /**
   * Asks it what `make` makes of its HELLO, and gives the body of its OK. What is asked one after another
   * leaves in that order. `make` may be called again, when the relay had to greet again.
   */
  async ask(
    make: (hello: Hello) => Promise<ForwardedCommand> | ForwardedCommand,
  ): Promise<Uint8Array> {
    for (let again = false;; again = true) {
      const greeted = await this.#greet();
      try {
        return await this.#pass(greeted, make);
      } catch (error) {
        if (!(error instanceof StaleError)) throw error;
        if (this.#greeted === greeted) this.greetAgain();
        if (again) throw this.#notFound("unreachable");
      }
    }
  }

  /** Reads an answer of its with `parse`; one that makes no sense is none. */
  read<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw this.#notFound("unreachable");
    }
  }

  #greet(): Promise<Greeted> {
    this.#greeting ??= this.#greetAnew().then(
      (greeted) => this.#greeted = greeted,
      (error: unknown) => {
        this.#greeting = undefined;
        throw error;
      },
    );
    return this.#greeting;
  }

  async #greetAnew(): Promise<Greeted> {
    const { key } = this.#place;
    const url = encodeUrl(this.#place.url);
    const label = await this.#label();
    const body = await this.#asking(() =>
      withWork(
        this.#connection,
        "FWD",
        greetingKey({ label, url }),
        (work) =>
          this.#connection.request(
            { type: "FWD", about: "greet", work, label, url },
            ANSWER_MS,
          ),
      )
    );
    const { handle, hello: said } = this.read(() => parseGreetOk(body));
    const hello = await parseHello(said).catch((error: unknown) =>
      this.read(() => {
        throw error;
      })
    );
    if (key && !equalBytes(key, hello.relayKey)) {
      throw this.#notFound("unreachable");
    }
    this.#found("reached");
    return { handle, hello };
  }

  async #pass(
    { handle, hello }: Greeted,
    make: (hello: Hello) => Promise<ForwardedCommand> | ForwardedCommand,
  ): Promise<Uint8Array> {
    const sealing = this.#seal(hello, make);
    const before = this.#turn;
    const passing = sealing.then(async ({ seal, sealed }) => {
      await before;
      const answer = this.#connection.request(
        { type: "FWD", about: "to", handle, sealed },
        ANSWER_MS,
      );
      // Wrapped, so that whoever comes next waits for it to leave, and not for its answer.
      return { seal, answer };
    });
    this.#turn = passing.then(() => {}, () => {}); // its failure is told below
    const { seal, answer } = await passing;
    const plain = seal.openReply(await this.#asking(() => answer));
    if (!plain) throw this.#notFound("unreachable");
    const reply = this.read(() => decodeForwardedReply(plain));
    this.#found("reached");
    if (reply.type === "ERR") throw new RelayError(reply.code, reply.detail);
    return reply.body;
  }

  async #seal(
    hello: Hello,
    make: (hello: Hello) => Promise<ForwardedCommand> | ForwardedCommand,
  ): Promise<{ seal: ForwardSeal; sealed: Uint8Array }> {
    const plain = encoded(await make(hello));
    const { privateKey, publicKey } = await generateKeyPair();
    const dayKey = Uint8Array.of(KEY_TYPE, ...hello.dayKey);
    const secret = await agree(privateKey, dayKey).catch(() => {
      // A key that gives the same secret to everybody is no relay's.
      throw this.#notFound("unreachable");
    });
    const seal = new ForwardSeal(secret, publicKey.subarray(1), hello);
    wipe(privateKey, secret);
    return { seal, sealed: seal.sealCommand(plain) };
  }

  /** Says what the own relay's refusal means for who wants to reach the other. */
  async #asking(ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (error.code === "stale" || error.code === "unknown-handle") {
        throw new StaleError();
      }
      throw this.#notFound(asFound(error.code));
    }
  }

  #notFound(code: "unreachable" | "forbidden" | "busy"): RelayError {
    if (code === "unreachable") this.#found("unreachable");
    if (code === "forbidden") this.#found("refused");
    return new RelayError(code, new Uint8Array());
  }
}

function encoded(command: ForwardedCommand): Uint8Array {
  try {
    return encodeForwarded(command);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new RelayError("too-large", new Uint8Array());
  }
}
