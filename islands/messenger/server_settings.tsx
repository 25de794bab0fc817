/** The server this page talks to, and the way to it that hides who comes. */
import { useEffect, useState } from "preact/hooks";
import type { LeftServer } from "../../lib/client/view.ts";
import { Button } from "../parts/button.tsx";
import { CopyButton } from "../parts/copy_button.tsx";
import { textOnDemand } from "../text/on_demand.ts";

const words = textOnDemand.settings.server;

export function ServerSettings(
  { left, onMove }: { left: readonly LeftServer[]; onMove: () => void },
) {
  const [onion, setOnion] = useState<string>();
  useEffect(() => {
    let here = true;
    onionAddress().then((address) => {
      if (here) setOnion(address);
    });
    return () => {
      here = false;
    };
  }, []);
  return (
    <section class="settings-group">
      <h3>{words.title}</h3>
      <p class="settings-hint">{words.host(location.host)}</p>
      {isOnion(location) && <p class="settings-hint">{words.byOnion}</p>}
      {onion !== undefined && (
        <p class="settings-hint">
          {words.onion} <span class="settings-address">{onion}</span>
        </p>
      )}
      {left.map(({ host, reach }) => (
        <p class="settings-hint" key={host}>
          {reach === "unreachable" || reach === "refused"
            ? words.waitingFor(host)
            : words.left(host)}
        </p>
      ))}
      <div class="settings-buttons">
        {onion !== undefined && (
          <CopyButton small label={words.copy} value={onion} />
        )}
        <Button look="outline" onClick={onMove}>{words.move}</Button>
      </div>
    </section>
  );
}

function isOnion({ hostname }: Pick<URL, "hostname">): boolean {
  return hostname.endsWith(".onion");
}

/** What the server itself says of its onion service, as to Tor Browser; a service worker has old words at most. */
async function onionAddress(): Promise<string | undefined> {
  try {
    const response = await fetch("/chat", {
      method: "HEAD",
      cache: "no-store",
    });
    const url = URL.parse(response.headers.get("onion-location") ?? "");
    return url && isOnion(url) ? url.origin : undefined;
  } catch {
    // Without a connection there is nothing to tell.
    return undefined;
  }
}
