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

/** How Tor answers to an option that it does not know, or whose value it does not take. */
const UNKNOWN_OPTION = 512;

/** Under a flood a client works longer, the better it is served. Per second, and at once. */
const DEFENCE = "PoWDefensesEnabled=1 PoWQueueRate=250 PoWQueueBurst=2500";

/** How a service was published. */
export interface Publication {
  /** Whether a flood is defended against by proof of work: older Tors can't be told to. */
  readonly defended: boolean;
}

/**
 * Publishes the service for as long as `control` is connected, and returns when the first directory has
 * its descriptor: from then on it can be reached. Waits for the network as long as that takes.
 * @throws {ControlError} when Tor refuses, or the connection ends.
 */
export async function publish(
  control: ControlPort,
  service: OnionService,
): Promise<Publication> {
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
    const options = [
      // Not detached: the service goes when we do, whatever ends us.
      ...clients.length > 0 ? ["Flags=V3Auth"] : [],
      `Port=80,127.0.0.1:${service.port}`,
      ...clients.map((client) => `ClientAuthV3=${client}`),
    ];
    const { line, defended } = await add(control, service.key, options);
    if (wordsOf(line).values.get("ServiceID") !== id) {
      throw new ControlError("tor takes the key for another address");
    }
    await Promise.race([
      uploaded.promise,
      control.ended.then(() => {
        throw new ControlError("the control port closed the connection");
      }),
    ]);
    return { defended };
  } finally {
    deafen();
    // Events that nobody hears cost Tor and us time with each.
    await control.command("SETEVENTS").catch(ignoreEnd);
  }
}

/** Has Tor make the service, with the defence where this Tor knows of it; gives the line that names it. */
async function add(
  control: ControlPort,
  key: OnionKey,
  options: readonly string[],
): Promise<{ line: string } & Publication> {
  const ask = async (...more: string[]) => {
    const words = ["ADD_ONION", onionKeyText(key), ...options, ...more];
    const [line] = await control.command(words.join(" "));
    return line;
  };
  try {
    return { line: await ask(DEFENCE), defended: true };
  } catch (error) {
    const unknown = error instanceof ControlError &&
      error.code === UNKNOWN_OPTION;
    if (!unknown) throw error;
    // Whatever else it may dislike, it refuses again.
    return { line: await ask(), defended: false };
  }
}

/** The address without its ending, as the control port says it. */
function idOf({ address }: OnionKey): string {
  return address.slice(0, -".onion".length);
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof ControlError)) throw error;
}
