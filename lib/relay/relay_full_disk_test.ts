import assert from "node:assert/strict";
import { ok, randomBytes, RelayClient } from "./testing/relay_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";

const MIB = 1024 * 1024;

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test({
  name:
    "on a disk that is really full what is answered OK is kept, through kill -9 too, and it goes on when there is room",
  // A small disk of its own takes root, and Linux.
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async () => {
    const disk = await Deno.makeTempDir({ prefix: "whisper-small-" });
    await run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk);
    const limits = {
      workBits: 0,
      framesPerSecond: 100_000,
      bytesPerSecond: 100 * MIB,
      bytesPerQueue: 64 * MIB,
    };
    let relay: RelayProcess | undefined;
    try {
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(12 * MIB));
      relay = await RelayProcess.start(`${disk}/relay.kv`, limits);
      const client = await RelayClient.overWebSocket(relay.url);
      const keys = await client.createQueue();
      const outbox = await client.bind(keys, "send");
      const accepted: string[] = [];
      /** Sends 1 MiB at a time; how many of these were refused. */
      const send = async (handle: number, from: RelayClient) => {
        const ids = Array.from({ length: 32 }, () => randomBytes(16));
        const answers = await Promise.all(from.askAll(ids.map((id) => ({
          type: "SEND",
          handle,
          id,
          envelope: randomBytes(32_736),
        }))));
        answers.forEach((answer, i) => {
          if (answer.type === "OK") accepted.push(ids[i].toHex());
          else assert.equal(answer.type === "ERR" && answer.code, "busy");
        });
        return answers.filter(({ type }) => type === "ERR").length;
      };
      let refused = 0;
      for (let i = 0; i < 40 && refused < 100; i++) {
        refused += await send(outbox, client);
      }
      assert.ok(refused >= 100, "the disk was never full");
      assert.ok(accepted.length > 0);

      // As somebody who sees it makes room and starts it again.
      await relay.kill();
      await Deno.remove(`${disk}/ballast`);
      relay = await RelayProcess.start(`${disk}/relay.kv`, limits);
      const sender = await RelayClient.overWebSocket(relay.url);
      assert.equal(await send(await sender.bind(keys, "send"), sender), 0);
      const reader = await RelayClient.overWebSocket(relay.url);
      const inbox = await reader.bind(keys, "receive", 1);
      const missing = new Set(accepted);
      while (missing.size > 0) {
        const { id, seq } = await reader.message();
        missing.delete(id.toHex());
        ok(await reader.ack(inbox, seq));
      }
    } finally {
      await relay?.stop();
      await run("umount", disk);
      await Deno.remove(disk);
    }
  },
});
