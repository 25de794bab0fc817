/**
 * A process that holds connections to our relay: `idle.ts URL QUEUES`. Each line of standard input
 * says how many more to make, with QUEUES queues bound on each, and is answered when they are there.
 */
import { bindAll, makeQueues, newKey } from "./whisper.ts";
import { WhisperClient } from "./whisper_client.ts";

const [url, queues] = Deno.args;
const owner = await newKey();
const held: WhisperClient[] = [];

async function connect(): Promise<void> {
  const client = await WhisperClient.connect(url);
  held.push(client);
  const keys = await Promise.all(
    Array.from({ length: Number(queues) }, newKey),
  );
  const sendKeys = keys.map(({ publicKey }) => publicKey);
  await makeQueues(client, owner.publicKey, sendKeys);
  await bindAll(client, sendKeys, keys.map(() => owner), "receive");
}

const steps = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const step of steps) {
  const lane = async (count: number) => {
    for (let i = 0; i < count; i++) await connect();
  };
  await Promise.all(Array.from({ length: 10 }, () => lane(Number(step) / 10)));
  console.log(held.filter((client) => client.open).length);
}
Deno.exit();
