/** What is wrong between this device and the relay it has reached: rare, so fetched when it is. */
import type { ConnectionState } from "../../lib/client/view.ts";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.relayTrouble;

export function RelayTrouble({ connection }: { connection: ConnectionState }) {
  switch (connection.at) {
    case "online":
      return <>{words.clockOff(connection.clockOff ?? 0)}</>;
    case "refused":
      return (
        <>
          {connection.reason === "version" ? words.version : words.otherRelay}
        </>
      );
    default:
      return null;
  }
}
