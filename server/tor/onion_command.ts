/** `whisper onion`: the address of the onion service, and who is let in. */
import { resolve } from "node:path";
import {
  ControlError,
  NEW_CIRCUITS_EVERY_MS,
  newCircuits,
  type OnionKey,
  openTor,
  readControlPort,
} from "../../lib/tor/mod.ts";
import type { Command } from "../command_line.ts";
import { dataDirectory, settleDataDirectory } from "../data_directory.ts";
import { UsageError } from "../usage_error.ts";
import {
  authoriseOnionClient,
  openOnionKey,
  openOnionToAll,
  readOnionClients,
  readOnionKey,
  revokeOnionClient,
} from "./onion_directory.ts";
import { torSource } from "./tor_source.ts";

type OnionCommand = Extract<Command, { readonly name: "onion" }>;

/** Does what is asked, and gives what to print. @throws {UsageError} when it can't be done. */
export async function tellOfOnion(
  { data: given, task, tor }: OnionCommand,
): Promise<string> {
  const data = dataDirectory(given);
  // Keys are for this user alone, whatever the folder's mode.
  if (Deno.build.os !== "windows") Deno.umask(0o077);
  await settleDataDirectory(data);
  switch (task.do) {
    case "tell": {
      const { address } = await knownKey(data);
      return [`http://${address}`, await whoIsLetIn(data)].join("\n");
    }
    case "authorise": {
      // Also before the first start: so it is never open to all.
      const { address } = await openOnionKey(data);
      const secret = await authoriseOnionClient(data, task.person);
      return [
        `The key of ${task.person}, which is shown this once:`,
        secret,
        `${task.person} opens http://${address} in Tor Browser, which asks for it.`,
        "Hand it over where nobody else reads it.",
        await whoIsLetIn(data),
        RESTART,
      ].join("\n");
    }
    case "revoke":
      await knownKey(data);
      await revokeOnionClient(data, task.person);
      return [await whoIsLetIn(data), RESTART].join("\n");
    case "everybody":
      await knownKey(data);
      await openOnionToAll(data);
      return [await whoIsLetIn(data), RESTART].join("\n");
    case "new-circuits":
      await takeNewCircuits(tor, data);
      return [
        "What the relay connects through Tor from now on takes new circuits; what is connected stays.",
        `Tor does this once in ${
          NEW_CIRCUITS_EVERY_MS / 1000
        } seconds: asked again sooner, when they are over.`,
      ].join("\n");
  }
}

/** Nothing is made for who only asks. */
async function knownKey(data: string): Promise<OnionKey> {
  const key = await readOnionKey(data);
  if (key) return key;
  throw new UsageError(
    `No relay with the data directory ${data} was an onion service yet: start it with --tor, or close it to all but some with --authorise NAME first.`,
  );
}

const RESTART = "Restart the relay, if it runs: this counts from then on.";

async function whoIsLetIn(data: string): Promise<string> {
  const clients = await readOnionClients(data);
  if (clients === undefined) return "Everybody is let in.";
  if (clients.length === 0) return "Nobody is let in.";
  return `Let in, with a key: ${clients.map(({ name }) => name).join(", ")}.`;
}

async function takeNewCircuits(
  tor: OnionCommand["tor"],
  data: string,
): Promise<void> {
  const running = tor.running ?? await readControlPort(resolve(data, "tor"));
  if (running === undefined) {
    throw new UsageError(`No tor was started by a relay with ${data}.`);
  }
  try {
    const session = await openTor(await torSource({ ...tor, running }, data));
    try {
      await newCircuits(session.control);
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    throw new UsageError(`Tor can't be asked: ${error.message}.`);
  }
}
