/**
 * A process that reads one queue: held_reader.ts URL SEED_AS_HEX QUEUE_AS_HEX. Says "bound", then the
 * id of each message that comes, acknowledging nothing. A test stops and continues it, as a computer
 * that falls asleep.
 */
import { ed25519Signer } from "../../wire/mod.ts";
import { RelayClient } from "./relay_client.ts";

const [url, seed, queue] = Deno.args;
const receive = await ed25519Signer(Uint8Array.fromHex(seed));
const client = await RelayClient.overWebSocket(url);
await client.bind(
  {
    id: Uint8Array.fromHex(queue),
    receive,
    send: receive,
    remove: receive,
  },
  "receive",
  1,
);
console.log("bound");
for (;;) console.log((await client.message()).id.toHex());
