import assert from "node:assert/strict";
import { x25519 } from "@noble/curves/ed25519.js";
import {
  decodeFrame,
  ERROR_CODES,
  ForwardSeal,
  type Hello,
  parseGreetOk,
  parseHello,
} from "../wire/mod.ts";
import type { MemorySocket } from "./memory_socket.ts";
import { memorySocketPair } from "./memory_socket.ts";
import { Relay } from "./relay.ts";
import { countedRandom } from "./testing/counted_random.ts";
import { MemoryDialler } from "./testing/memory_dialler.ts";

const protocol = await Deno.readTextFile(
  new URL("../../docs/protocol.md", import.meta.url),
);
const exchanges = [...protocol.matchAll(/```exchange\n(.*?)\n```/gs)]
  .map(([, text]) => text.split("\n"));

/** One end of a connection, which keeps what the relay says until it is asked for. */
class Line {
  readonly #socket: MemorySocket;
  readonly #frames: Uint8Array[] = [];
  #arrived: (() => void) | undefined;
  readonly closed: Promise<number>;

  constructor(relay: Relay) {
    const { client, relay: other } = memorySocketPair();
    this.#socket = client;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.closed = promise;
    client.listen({
      message: (data) => {
        assert.ok(data instanceof Uint8Array);
        this.#frames.push(data);
        this.#arrived?.();
      },
      close: resolve,
      drained: () => {},
    });
    relay.accept(other);
  }

  say(frame: Uint8Array): void {
    this.#socket.send(frame);
  }

  async hear(): Promise<Uint8Array> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      await new Promise<void>((resume) => this.#arrived = resume);
    }
  }

  get unheard(): readonly Uint8Array[] {
    return this.#frames;
  }
}

/** `[512] 40 0001 0000 aa*32`: a frame of that size that begins so. */
function frameOf(text: string): Uint8Array {
  const [, size, words] = /^\[(\d+)\] (.*)$/.exec(text) ?? [];
  const frame = new Uint8Array(Number(size));
  frame.set(bytesOf(words));
  return frame;
}

function bytesOf(words: string): Uint8Array {
  const hex = words.split(/[ /]+/).map((word) => {
    const [byte, count = "1"] = word.split("*");
    return byte.repeat(Number(count));
  });
  return Uint8Array.fromHex(hex.join(""));
}

/** What the lines of an exchange say of what is sealed in others: sealed and opened as a client does. */
class Forwarded {
  #greeted: Hello | undefined;
  #seal: ForwardSeal | undefined;
  #inner: Uint8Array | undefined;
  #answer: Uint8Array | undefined;

  /** `secretKey ‖ inner`: the next FWD 1 or 2 must be that, padded. */
  seals(bytes: Uint8Array): void {
    assert.ok(this.#greeted);
    const secretKey = bytes.slice(0, 32);
    const secret = x25519.getSharedSecret(secretKey, this.#greeted.dayKey);
    const ephemeral = x25519.getPublicKey(secretKey);
    this.#seal = new ForwardSeal(secret, ephemeral, this.#greeted);
    this.#inner = bytes.slice(32);
  }

  said(frame: Uint8Array, line: string): void {
    if (this.#inner === undefined) return;
    const padded = new Uint8Array(frame.length - 58);
    padded.set(this.#inner);
    const sealed = this.#seal?.sealCommand(padded);
    const [command] = decodeFrame(frame);
    assert.ok(command.type === "FWD" && command.about !== "greet", line);
    assert.equal(command.sealed.toHex(), sealed?.toHex(), line);
    this.#inner = undefined;
  }

  async heard(frame: Uint8Array): Promise<void> {
    const [command] = decodeFrame(frame);
    // For FWD 2 that is who the line is connected to, for FWD 1 whom it greets later.
    if (command.type === "HELLO") {
      this.#greeted = await parseHello(command.body);
    }
    if (command.type !== "OK") return;
    if (command.body.length === frame.length - 5) this.#answer = command.body;
    else if (command.body.length > 200) {
      this.#greeted = await parseHello(parseGreetOk(command.body).hello);
    }
  }

  /** The last OK must open to that, padded. */
  opens(inner: Uint8Array, line: string): void {
    assert.ok(this.#answer);
    const padded = new Uint8Array(this.#answer.length - 16);
    padded.set(inner);
    const opened = this.#seal?.openReply(this.#answer);
    assert.equal(opened?.toHex(), padded.toHex(), line);
  }
}

async function replay(title: string, lines: readonly string[]): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const dialler = new MemoryDialler();
  const relay = await Relay.open({
    kv,
    publicUrl: "http://localhost:8000",
    clock: () => 1_800_000_000_000,
    random: countedRandom(),
    limits: { workBits: 4 },
    access: /password: (.*)$/.exec(title)?.[1],
    forward: /by a relay that reaches itself/.test(title)
      ? { dialler, deny: ["forbidden.example"] }
      : undefined,
  });
  dialler.relays.set(relay.publicUrl, relay);
  const forwarded = new Forwarded();
  const connections = new Map<string, Line>();
  for (const line of lines) {
    if (line.startsWith("# ")) continue;
    const [, name, sign, rest] =
      /^([AB]) (>|<|closed|seals|opens) (.*)$/.exec(line) ?? [];
    const connection = connections.get(name) ?? new Line(relay);
    connections.set(name, connection);
    if (sign === ">") {
      connection.say(frameOf(rest));
      forwarded.said(frameOf(rest), line);
    } else if (sign === "<") {
      const heard = await connection.hear();
      assert.equal(heard.toHex(), frameOf(rest).toHex(), line);
      await forwarded.heard(heard);
    } else if (sign === "seals") forwarded.seals(bytesOf(rest));
    else if (sign === "opens") forwarded.opens(bytesOf(rest), line);
    else assert.equal(await connection.closed, Number(rest), line);
  }
  for (const { unheard } of connections.values()) {
    assert.deepEqual(unheard, [], "the relay says nothing else");
  }
  await relay.stop();
  kv.close();
}

for (const [title, ...lines] of exchanges) {
  Deno.test(`the relay says what the document says, byte for byte: ${title}`, () =>
    replay(title, lines));
}

Deno.test("each command, and each error that a client can cause alone, is in an exchange", () => {
  const said = new Set<string>();
  const errors = new Set<number>();
  for (const line of exchanges.flat()) {
    const sealed = /^[AB] seals \S+ (\S+) /.exec(line);
    if (sealed) said.add(`sealed ${sealed[1]}`);
    const words = /^[AB] [<>] \[\d+\] (.*)$/.exec(line)?.[1].split(" ");
    if (words === undefined) continue;
    said.add(words[0]);
    if (words[0] === "03") errors.add(parseInt(words[3], 16));
    if (/^(2[012]|42)$/.test(words[0])) said.add(`${words[0]} ${words[3]}`);
  }
  const commands = [
    ...["01", "02", "03", "10", "11", "12", "13", "14", "15", "16", "23"],
    ...["17", "30", "31", "32", "33", "40", "42 00", "42 01", "42 02", "43"],
    ...["20 00", "20 01", "20 02", "20 03", "21 00", "21 01", "21 02"],
    ...["22 00", "22 02"],
    ...["17", "18", "19", "31", "34"].map((type) => `sealed ${type}`),
  ];
  assert.deepEqual(commands.filter((command) => !said.has(command)), []);
  // Nobody alone makes a relay busy; rate takes a flood; no relay says version.
  const others = ["rate", "busy", "version"];
  assert.deepEqual(
    Object.entries(ERROR_CODES).filter(([name, code]) =>
      !errors.has(code) && !others.includes(name)
    ),
    [],
  );
});
