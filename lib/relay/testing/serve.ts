/**
 * A relay in a process of its own, for tests that kill it and for measurements:
 * serve.ts KV_FILE [LIMITS_AS_JSON [MS_BEFORE_EACH_COMMIT [JOURNAL_AS_JSON]]]. Prints its port; "memory" on standard
 * input is answered with the bytes it holds; the end of standard input stops it.
 */
import { createServer } from "node:http";
import { KvStore } from "../kv_store.ts";
import { Relay } from "../relay.ts";
import { attachRelay } from "../ws_socket.ts";
import { SlowStore } from "./slow_store.ts";

const [path, limits = "{}", delay = "0", journal = "{}"] = Deno.args;
const kv = await Deno.openKv(path);
const store = delay === "0"
  ? kv
  : new SlowStore(new KvStore(kv), Number(delay));
const server = createServer((_request, response) =>
  response.writeHead(404).end()
);
const relay = await Relay.open({
  kv: store,
  publicUrl: "http://127.0.0.1",
  limits: JSON.parse(limits),
  journal: JSON.parse(journal),
  log: console.error,
});
attachRelay(server, relay, { path: "/relay" });
await new Promise<void>((listening) =>
  server.listen(0, "127.0.0.1", listening)
);
const address = server.address();
if (address === null || typeof address === "string") throw new Error("no port");
console.log(address.port);

for await (
  const _ of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
) {
  // There when Deno runs with --expose-gc: what is left is what is needed.
  (globalThis as { gc?: () => void }).gc?.();
  console.log(Deno.memoryUsage().rss);
}
await relay.stop();
server.close();
kv.close();
