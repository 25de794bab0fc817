import assert from "node:assert/strict";
import { type MemorySocket, memorySocketPair } from "./memory_socket.ts";

function record(socket: MemorySocket): string[] {
  const told: string[] = [];
  socket.listen({
    message: (data) =>
      told.push(typeof data === "string" ? data : `bytes ${data.join()}`),
    close: (code, reason) => told.push(`close ${code} ${reason}`),
    drained: () => told.push("drained"),
  });
  return told;
}

const settled = () => new Promise((resume) => setTimeout(resume));

Deno.test("both ends hear each other in order, also what came before they listened", async () => {
  const { client, relay } = memorySocketPair();
  client.send(Uint8Array.of(1));
  const heard = record(relay);
  client.send(Uint8Array.of(2, 3));
  const answered = record(client);
  relay.send("text");
  await settled();
  assert.deepEqual(heard.filter((line) => line !== "drained"), [
    "bytes 1",
    "bytes 2,3",
  ]);
  assert.deepEqual(answered.filter((line) => line !== "drained"), ["text"]);
});

Deno.test("what was sent arrives before the close, and nothing after it", async () => {
  const { client, relay } = memorySocketPair();
  const heard = record(client);
  record(relay);
  relay.send(Uint8Array.of(1));
  relay.close(1008, "enough");
  relay.send(Uint8Array.of(2));
  await settled();
  assert.deepEqual(heard, ["bytes 1", "close 1008 enough"]);
});

Deno.test("a cut connection loses what is under way and tells both ends", async () => {
  const { client, relay } = memorySocketPair();
  const ends = [record(client), record(relay)];
  client.send(Uint8Array.of(1));
  client.cut();
  await settled();
  assert.deepEqual(ends, [["close 1006 "], ["close 1006 "]]);
});

Deno.test("bytes that a paused end does not read count as buffered until it reads", async () => {
  const { client, relay } = memorySocketPair();
  const heard = record(client);
  const told = record(relay);
  client.pause();
  relay.send(new Uint8Array(512));
  await settled();
  assert.equal(relay.bufferedBytes, 512);
  assert.deepEqual([heard, told], [[], []]);
  client.resume();
  await settled();
  assert.equal(relay.bufferedBytes, 0);
  assert.deepEqual(told, ["drained"]);
});
