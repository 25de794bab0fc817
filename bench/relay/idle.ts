/**
 * A process that holds connections to our relay: `idle.ts URL QUEUES`. Each line of standard input
 * says how many more to make, with QUEUES queues bound on each, and is answered when they are there.
 */
import { bindAll, makeQueues, newKey } from "./whisper.ts";
import { WhisperClient } from "./whisper_client.ts";

const [url, queues] = Deno.args;
const owner = await newKey();
const held: WhisperClient[] = [];

/** As a device that comes back: its queues were made before, elsewhere. */
async function connect(founder: WhisperClient): Promise<void> {
  // Nobody sends to these queues: their send keys are names and no more.
  const sendKeys = Array.from(
    { length: Number(queues) },
    () => crypto.getRandomValues(new Uint8Array(32)),
  );
  await makeQueues(founder, owner.publicKey, sendKeys);
  const client = await WhisperClient.connect(url);
  held.push(client);
  await bindAll(client, sendKeys, sendKeys.map(() => owner), "receive");
}

const steps = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const step of steps) {
  const founder = await WhisperClient.connect(url);
  const lane = async (count: number) => {
    for (let i = 0; i < count; i++) await connect(founder);
  };
  await Promise.all(Array.from({ length: 10 }, () => lane(Number(step) / 10)));
  founder.close();
  console.log(held.filter((client) => client.open).length);
}
Deno.exit();
