import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  type PeerDialler,
  PeerForbiddenError,
  PeerUnreachableError,
} from "../../lib/relay/mod.ts";
import { TorDialler, type TorDiallerOptions } from "./tor_dialler.ts";

const ONION = `http://${"a".repeat(55)}d.onion`;

/** A dialler, and what it handed on to be reached in the clear. */
function dialler(options: Omit<TorDiallerOptions, "clear">) {
  const inClear: string[] = [];
  const clear: PeerDialler = {
    isolates: () => false,
    dial: (origin) => {
      inClear.push(origin.origin);
      return Promise.reject(new PeerUnreachableError("in the clear"));
    },
  };
  const tor = new TorDialler({ ...options, clear });
  const dial = (url: string, signal = new AbortController().signal) =>
    tor.dial(new URL(url), { isolation: "00", signal });
  return { tor, dial, inClear };
}

/** Something that takes SOCKS connections, and says nothing to them. */
function silentProxy() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  return {
    at: { host: "127.0.0.1", port: listener.addr.port },
    close: () => {
      listener.close();
      for (const connection of connections) connection.close();
    },
  };
}

Deno.test("while Tor is not there, what goes through Tor is unreachable: nothing of it goes another way", async () => {
  for (
    const [everything, urls] of [
      [false, [ONION, `${ONION}:8000`, `${ONION}.`]],
      [true, [ONION, "https://relay.example", "https://9.9.9.9"]],
    ] as const
  ) {
    const { tor, dial, inClear } = dialler({
      socks: () => undefined,
      everything,
    });
    for (const url of urls) {
      equal(tor.isolates(new URL(url)), true);
      await rejects(dial(url), PeerUnreachableError, url);
    }
    deepEqual(inClear, []);
  }
});

Deno.test("a relay without Tor asks nobody where an onion is", async () => {
  const { dial, inClear } = dialler({ everything: false });
  await rejects(dial(ONION), PeerForbiddenError);
  deepEqual(inClear, []);
  await rejects(dial("https://relay.example"), /in the clear/);
  deepEqual(inClear, ["https://relay.example"]);
});

Deno.test("through Tor too there is no way to private addresses, to other services' ports, or without encryption", async () => {
  const { dial, inClear } = dialler({
    socks: () => ({ host: "127.0.0.1", port: 1 }),
    everything: true,
  });
  for (
    const url of [
      "https://127.0.0.1",
      "https://10.0.0.1:8000",
      "https://[::1]",
      "http://relay.example",
      "https://relay.example:22",
      `${ONION}:25`,
    ]
  ) await rejects(dial(url), PeerForbiddenError, url);
  deepEqual(inClear, []);
});

Deno.test("a Tor that does not get there, says nothing or is given up on leaves it unreachable", async () => {
  const refusing = dialler({
    socks: () => ({ host: "127.0.0.1", port: 1 }),
    everything: false,
  });
  await rejects(refusing.dial(ONION), PeerUnreachableError);
  const proxy = silentProxy();
  const silent = dialler({ socks: () => proxy.at, everything: false });
  const giveUp = new AbortController();
  const dialling = silent.dial(ONION, giveUp.signal);
  giveUp.abort();
  await rejects(dialling, PeerUnreachableError);
  await rejects(silent.dial(ONION, giveUp.signal), PeerUnreachableError);
  proxy.close();
});
