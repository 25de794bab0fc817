import { deepEqual, equal, match } from "node:assert/strict";
import { newOnionKey } from "../../lib/tor/mod.ts";
import { playPort } from "../../lib/tor/testing/played_port.ts";
import { TorHost } from "./tor_host.ts";

Deno.test("a Tor that takes long to get into its network is told of, with how far it is; the service, when a directory has it and not before", async () => {
  const key = newOnionKey();
  const id = key.address.replace(".onion", "");
  const port = playPort((line) => {
    const [command, what] = line.split(" ");
    switch (command) {
      case "PROTOCOLINFO":
        return '250-AUTH METHODS=NULL\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK';
      case "ADD_ONION":
        return `250-ServiceID=${id}\r\n250 OK`;
      case "GETINFO":
        return what === "status/bootstrap-phase"
          ? '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=45 TAG=requesting_descriptors SUMMARY="Asking for relay descriptors"\r\n250 OK'
          : '250-net/listeners/socks="127.0.0.1:9"\r\n250 OK';
      default:
        return "250 OK";
    }
  });
  const lines: string[] = [];
  let grown = Promise.withResolvers<void>();
  const host = new TorHost({
    plan: {
      source: { running: port.at },
      onion: { key, url: `http://${key.address}` },
    },
    port: 1,
    log: (line) => {
      lines.push(line);
      grown.resolve();
    },
    long: 1,
  });
  await grown.promise;
  grown = Promise.withResolvers();
  await port.say("650 HS_DESC UPLOADED other UNKNOWN $A");
  await port.say(`650 HS_DESC UPLOAD ${id} UNKNOWN $A`);
  // Longer than it takes to hear that.
  await new Promise((resume) => setTimeout(resume, 100));
  deepEqual(lines, [
    "tor: still on its way into the network (45 %, asking for relay descriptors)",
  ]);
  equal(host.state, "starting");
  await port.say(`650 HS_DESC UPLOADED ${id} UNKNOWN $A`);
  await grown.promise;
  match(lines[1], /^The onion service can be reached by everybody: /);
  await host.stop();
  port.close();
});
