/** An onion service as a backup has it: who it is, and who is let in. */
import { onionKeyText, parseOnionKey } from "../../lib/tor/mod.ts";
import {
  type OnionClient,
  readOnionClients,
  readOnionKey,
  writeOnion,
} from "./onion_directory.ts";

export interface OnionIdentity {
  /** As the control port takes it. */
  readonly key: string;
  /** Left out where everybody is let in; nobody is where it is empty. */
  readonly clients?: readonly OnionClient[];
}

/** What a data directory has; undefined when it never was an onion service. @throws {UsageError} */
export async function onionIdentityOf(
  data: string,
): Promise<OnionIdentity | undefined> {
  const key = await readOnionKey(data);
  if (!key) return undefined;
  const clients = await readOnionClients(data);
  return { key: onionKeyText(key), ...clients ? { clients } : {} };
}

/** Of parsed JSON; undefined when it is no such thing. */
export function parseOnionIdentity(value: unknown): OnionIdentity | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { key, clients }: { key?: unknown; clients?: unknown } = value;
  if (typeof key !== "string" || !parseOnionKey(key)) return undefined;
  if (clients === undefined) return { key };
  return Array.isArray(clients) && clients.every(isClient)
    ? { key, clients }
    : undefined;
}

/** Puts it into a directory that has none. */
export async function putOnionIdentity(
  data: string,
  { key, clients }: OnionIdentity,
): Promise<void> {
  const parsed = parseOnionKey(key);
  if (!parsed) throw new Error("the key was not parsed before");
  await writeOnion(data, parsed, clients);
}

function isClient(value: unknown): value is OnionClient {
  if (typeof value !== "object" || value === null) return false;
  const { name, publicKey }: { name?: unknown; publicKey?: unknown } = value;
  // The name becomes that of a file.
  return typeof name === "string" && /^[A-Za-z0-9_-]{1,32}$/.test(name) &&
    typeof publicKey === "string" && /^[a-z2-7]{52}$/i.test(publicKey);
}
