import assert from "node:assert/strict";
import type { MemorySocket } from "./memory_socket.ts";
import { memorySocketPair } from "./memory_socket.ts";
import { Relay } from "./relay.ts";
import { countedRandom } from "./testing/counted_random.ts";

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
  const hex = words.split(/[ /]+/).map((word) => {
    const [byte, count = "1"] = word.split("*");
    return byte.repeat(Number(count));
  });
  frame.set(Uint8Array.fromHex(hex.join("")));
  return frame;
}

async function replay(title: string, lines: readonly string[]): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const relay = await Relay.open({
    kv,
    publicUrl: "http://localhost:8000",
    clock: () => 1_800_000_000_000,
    random: countedRandom(),
    limits: { workBits: 4 },
    access: /password: (.*)$/.exec(title)?.[1],
  });
  const connections = new Map<string, Line>();
  for (const line of lines) {
    if (line.startsWith("# ")) continue;
    const [, name, sign, rest] = /^([AB]) (>|<|closed) (.*)$/.exec(line) ?? [];
    const connection = connections.get(name) ?? new Line(relay);
    connections.set(name, connection);
    if (sign === ">") connection.say(frameOf(rest));
    else if (sign === "<") {
      const heard = (await connection.hear()).toHex();
      assert.equal(heard, frameOf(rest).toHex(), line);
    } else assert.equal(await connection.closed, Number(rest), line);
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
    const words = /^[AB] [<>] \[\d+\] (.*)$/.exec(line)?.[1].split(" ");
    if (words === undefined) continue;
    said.add(words[0]);
    if (words[0] === "03") errors.add(parseInt(words[3], 16));
    if (/^2[012]$/.test(words[0])) said.add(`${words[0]} ${words[3]}`);
  }
  const commands = [
    ...["01", "02", "03", "10", "11", "12", "13", "14", "15", "16", "23"],
    ...["30", "31", "32", "33", "42", "43"],
    ...["20 00", "20 01", "20 02", "20 03", "21 00", "21 01", "21 02"],
    ...["22 00", "22 02"],
  ];
  assert.deepEqual(commands.filter((command) => !said.has(command)), []);
  assert.deepEqual(
    [1, 2, 3, 9, 10, 11, 14, 15, 16, 17].filter((code) => !errors.has(code)),
    [],
  );
});
