import { bytesToHex } from "@noble/hashes/utils.js";
import {
  bindMessage,
  type Ed25519Pair,
  parseBindOk,
  parseReplacedDetail,
  parseWorkDetail,
  queueId,
  type Role,
  signEd25519,
  solveWork,
} from "../wire/mod.ts";
import {
  encodeQueue,
  newQueue,
  type QueueCredentials,
  sealRemoveKey,
} from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import type { OwnAccount } from "./own_account.ts";
import { type QueueRecord, queueTable } from "./records.ts";

/** The name of a queue in the vault: its id at the relay, hex. */
export function queueName(sendPublicKey: Uint8Array): string {
  return bytesToHex(queueId(sendPublicKey));
}

/**
 * New credentials of an own queue, kept in `entry`. The relay hears of it from `createQueue`. `contact`:
 * who sends to it, when that is known.
 */
export async function makeQueue(
  entry: Entry,
  { recoveryKey }: Pick<OwnAccount, "recoveryKey">,
  contact?: string,
): Promise<{ name: string; credentials: QueueCredentials }> {
  const credentials = await newQueue();
  const { name, record } = await queueRecord(credentials, recoveryKey, contact);
  entry.put(queueTable, name, record);
  return { name, credentials };
}

/** An own queue as the vault keeps it. */
export async function queueRecord(
  credentials: QueueCredentials,
  recoveryKey: Uint8Array,
  contact?: string,
): Promise<{ name: string; record: QueueRecord }> {
  return {
    name: queueName(credentials.send.publicKey),
    record: {
      credentials: encodeQueue(credentials),
      removeKey: await sealRemoveKey(recoveryKey, credentials),
      ...contact === undefined ? {} : { contact },
      recent: [],
      unreadable: 0,
    },
  };
}

/** How often the price of an anonymous command may rise while we work for it. */
const MAX_PRICES = 4;

/** The most leading zero bits worth computing, about a minute of a phone: no honest relay asks for more. */
const MAX_WORK_BITS = 24;

/**
 * Does the proof of work of an anonymous command and sends it; does it again when the relay asks
 * for more. Rejects as `Connection.request` does, with "work" also when the price is out of reach.
 */
export async function withWork(
  relay: Pick<Connection, "hello" | "read">,
  type: "NEW" | "OPEN" | "JOIN" | "PUT" | "FWD" | "ACCESS",
  key: Uint8Array,
  send: (work: bigint) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  let bits = relay.hello.workBits;
  for (let price = 1;; price++) {
    // Of another relay it may be new at every try.
    const { challenge } = relay.hello;
    if (bits > MAX_WORK_BITS) {
      throw new RelayError("work", Uint8Array.of(bits));
    }
    const work = await solveWork({ challenge, type, key, bits });
    try {
      return await send(work);
    } catch (error) {
      const dearer = error instanceof RelayError && error.code === "work" &&
        price < MAX_PRICES;
      if (!dearer) throw error;
      bits = relay.read(() => parseWorkDetail(error.detail).bits);
    }
  }
}

/** Has the relay make a queue. The same queue again is fine. */
export async function createQueue(
  connection: Connection,
  { receive, send, remove }: QueueCredentials,
): Promise<void> {
  await withWork(
    connection,
    "NEW",
    send.publicKey,
    (work) =>
      connection.request({
        type: "NEW",
        receiveKey: receive.publicKey,
        sendKey: send.publicKey,
        removeKey: remove.publicKey,
        work,
      }),
  );
}

/** A queue and the credential that is to be proven for it. */
export interface Binding {
  readonly role: Role;
  readonly pair: Ed25519Pair;
  /** 16 bytes. */
  readonly queue: Uint8Array;
  /** Only for the role receive. */
  readonly generation?: number;
}

/**
 * Proves credentials on this connection, all in as few frames as they fit. Gives, in the same
 * order, the handle to use or why there is none. `granted` hears of each handle at once, by the
 * position of its binding: pushes come with it, whatever the others wait for.
 */
export async function bindQueues(
  connection: Connection,
  bindings: readonly Binding[],
  granted: (position: number, handle: number) => void = () => {},
): Promise<PromiseSettledResult<number>[]> {
  const { challenge, relayKey } = connection.hello;
  const requests = await Promise.all(bindings.map(async (binding) => {
    const { role, pair, queue, generation = 0 } = binding;
    const message = bindMessage(challenge, relayKey, queue, role, generation);
    const signature = await signEd25519(pair, message);
    return { type: "BIND", role, queue, generation, signature } as const;
  }));
  // Only now, with all signatures there: requests of one turn share frames.
  return await Promise.allSettled(
    requests.map(async (request, position) => {
      const body = await connection.request(request);
      const { handle } = connection.read(() => parseBindOk(body));
      granted(position, handle);
      return handle;
    }),
  );
}

/** As `bindQueues`, for one. Rejects as `Connection.request` does. */
export async function bindQueue(
  connection: Connection,
  binding: Binding,
): Promise<number> {
  const [result] = await bindQueues(connection, [binding]);
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

/** The last generation there is: whoever came with it is followed by whoever comes with it again. */
const LAST_GENERATION = 0xffff_ffff;

/** What takes a queue over from whoever holds it. Who stole the keys may have come with the last there is. */
export function generationAfter(held: number): number {
  return Math.min(held + 1, LAST_GENERATION);
}

/** The generation that holds a queue, when that is why the relay refused. Throws as `Connection.read` does. */
export function heldGeneration(
  connection: Connection,
  error: unknown,
): number | undefined {
  return error instanceof RelayError && error.code === "replaced"
    ? connection.read(() => parseReplacedDetail(error.detail).generation)
    : undefined;
}

/**
 * Deletes an own queue (16 bytes) at the relay with its remove key. One that is not there is fine, and one of
 * another remove key: whoever could send to it has made it anew since, or it was never this account's.
 */
export async function deleteQueue(
  connection: Connection,
  queue: Uint8Array,
  remove: Ed25519Pair,
): Promise<void> {
  try {
    const handle = await bindQueue(connection, {
      role: "remove",
      pair: remove,
      queue,
    });
    await connection.request({ type: "DEL", handle });
  } catch (error) {
    const notOurs = error instanceof RelayError &&
      (error.code === "no-such-queue" || error.code === "unauthorised");
    if (!notOurs) throw error;
  }
}
