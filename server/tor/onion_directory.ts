/** What makes the onion service who it is: its key, and the keys of those who are let in. In the data directory. */
import { join } from "node:path";
import {
  clientFile,
  newClientKey,
  newOnionKey,
  type OnionKey,
  onionKeyText,
  parseClientFile,
  parseOnionKey,
} from "../../lib/tor/mod.ts";
import { makeDirectory, syncDirectory } from "../lasting.ts";
import { UsageError } from "../usage_error.ts";

/** Somebody who is let in. */
export interface OnionClient {
  readonly name: string;
  /** X25519 in base32. */
  readonly publicKey: string;
}

const ENDING = ".auth";

/** The folder within the data directory. */
export const ONION = "onion";

export function onionDirectory(data: string): string {
  return join(data, ONION);
}

const keyFile = (data: string) => join(onionDirectory(data), "key");
const clientsFolder = (data: string) => join(onionDirectory(data), "clients");

/**
 * The service's key; undefined when none was made yet.
 * @throws {UsageError} when the file can't be read, is none, or is open to others.
 */
export async function readOnionKey(
  data: string,
): Promise<OnionKey | undefined> {
  const file = keyFile(data);
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UsageError(`The onion service's key ${file} can't be read.`, {
      cause: error,
    });
  }
  const { mode } = await Deno.stat(file);
  if (Deno.build.os !== "windows" && ((mode ?? 0) & 0o077) !== 0) {
    throw new UsageError(
      `The onion service's key ${file} is open to other users: chmod 600 ${file}.`,
    );
  }
  const key = parseOnionKey(text.trim());
  if (key) return key;
  throw new UsageError(`The file ${file} is no key of an onion service.`);
}

/** The service's key, made and on disk the first time. @throws {UsageError} */
export async function openOnionKey(data: string): Promise<OnionKey> {
  const known = await readOnionKey(data);
  if (known) return known;
  const key = newOnionKey();
  await write(onionDirectory(data), "key", `${onionKeyText(key)}\n`);
  return key;
}

/**
 * Who is let in, by name; undefined: everybody is, because nobody was ever given a key.
 * @throws {UsageError} when a file is no key.
 */
export async function readOnionClients(
  data: string,
): Promise<OnionClient[] | undefined> {
  const folder = clientsFolder(data);
  const files = await filesOf(folder);
  if (files === undefined) return undefined;
  const clients: OnionClient[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const publicKey = parseClientFile(await Deno.readTextFile(path));
    if (publicKey === undefined || !file.endsWith(ENDING)) {
      throw new UsageError(`The file ${path} is no key of a client.`);
    }
    clients.push({ name: file.slice(0, -ENDING.length), publicKey });
  }
  return clients.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Makes a key for somebody to be let in with, keeps its public half, and gives the secret one, which is
 * kept nowhere. @throws {UsageError} when somebody of that name has one.
 */
export async function authoriseOnionClient(
  data: string,
  name: string,
): Promise<string> {
  const clients = await readOnionClients(data);
  if (clients?.some((client) => client.name === name)) {
    throw new UsageError(`${name} has a key already; --revoke ${name} first.`);
  }
  const key = newClientKey();
  const file = `${name}${ENDING}`;
  await write(clientsFolder(data), file, clientFile(key.public));
  return key.secret;
}

/** When it was the last one, nobody is let in. @throws {UsageError} when nobody of that name has a key. */
export async function revokeOnionClient(
  data: string,
  name: string,
): Promise<void> {
  try {
    await Deno.remove(join(clientsFolder(data), `${name}${ENDING}`));
    await syncDirectory(clientsFolder(data));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`Nobody has a key under the name ${name}.`);
  }
}

/** Takes all keys back, and lets in everybody. */
export async function openOnionToAll(data: string): Promise<void> {
  if (await filesOf(clientsFolder(data)) === undefined) return;
  await Deno.remove(clientsFolder(data), { recursive: true });
  await syncDirectory(onionDirectory(data));
}

/** Puts the key of a service, and of those who are let in, into a data directory that has none. */
export async function writeOnion(
  data: string,
  key: OnionKey,
  clients: readonly OnionClient[] | undefined,
): Promise<void> {
  // The circle first: a service that is there is never open to more people than it was.
  if (clients) {
    await makeDirectory(clientsFolder(data));
    for (const { name, publicKey } of clients) {
      const file = clientFile(publicKey);
      await write(clientsFolder(data), `${name}${ENDING}`, file);
    }
  }
  await write(onionDirectory(data), "key", `${onionKeyText(key)}\n`);
}

/** Writes it for this user alone: whole, or not at all. */
async function write(
  folder: string,
  name: string,
  text: string,
): Promise<void> {
  await makeDirectory(folder);
  const part = join(folder, `.${name}.part`);
  using file = await Deno.open(part, {
    write: true,
    create: true,
    truncate: true,
    mode: 0o600,
  });
  await file.write(new TextEncoder().encode(text));
  await file.sync();
  await Deno.rename(part, join(folder, name));
  await syncDirectory(folder);
}

async function filesOf(folder: string): Promise<string[] | undefined> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name)
      .filter((name) => !name.startsWith("."));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
