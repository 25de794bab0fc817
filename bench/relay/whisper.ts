/** Our relay: a real one in a process of its own, on a real file. */
import { RelayProcess } from "../../lib/relay/testing/relay_process.ts";
import { parseBindOk, type Role, type Signer } from "../../lib/wire/mod.ts";
import type { Line, Server, Spread } from "./line.ts";
import { WhisperClient } from "./whisper_client.ts";

/** What keeps strangers from overloading a relay is not what is measured. */
const LIMITS = {
  workBits: 0,
  anonymousPerMinute: 1_000_000_000,
  connections: 30_000,
  queuesPerConnection: 0xffff,
  framesPerSecond: 1_000_000,
  bytesPerSecond: 1_000_000_000,
  bufferedBytesToClose: 64 * 1024 * 1024,
  firstFrameWithin: 3_600,
};

export type WhisperServer = Server & { readonly process: RelayProcess };

export async function startWhisper(directory: string): Promise<WhisperServer> {
  const process = await RelayProcess.start(`${directory}/relay.kv`, LIMITS);
  const { pid, url } = process;
  return { pid, address: url, process, stop: () => process.stop() };
}

/** A key pair, made quickly. */
export async function newKey(): Promise<Signer> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    "Ed25519",
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair; // Ed25519 makes pairs
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
    sign: async (message) =>
      new Uint8Array(
        await crypto.subtle.sign("Ed25519", privateKey, message.slice()),
      ),
  };
}

/** Makes queues of these send keys, all read and removed with one and the same key. */
export async function makeQueues(
  client: WhisperClient,
  owner: Uint8Array,
  sendKeys: readonly Uint8Array[],
): Promise<void> {
  for (let at = 0; at < sendKeys.length; at += 1_000) {
    await Promise.all(client.askAll(
      sendKeys.slice(at, at + 1_000).map((sendKey) => ({
        type: "NEW",
        receiveKey: owner,
        sendKey,
        removeKey: owner,
        work: 0n,
      })),
    ));
  }
}

export async function connectWhisper(
  address: string,
  _index: number,
  { queues, inARow }: Spread,
): Promise<Line> {
  const owner = await newKey();
  const keys = await Promise.all(Array.from({ length: queues }, newKey));
  const sendKeys = keys.map(({ publicKey }) => publicKey);
  const sender = await WhisperClient.connect(address);
  const recipient = await WhisperClient.connect(address);
  await makeQueues(recipient, owner.publicKey, sendKeys);
  const outboxes = await bindAll(sender, sendKeys, keys, "send");
  return {
    send: (number) =>
      sender.send(outboxes[Math.floor(number / inARow) % queues], number),
    listen: async (arrived) => {
      recipient.hearMessages(arrived);
      const owners = sendKeys.map(() => owner);
      await bindAll(recipient, sendKeys, owners, "receive");
    },
    close: () => {
      sender.close();
      recipient.close();
      return Promise.resolve();
    },
  };
}

/** The handles of these queues, in order. */
export async function bindAll(
  client: WhisperClient,
  sendKeys: readonly Uint8Array[],
  keys: readonly Signer[],
  role: Role,
): Promise<number[]> {
  const handles: number[] = [];
  // No more at a time than may wait at the relay.
  for (let at = 0; at < keys.length; at += 1_000) {
    const commands = await Promise.all(
      keys.slice(at, at + 1_000).map((key, i) =>
        client.bindCommand(sendKeys[at + i], key, role)
      ),
    );
    for (const body of await Promise.all(client.askAll(commands))) {
      handles.push(parseBindOk(body).handle);
    }
  }
  return handles;
}
