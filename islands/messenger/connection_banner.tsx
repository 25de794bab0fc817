/** How it stands with the relay, in plain words, only when it matters. */
import "./connection_banner.css";
import type { ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ConnectionState, MessengerView } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { partOnDemand } from "../parts/on_demand.tsx";
import { text } from "../text/mod.ts";

const words = text.connection;

const RelayPassword = partOnDemand(() =>
  import("./relay_password.tsx").then((part) => part.RelayPassword)
);

const RelayTrouble = partOnDemand(() =>
  import("./relay_trouble.tsx").then((part) => part.RelayTrouble)
);

/** Connecting is nothing to report until it takes this long, ms. */
const PATIENCE = 1500;

export function ConnectionBanner({ messenger }: { messenger: MessengerView }) {
  const connection = messenger.connection.value;
  const impatient = useLongerThan(PATIENCE, connection.at === "connecting");
  const message = connection.at === "connecting" && !impatient
    ? undefined
    : messageOf(connection);
  return (
    <div class={`messenger-banner${message ? " messenger-banner-shown" : ""}`}>
      {/* There from the start, so that a screen reader hears what changes in it. */}
      <div class={message ? "connection" : undefined}>
        <span role="status">{message}</span>
        {connection.at === "password" && (
          <RelayPassword
            messenger={messenger}
          />
        )}
        {connection.at === "waiting" && (
          <>
            <NextTry at={connection.retryAt} />
            <Button
              small
              onClick={() => messenger.reconnect()}
            >
              {words.tryNow}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

function messageOf(connection: ConnectionState): ComponentChild {
  switch (connection.at) {
    case "online":
      return connection.clockOff === undefined
        ? undefined
        : <RelayTrouble connection={connection} />;
    case "connecting":
      return words.connecting;
    case "waiting":
      return `${words.waiting} ${words.waitingKept}`;
    case "offline":
      return words.offline;
    case "password":
      return connection.changed ? words.otherPassword : words.wantsPassword;
    case "refused":
      return <RelayTrouble connection={connection} />;
  }
}

/** Counts down in sight only: a screen reader that heard every second would hear nothing else. */
function NextTry({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  return <span class="connection-next">{words.nextTry(seconds)}</span>;
}

/** Whether `on` has been true for more than `ms`. */
function useLongerThan(ms: number, on: boolean): boolean {
  const [long, setLong] = useState(false);
  useEffect(() => {
    setLong(false);
    if (!on) return;
    const timer = setTimeout(() => setLong(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return long && on;
}
