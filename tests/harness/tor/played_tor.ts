/** A Tor that only its control port shows, for what needs no network. */
import { DEFENDING, isOlder } from "../../../lib/tor/mod.ts";
import { playPort } from "../../../lib/tor/testing/played_port.ts";

/** It publishes at once whatever it is given, and knows its address when it is told. `port`: a free one when 0. */
export function playTor({ version = "0.4.9.11", port = 0 } = {}) {
  let address = "";
  const ports: number[] = [];
  const tor = playPort((line) => {
    const [command] = line.split(" ");
    switch (command) {
      case "PROTOCOLINFO":
        return `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor="${version}"\r\n250 OK`;
      case "GETINFO":
        return '250-net/listeners/socks="127.0.0.1:9"\r\n250 OK';
      case "ADD_ONION":
        // As such versions do with what came later.
        if (isOlder(version, DEFENDING) && line.includes(" PoW")) {
          return '512 Bad arguments to ADD_ONION: Unrecognized keyword argument "PoWDefensesEnabled"';
        }
        ports.push(Number(/Port=80,127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
        // Another service's descriptor is nobody's news.
        return `250-ServiceID=${address}\r\n250 OK\r\n650 HS_DESC UPLOADED other UNKNOWN $A\r\n650 HS_DESC UPLOADED ${address} UNKNOWN $A`;
      default:
        return "250 OK";
    }
  }, port);
  return {
    ...tor,
    control: `${tor.at.host}:${tor.at.port}`,
    ports,
    /** Tells it whom it is to publish. */
    knows: (onion: string) => address = onion.replace(".onion", ""),
  };
}
