import assert from "node:assert/strict";
import {
  bindMessage,
  type Command,
  type CommandBody,
  decodeFrame,
  ed25519Signer,
  encodeFrame,
  type ErrorName,
  type Hello,
  parseBindOk,
  parseHello,
  parseJoinOk,
  parseOpenOk,
  queueId,
  rendezvousMessage,
  type Role,
  type Signer,
  solveWork,
} from "../../wire/mod.ts";
import { memorySocketPair } from "../memory_socket.ts";
import type { Relay } from "../relay.ts";
import { documentedName, isDocumented } from "./documented_errors.ts";

/** The credentials of a queue, as its owner has them. */
export type Credentials = {
  id: Uint8Array;
  receive: Signer;
  send: Signer;
  remove: Signer;
};

export async function randomSigner(): Promise<Signer> {
  return await ed25519Signer(crypto.getRandomValues(new Uint8Array(32)));
}

export async function newCredentials(): Promise<Credentials> {
  const [receive, send, remove] = await Promise.all([
    randomSigner(),
    randomSigner(),
    randomSigner(),
  ]);
  return { id: queueId(send.publicKey), receive, send, remove };
}

export function randomBytes(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}

type Line = { send(data: Uint8Array | string): void; close(): void };
type Push = Command & { type: "MSG" | "REPLACED" | "PASS" | "CLOSE" };

/** Speaks the protocol plainly, so that a test can say anything to a relay. */
export class RelayClient {
  hello!: Hello; // set before `connect` gives the client out
  /** Pushes that nobody asked for yet. */
  readonly pushes: Command[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #line: Line;
  #request = 0;
  #over = false;
  #answers = new Map<
    number,
    {
      asked: CommandBody;
      resolve: (command: Command) => void;
      reject: (error: Error) => void;
    }
  >();
  #pushed: (() => void) | undefined;
  #helloHeard: ((body: Uint8Array) => void) | undefined;
  #closed!: (end: { code: number; reason: string }) => void; // set by the promise above
  /** ERR without a request: about the connection. */
  refusal: ErrorName | undefined;

  private constructor(
    connect: (
      hear: (data: unknown) => void,
      end: (code: number, reason: string) => void,
    ) => Line,
  ) {
    this.closed = new Promise((resolve) => this.#closed = resolve);
    this.#line = connect(
      (data) => this.#hear(data),
      (code, reason) => this.#end(code, reason),
    );
  }

  /** Over a socket inside the process. */
  static async inProcess(
    relay: Relay,
  ): Promise<
    RelayClient & {
      cut(): void;
      pause(): void;
      resume(): void;
      /** Bytes that the relay said and the client has not read. */
      unread(): number;
    }
  > {
    const pair = memorySocketPair();
    const client = new RelayClient((hear, end) => {
      pair.client.listen({ message: hear, close: end, drained: () => {} });
      return {
        send: (data) => pair.client.send(data),
        close: () => pair.client.close(1000, ""),
      };
    });
    relay.accept(pair.relay);
    await client.#greeted();
    return Object.assign(client, {
      cut: () => pair.client.cut(),
      pause: () => pair.client.pause(),
      resume: () => pair.client.resume(),
      unread: () => pair.relay.bufferedBytes,
    });
  }

  /** Over a real WebSocket; rejects when it does not open. */
  /** `through`: another way there than the straight one. */
  static async overWebSocket(
    url: string,
    through?: Deno.HttpClient,
  ): Promise<RelayClient> {
    // Deno takes options there, which the browser's types do not know.
    const socket = new WebSocket(
      url,
      (through && { client: through }) as never,
    );
    socket.binaryType = "arraybuffer";
    const client = new RelayClient((hear, end) => {
      socket.onmessage = ({ data }) => hear(data);
      socket.onclose = ({ code, reason }) => end(code, reason);
      socket.onerror = () => {}; // "close" follows
      return {
        send: (data) =>
          socket.send(typeof data === "string" ? data : data.slice()),
        close: () => socket.close(),
      };
    });
    await client.#greeted();
    return client;
  }

  async #greeted(): Promise<void> {
    const body = await Promise.race([
      new Promise<Uint8Array>((resolve) => this.#helloHeard = resolve),
      this.closed.then(({ code, reason }) => {
        throw new Error(`closed before HELLO: ${code} ${reason}`);
      }),
    ]);
    this.hello = await parseHello(body);
  }

  #hear(data: unknown): void {
    const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    assert.ok(frame instanceof Uint8Array, "a relay sends bytes only");
    for (const command of decodeFrame(frame)) {
      if (command.type === "HELLO") this.#helloHeard?.(command.body);
      else if (command.request === 0 && command.type === "ERR") {
        this.refusal = command.code;
      } else if (command.request === 0) {
        this.pushes.push(command);
        this.#pushed?.();
      } else {
        const waiting = this.#answers.get(command.request);
        assert.ok(
          waiting !== undefined,
          `a second or unasked answer to request ${command.request}`,
        );
        this.#answers.delete(command.request);
        if (
          command.type === "ERR" && !isDocumented(waiting.asked, command.code)
        ) {
          const name = documentedName(waiting.asked);
          const message = `${command.code} to ${name} is not documented`;
          waiting.reject(new assert.AssertionError({ message }));
        } else waiting.resolve(command);
      }
    }
  }

  #end(code: number, reason: string): void {
    this.#over = true;
    this.#closed({ code, reason });
    for (const { reject } of this.#answers.values()) {
      reject(new Error("the connection ended"));
    }
    this.#answers.clear();
    this.#pushed?.();
  }

  /** Sends bytes as they are. */
  raw(data: Uint8Array | string): void {
    this.#line.send(data);
  }

  async close(): Promise<void> {
    this.#line.close();
    await this.closed;
  }

  /** Sends commands in as few frames as they need; each promise is its answer. */
  askAll(bodies: readonly CommandBody[]): Promise<Command>[] {
    const commands = bodies.map((body): Command => ({
      ...body,
      request: this.#request = this.#request % 0xffff + 1,
    }));
    const answers = commands.map((asked) =>
      new Promise<Command>((resolve, reject) =>
        this.#answers.set(asked.request, { asked, resolve, reject })
      )
    );
    if (this.#over) {
      for (const answer of answers) answer.catch(() => {}); // told to whoever awaits it
      for (const { reject } of this.#answers.values()) {
        reject(new Error("the connection ended"));
      }
      this.#answers.clear();
      return answers;
    }
    for (const frame of encodeFrame(commands)) this.raw(frame);
    return answers;
  }

  ask(body: CommandBody): Promise<Command> {
    return this.askAll([body])[0];
  }

  /** The next push, in order of arrival. */
  async push(): Promise<Push> {
    for (;;) {
      const push = this.pushes.shift();
      // #hear puts only commands without a request here, and a relay pushes these four.
      if (push !== undefined) return push as Push;
      const ended = await Promise.race([
        new Promise<false>((resolve) => this.#pushed = () => resolve(false)),
        this.closed.then(() => true),
      ]);
      if (ended && this.pushes.length === 0) {
        throw new Error("the connection ended");
      }
    }
  }

  async message(): Promise<Push & { type: "MSG" }> {
    const push = await this.push();
    assert.ok(push.type === "MSG", `a push is ${push.type}`);
    return push;
  }

  // Commands

  async newCommand(keys: Credentials): Promise<CommandBody> {
    const { challenge, workBits: bits } = this.hello;
    const sendKey = keys.send.publicKey;
    return {
      type: "NEW",
      receiveKey: keys.receive.publicKey,
      sendKey,
      removeKey: keys.remove.publicKey,
      work: await solveWork({ challenge, type: "NEW", key: sendKey, bits }),
    };
  }

  async createQueue(): Promise<Credentials> {
    const keys = await newCredentials();
    ok(await this.ask(await this.newCommand(keys)));
    return keys;
  }

  async bindCommand(
    keys: Credentials,
    role: Role,
    generation = 0,
  ): Promise<CommandBody> {
    const message = bindMessage(
      this.hello.challenge,
      this.hello.relayKey,
      keys.id,
      role,
      generation,
    );
    return {
      type: "BIND",
      role,
      queue: keys.id,
      generation,
      signature: await keys[role].sign(message),
    };
  }

  /** Returns the handle. */
  async bind(keys: Credentials, role: Role, generation = 0): Promise<number> {
    return parseBindOk(
      ok(await this.ask(await this.bindCommand(keys, role, generation))),
    ).handle;
  }

  send(
    handle: number,
    id: Uint8Array,
    envelope: Uint8Array = new Uint8Array(480),
  ): Promise<Command> {
    return this.ask({ type: "SEND", handle, id, envelope });
  }

  ack(handle: number, seq: number): Promise<Command> {
    return this.ask({ type: "ACK", handle, seq });
  }

  async openCommand(party: Signer): Promise<CommandBody> {
    const { publicKey } = party;
    const { challenge, relayKey, workBits: bits } = this.hello;
    const signature = await party.sign(
      rendezvousMessage(challenge, relayKey, "open", 0, publicKey),
    );
    return {
      type: "OPEN",
      publicKey,
      signature,
      work: await solveWork({ challenge, type: "OPEN", key: publicKey, bits }),
    };
  }

  async open(party: Signer) {
    return parseOpenOk(ok(await this.ask(await this.openCommand(party))));
  }

  async joinCommand(party: Signer, nameplate: number): Promise<CommandBody> {
    const { publicKey } = party;
    const { challenge, relayKey, workBits: bits } = this.hello;
    const signature = await party.sign(
      rendezvousMessage(challenge, relayKey, "join", nameplate, publicKey),
    );
    const work = await solveWork({
      challenge,
      type: "JOIN",
      key: publicKey,
      bits,
    });
    return { type: "JOIN", nameplate, publicKey, signature, work };
  }

  async join(party: Signer, nameplate: number) {
    return parseJoinOk(
      ok(await this.ask(await this.joinCommand(party, nameplate))),
    );
  }

  pass(handle: number, index: number, bytes: Uint8Array): Promise<Command> {
    return this.ask({ type: "PASS", handle, index, bytes });
  }
}

/** The body of an OK; fails the test for anything else. */
export function ok(answer: Command): Uint8Array {
  assert.ok(
    answer.type === "OK",
    answer.type === "ERR" ? `ERR ${answer.code}` : answer.type,
  );
  return answer.body;
}

/** The detail of an ERR with `code`; fails the test for anything else. */
export function refused(answer: Command, code: ErrorName): Uint8Array {
  assert.ok(answer.type === "ERR", `answered ${answer.type}`);
  assert.equal(answer.code, code);
  return answer.detail;
}
