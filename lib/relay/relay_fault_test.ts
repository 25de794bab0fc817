import assert from "node:assert/strict";
import { CLOSE } from "./socket.ts";
import { ok, randomBytes, RelayClient } from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

/** Runs it while faults that nothing caught are gathered, and gives them. */
async function faultsOf(run: () => Promise<void>): Promise<unknown[]> {
  const faults: unknown[] = [];
  const note = (event: ErrorEvent) => {
    event.preventDefault();
    faults.push(event.error);
  };
  addEventListener("error", note);
  try {
    await run();
  } finally {
    removeEventListener("error", note);
  }
  return faults;
}

Deno.test("a fault of the relay's own is reported and ends the connection that met it, and nothing else", async () => {
  const world = { broken: false, now: 1_800_000_000_000 };
  await withRelay(
    async ({ relay }) => {
      const [one, other] = [
        await RelayClient.inProcess(relay),
        await RelayClient.inProcess(relay),
      ];
      const keys = await other.createQueue();
      await other.bind(keys, "receive", 1);
      const outbox = await other.bind(keys, "send");
      const faults = await faultsOf(async () => {
        world.broken = true;
        await assert.rejects(one.ask({ type: "PING" }));
        const { code } = await one.closed;
        world.broken = false;
        assert.equal(code, CLOSE.fault);
      });
      assert.deepEqual(faults.map(String), ["TypeError: no time"]);
      assert.equal(relay.connections, 1);
      const id = randomBytes(16);
      ok(await other.send(outbox, id));
      assert.deepEqual((await other.message()).id, id);
    },
    {},
    {
      clock: () => {
        if (world.broken) throw new TypeError("no time");
        return world.now;
      },
    },
  );
});
