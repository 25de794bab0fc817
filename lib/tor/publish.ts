/** An onion service, from a key to a descriptor that Tor's directories have. */
import { newClientKey } from "./client_key.ts";
import type { ControlPort } from "./control_port.ts";
import { ControlError } from "./control_error.ts";
import { wordsOf } from "./control_words.ts";
import { type OnionKey, onionKeyText } from "./onion_key.ts";

export interface OnionService {
  readonly key: OnionKey;
  /** Loopback port that connections of the service's port 80 go to. */
  readonly port: number;
  /** Public keys of those who are let in; undefined: everybody is. */
  readonly clients?: readonly string[];
}

/** Under a flood a client works longer, the better it is served. Per second, and at once. */
const DEFENCE = "PoWDefensesEnabled=1 PoWQueueRate=250 PoWQueueBurst=2500";

/**
 * Publishes the service for as long as `control` is connected, and returns when the first directory has
 * its descriptor: from then on it can be reached. Waits for the network as long as that takes.
 * @throws {ControlError} when Tor refuses, or the connection ends.
 */
export async function publish(
  control: ControlPort,
  service: OnionService,
): Promise<void> {
  const id = idOf(service.key);
  const clients = service.clients?.length === 0
    // A service for nobody: with a key that nobody has.
    ? [newClientKey().public]
    : service.clients ?? [];
  const uploaded = Promise.withResolvers<void>();
  const deafen = control.listen((event) => {
    const [kind, action, address] = wordsOf(event).plain;
    if (kind === "HS_DESC" && action === "UPLOADED" && address === id) {
      uploaded.resolve();
    }
  });
  try {
    await control.command("SETEVENTS HS_DESC");
    const [said] = await control.command([
      `ADD_ONION ${onionKeyText(service.key)}`,
      // Not detached: the service goes when we do, whatever ends us.
      ...clients.length > 0 ? ["Flags=V3Auth"] : [],
      DEFENCE,
      `Port=80,127.0.0.1:${service.port}`,
      ...clients.map((client) => `ClientAuthV3=${client}`),
    ].join(" "));
    if (wordsOf(said).values.get("ServiceID") !== id) {
      throw new ControlError("tor takes the key for another address");
    }
    await Promise.race([
      uploaded.promise,
      control.ended.then(() => {
        throw new ControlError("the control port closed the connection");
      }),
    ]);
  } finally {
    deafen();
    // Events that nobody hears cost Tor and us time with each.
    await control.command("SETEVENTS").catch(ignoreEnd);
  }
}

/** The address without its ending, as the control port says it. */
function idOf({ address }: OnionKey): string {
  return address.slice(0, -".onion".length);
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof ControlError)) throw error;
}
