/** The same over a real network: a relay behind a real HTTP server, real WebSockets, real time. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { effect } from "@preact/signals-core";
import { attachRelay, Relay } from "../relay/mod.ts";
import { systemClock } from "./clock.ts";
import { unknownNetwork, webSocketTransport } from "./link/mod.ts";
import { Messenger } from "./messenger.ts";
import { MemoryDisk, MemoryTabs } from "./storage/mod.ts";
import type { Random } from "./random.ts";
import { only, textsOf } from "./testing/people.ts";
import { quickStretch } from "./testing/test_secrets.ts";

/** No jitter, so that nobody has to wait for it. */
const hasty: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => 0,
};

async function startRelay(kv: Deno.Kv, port: number) {
  const server = createServer();
  await new Promise<void>((resolve) =>
    server.listen(port, "127.0.0.1", resolve)
  );
  // A server that listens on a port has an address of this kind.
  const address = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${address.port}`;
  const relay = await Relay.open({ kv, publicUrl: origin });
  const detach = attachRelay(server, relay, { path: "/relay" });
  return {
    port: address.port,
    stop: async () => {
      await relay.stop();
      await detach();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openMessenger(port: number): Promise<Messenger> {
  const disk = new MemoryDisk();
  return Messenger.open({
    openPlatform: () => Promise.resolve(disk.platform()),
    tab: new MemoryTabs().tab(),
    relaySocketUrl: `ws://127.0.0.1:${port}/relay`,
    transport: webSocketTransport,
    network: unknownNetwork,
    clock: systemClock,
    random: hasty,
    stretch: quickStretch,
    passkeys: undefined,
  });
}

/** Resolves when signals read by `holds` make it true. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const dispose = effect(() => {
      if (!holds()) return;
      queueMicrotask(() => dispose());
      resolve();
    });
  });
}

Deno.test("two messengers meet and talk over real WebSockets, through a relay that restarts", async () => {
  const kv = await Deno.openKv(":memory:");
  let relay = await startRelay(kv, 0);
  const { port } = relay;
  const [ada, bob] = [await openMessenger(port), await openMessenger(port)];
  try {
    await (await ada.newAccount("Ada")).commit();
    await (await bob.newAccount("Bob")).commit();
    for (const { connection } of [ada, bob]) {
      await until(() => connection.value.at === "online");
    }
    await ada.invite.generate();
    const offer = ada.invite.offer.value;
    assert.ok(offer.at === "waiting");
    await bob.invite.connect(offer.code);
    for (const { conversations } of [ada, bob]) {
      await until(() => conversations.value.length === 1);
    }
    const a = await only({ messenger: ada });
    const b = await only({ messenger: bob });
    await a.send("one");
    await until(() => b.messages.value.length === 1);

    await relay.stop();
    await until(() => ada.connection.value.at === "waiting");
    await a.send("two");
    await b.send("three");
    relay = await startRelay(kv, port);
    await until(() =>
      a.messages.value.length === 3 && b.messages.value.length === 3
    );
    b.setVisible(true);
    await until(() =>
      a.messages.value.every(({ mine, state }) => !mine || state === "read")
    );
    assert.deepEqual(textsOf(a.messages.value).sort(), ["one", "three", "two"]);
    assert.deepEqual(textsOf(b.messages.value).sort(), ["one", "three", "two"]);
  } finally {
    await ada.close();
    await bob.close();
    await relay.stop();
    kv.close();
  }
});
